package evidence

import "time"

// Blips keep aside what speaks against a service that may only be restarting:
// failures that fallback healed completely. While a blip is open they are not
// votes. They are counted at once if a user sees a failure or the blip outlasts
// its patience, and dropped if it ends before. A single one counts in any case. The monolith's votes count
// throughout, so that the evidence is at most what it would have been, and α
// holds.
//
// The zero value is ready. T is a vote that waits.
type Blips[T any] struct {
	open     bool
	spent    bool      // this run of failures counts: a user saw one, or it took too long
	since    time.Time // first failure of the open blip
	last     time.Time // last failure
	answered time.Time // last answer of the service after that
	votes    []T
	ended    []time.Time // of the last blips, at most [BlipsAnHour]
	small    []time.Time // likewise, of those of few failures
}

const (
	// BlipsAnHour is the number of blips in an hour after which failures count at
	// once.
	BlipsAnHour = 3
	// quiet is how long a service must answer without a failure for a blip to be
	// over.
	quiet = time.Second
	// leastAside is the number of failures below which a blip that is over was none:
	// they count, and it is not one of those of an hour.
	leastAside = 2
	// few is the number of failures below which they may as well be some that come
	// by chance, so close together: as many of those are dropped in an hour, but
	// they leave the patience with a restart as it is.
	few = 5
	// mostAside bounds what is kept aside.
	mostAside = 4096
)

// Heal takes a failure that fallback healed, and returns what is to be counted
// now.
func (b *Blips[T]) Heal(at time.Time, patience time.Duration, vote T) []T {
	b.last = latest(b.last, at)
	switch {
	case patience <= 0 || b.spent:
		return []T{vote}
	case b.open:
	case b.tired(at):
		b.spent = true
		return []T{vote}
	default:
		b.open, b.since = true, at
	}
	b.votes = append(b.votes, vote)
	if at.Sub(b.since) > patience || len(b.votes) >= mostAside {
		return b.Fail(at)
	}
	return nil
}

// Fail says that a user saw a failure of the service. It returns what is to be
// counted now.
func (b *Blips[T]) Fail(at time.Time) []T {
	b.last = latest(b.last, at)
	votes := b.votes
	if b.open {
		b.end(at)
	}
	b.votes, b.spent = nil, true
	return votes
}

// Answer says that the service answered.
func (b *Blips[T]) Answer(at time.Time) { b.answered = latest(b.answered, at) }

// Tick lets time pass. It returns what is to be counted now, and how many
// failures are dropped because their blip is over.
func (b *Blips[T]) Tick(now time.Time, patience time.Duration) (count []T, dropped int) {
	switch over := !b.answered.Before(b.last) && now.Sub(b.last) >= quiet; {
	case over && b.open && (len(b.votes) < leastAside || len(b.votes) < few && full(b.small, now)): // stray failures are no restart
		count, b.votes, b.open = b.votes, nil, false
	case over:
		dropped = len(b.votes)
		if b.open {
			b.end(now)
		}
		b.votes, b.spent = nil, false
	case b.open && now.Sub(b.since) > patience:
		count = b.Fail(b.last)
	}
	return count, dropped
}

// Open returns when the open blip began, and whether one is open.
func (b *Blips[T]) Open() (since time.Time, open bool) { return b.since, b.open }

func (b *Blips[T]) end(at time.Time) {
	b.open = false
	ended := &b.ended
	if len(b.votes) < few {
		ended = &b.small
	}
	if *ended = append(*ended, at); len(*ended) > BlipsAnHour {
		*ended = (*ended)[1:]
	}
}

// tired reports whether there were as many blips in the last hour as are borne.
func (b *Blips[T]) tired(at time.Time) bool {
	return full(b.ended, at)
}

func full(ended []time.Time, at time.Time) bool {
	return len(ended) == BlipsAnHour && at.Sub(ended[0]) < time.Hour
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
