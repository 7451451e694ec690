package redislog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
)

// maxLine is the longest line that is appended, in bytes: Redis would take
// more, but a file log would not.
const maxLine = 64 << 20

// Waits between two attempts of an append double from the first to the last.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 200 * time.Millisecond
)

// Append adds events; see [migrations.Log]. While Redis is out of reach it
// tries again, without ever adding twice, until its patience or ctx ends. Then
// its error is an [ErrUncertain] if Redis may have added the events.
func (l *Log) Append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	if err := l.take(ctx); err != nil {
		return 0, err
	}
	defer l.give()
	return l.add(ctx, func(s migrations.State, now time.Time) (draft, error) {
		admitted, _, err := migrations.Admit(s, after, now, events...)
		return draft{script: appendScript, events: admitted}, err
	})
}

// A draft is what is to be done with the stream as it is.
type draft struct {
	script  *redis.Script
	events  []migrations.Event
	restart bool   // the events begin the log again
	archive string // where to what was before
}

// A proposal decides on the state and Redis' time.
type proposal func(migrations.State, time.Time) (draft, error)

// add lets propose decide and does it, until it is done or refused. It needs
// the turn.
func (l *Log) add(ctx context.Context, propose proposal) (uint64, error) {
	id := newAppendID()
	uncertain := false
	var since time.Time // when the trouble began
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		seq, sent, err := l.try(ctx, id, propose)
		if err == nil {
			return seq, nil
		}
		uncertain = uncertain || sent
		over := l.over(ctx)
		if t := TroubleOf(err); over == nil && (t == "" || !t.Passes() && !uncertain) {
			return 0, err // decided, so nothing that was sent before can be added any more
		}
		if since.IsZero() {
			since = time.Now()
		}
		if over == nil && time.Since(since)+wait < l.patience {
			select {
			case <-ctx.Done():
			case <-l.life.Done():
			case <-time.After(wait):
				continue
			}
			over = l.over(ctx)
		}
		if over != nil {
			err = over
		}
		if uncertain {
			err = fmt.Errorf("%w: %w", ErrUncertain, err)
		}
		return 0, err
	}
}

// try does what propose decides, again while others are faster. sent says
// that Redis may have done it in spite of the error.
func (l *Log) try(ctx context.Context, id string, propose proposal) (seq uint64, sent bool, err error) {
	for {
		c, err := l.catchUp(ctx, id)
		state, tip, now := l.fold.State(), l.reader.at, c.now
		if c.mine != 0 {
			return c.mine, false, nil // the acknowledgement was lost
		}
		var v *vacantError
		if errors.As(err, &v) {
			state, tip, now = migrations.State{}, Tip{}, v.now
		} else if err != nil {
			return 0, false, err
		}
		d, refusal := propose(state, now)
		if v != nil && (refusal != nil || !v.restoredBy(d.events)) {
			return 0, false, err
		}
		if refusal != nil {
			return 0, false, refusal
		}
		outcome, last, err := l.commit(ctx, id, tip, now, d)
		if err != nil {
			t := TroubleOf(err)
			return 0, t == Down || t == Slow || t == "", err
		}
		if outcome == "added" {
			return d.events[len(d.events)-1].Seq, false, l.applied(d, last)
		}
	}
}

// commit hands the lines of d to the script, and returns what that says and
// the place behind them.
func (l *Log) commit(ctx context.Context, id string, tip Tip, now time.Time, d draft) (outcome string, last Tip, err error) {
	keys, head, hash := []string{l.stream}, "", ""
	if tip.Seq != 0 {
		head, hash = entryID(tip.Seq), tip.Hash.String()
	}
	args := []any{head, hash, now.UnixMicro(), id}
	if d.archive != "" {
		keys, args = append(keys, d.archive), append(args, archiveFor.Milliseconds())
	}
	last = tip
	if d.restart {
		last = Tip{}
	}
	for _, e := range d.events {
		var line []byte
		if line, last.Hash, err = migrations.EncodeLine(last.Hash, e); err != nil {
			return "", last, err
		}
		if len(line) >= maxLine {
			return "", last, fmt.Errorf("event %d: a line of %d bytes is longer than %d MiB", e.Seq, len(line), maxLine>>20)
		}
		last.Seq = e.Seq
		args = append(args, entryID(e.Seq), line)
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	outcome, err = d.script.Run(ctx, l.client.get(), keys, args...).Text()
	return outcome, last, l.client.learn(l.trouble(err))
}

// applied folds what has been added.
func (l *Log) applied(d draft, last Tip) error {
	if d.events[0].Kind == migrations.Restored {
		l.fold = new(migrations.Fold)
	}
	for _, e := range d.events {
		if err := l.fold.Apply(e); err != nil {
			return err
		}
	}
	l.reader.at, l.reader.verified = last, true
	return l.witness(Tip{}, []entry{{event: d.events[len(d.events)-1], hash: last.Hash}})
}

// A vacantError is the [ErrLost] of a stream that is empty, in which the log
// can begin again.
type vacantError struct {
	err  error
	now  time.Time // of Redis
	seen uint64
}

func (d *door) vacant(now time.Time, seen uint64) error {
	return &vacantError{d.lost("it is empty, and event %d was seen", seen), now, seen}
}

func (v *vacantError) Error() string { return v.err.Error() }
func (v *vacantError) Unwrap() error { return v.err }

// restoredBy reports whether events begin the log again with a state that is
// not older than what was seen.
func (v *vacantError) restoredBy(events []migrations.Event) bool {
	return len(events) > 0 && events[0].Kind == migrations.Restored && events[0].State.Seq >= v.seen
}
