package evidence

import (
	"cmp"
	"time"
)

// A Streak is how the service fares in the eyes of one gateway: the requests
// in a row that it failed and the monolith then answered.
type Streak struct {
	Ended  int64   `json:"ended,omitempty"`  // when a request last broke a streak, in Unix milliseconds
	Since  int64   `json:"since,omitempty"`  // when the present streak's first request failed
	Last   int64   `json:"last,omitempty"`   // when its last request failed
	Healed uint64  `json:"healed,omitempty"` // length of the present streak
	From   Network `json:"from,omitempty"`   // client network of its first request
	Many   bool    `json:"many,omitempty"`   // clients of more than one network are in it
	Blip   Blip    `json:"blip,omitzero"`    // the last one that is over
}

// A Blip is a streak of at least [BlipLength] that is over.
type Blip struct {
	From   int64  `json:"from"` // first failure, in Unix milliseconds
	To     int64  `json:"to"`   // last failure
	Healed uint64 `json:"healed"`
	Many   bool   `json:"many,omitempty"` // clients of more than one network were in it
}

// The absolute rules, which spend nothing of α.
const (
	OutageLength = 20               // requests in a row that make an outage
	BlipLength   = 3                // requests in a row that are worth a word
	BlipTime     = 10 * time.Second // by default; a streak that is over by then holds the ramp and does not roll back
)

// Heal counts a request that the service failed and the monolith answered in
// its stead.
func (s *Streak) Heal(at time.Time, from Network) {
	ms := at.UnixMilli()
	if s.Healed == 0 {
		s.Since, s.Last, s.From, s.Many = ms, ms, from, false
	}
	s.Many = s.Many || from != s.From
	s.Healed++
	s.Since, s.Last = min(s.Since, ms), max(s.Last, ms)
}

// End counts a request that breaks a streak: the service answered it, or the
// monolith could not either. A failure without a fallback does neither. Of many
// requests in a second that break no streak it is enough to count one.
func (s *Streak) End(at time.Time) {
	if s.Healed >= BlipLength {
		s.Blip = Blip{s.Since, s.Last, s.Healed, s.Many}
	}
	*s = Streak{Ended: max(s.Ended, at.UnixMilli()), Blip: s.Blip}
}

// Streaks are the streaks of all gateways, by their names.
type Streaks map[string]Streak

// Forget ends the streak of a gateway whose next test begins: what failed before
// has had its consequence, and between a rollback and the next attempt nothing
// comes by that could break it.
func (s Streaks) Forget(name string) {
	if own, ok := s[name]; ok {
		s[name] = Streak{Ended: max(own.Ended, own.Last) + 1, Blip: own.Blip} // later than all before, for whoever merges
	}
}

// A Fault says what the streaks amount to.
type Fault string

// What may be the matter with a service.
const (
	Sound  Fault = ""       // no streak
	Blink  Fault = "blip"   // a streak too short, so far, to roll back for: hold
	Outage Fault = "outage" // 20 in a row, for longer than a restart takes: trip
)

// Judge returns what the streaks amount to, and the streak that says so. It
// is an outage if at least [OutageLength] requests in a row failed, as one
// gateway saw them or as all did, and failed still after the patience: a restart
// is over by then. Requests of several gateways are in a row if none of them
// saw one in between that broke the streak; their clocks should agree within
// a second or so.
//
// patience is how long a restart may take. several says that clients of several
// networks are known; then one of them alone makes no fault (law 13).
func (s Streaks) Judge(patience time.Duration, several bool) (Fault, Streak) {
	together := Streak{}
	for _, own := range s {
		together.Ended = max(together.Ended, own.Ended)
	}
	var worst Streak
	for _, own := range s {
		if own.Healed == 0 {
			continue
		}
		worst = worse(worst, own, patience, several)
		if own.Since > together.Ended {
			if together.Healed == 0 {
				together.Since, together.Last, together.From = own.Since, own.Last, own.From
			}
			together.Many = together.Many || own.Many || own.From != together.From
			together.Since, together.Last = min(together.Since, own.Since), max(together.Last, own.Last)
			together.Healed += own.Healed
		}
	}
	worst = worse(worst, together, patience, several)
	return worst.fault(patience, several), worst
}

// Blip returns the last blip that is over, as any gateway saw it; zero if
// there was none.
func (s Streaks) Blip() Blip {
	var last Blip
	for _, own := range s {
		b := own.Blip
		if cmp.Or(cmp.Compare(b.To, last.To), cmp.Compare(b.Healed, last.Healed), cmp.Compare(last.From, b.From)) > 0 {
			last = b
		}
	}
	return last
}

func (s Streak) fault(patience time.Duration, several bool) Fault {
	switch {
	case several && !s.Many:
		return Sound
	case s.Healed >= OutageLength && s.Last-s.Since > patience.Milliseconds():
		return Outage
	case s.Healed >= BlipLength:
		return Blink
	default:
		return Sound
	}
}

// worse returns the streak that is the greater fault, then the longer one.
func worse(a, b Streak, patience time.Duration, several bool) Streak {
	rank := map[Fault]int{Sound: 0, Blink: 1, Outage: 2}
	if cmp.Or(
		cmp.Compare(rank[a.fault(patience, several)], rank[b.fault(patience, several)]), cmp.Compare(a.Healed, b.Healed),
		cmp.Compare(b.Since, a.Since), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Ended, b.Ended)) >= 0 {
		return a
	}
	return b
}

// mergeStreaks keeps each gateway's newest.
func mergeStreaks(a, b Streaks) Streaks {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := make(Streaks, len(a)+len(b))
	for _, from := range []Streaks{a, b} {
		for name, s := range from {
			if before, ok := out[name]; !ok || s.after(before) {
				out[name] = s
			}
		}
	}
	return out
}

// after orders the states of one gateway's streak by time; the other
// comparisons only make the order total.
func (s Streak) after(o Streak) bool {
	return cmp.Or(
		cmp.Compare(max(s.Ended, s.Last), max(o.Ended, o.Last)), cmp.Compare(s.Healed, o.Healed),
		cmp.Compare(s.Ended, o.Ended), cmp.Compare(s.Since, o.Since), cmp.Compare(s.Last, o.Last),
		cmp.Compare(s.Blip.To, o.Blip.To), cmp.Compare(s.Blip.From, o.Blip.From), cmp.Compare(s.Blip.Healed, o.Blip.Healed)) > 0
}
