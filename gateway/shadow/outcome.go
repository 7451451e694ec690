package shadow

import (
	"sync/atomic"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// outcomes lists what may become of an observation; they add up to those sampled.
var outcomes = [...]compare.Outcome{
	compare.Match, compare.Mismatch, compare.Failed, compare.TimedOut, compare.Truncated, compare.Undecodable, compare.Dropped,
}

// A Reason says why an observation was dropped. It is a metric label.
type Reason string

// The reasons.
const (
	NoBudget      Reason = "budget"             // no room in memory
	Busy          Reason = "busy"               // the candidate has as many questions as it may have
	BreakerOpen   Reason = "breaker"            // the candidate fails too often to be asked each time
	Stream        Reason = "stream"             // the answer turned out to be a stream
	BodyTooLarge  Reason = "body"               // the request's body is longer than the cap
	BodyBroken    Reason = "body_broken"        // the request's body was not read to its end
	NotComparable Reason = "status"             // the answer is a part, an upgrade or a 304, or comes from the candidate's side after all
	ControlFailed Reason = "control"            // the user got no whole answer
	ClientGone    Reason = "client_gone"        // the user went away
	NoAck         Reason = "no_rehearsal"       // the other side has not acknowledged that it rehearses
	NoKey         Reason = "no_idempotency_key" // a write may come twice only with an Idempotency-Key
	Closing       Reason = "closing"            // the gateway ends
)

// reasons lists all reasons.
var reasons = [...]Reason{NoBudget, Busy, BreakerOpen, Stream, BodyTooLarge, BodyBroken, NotComparable, ControlFailed, ClientGone, NoAck, NoKey, Closing}

// A tally counts the observations of one migration.
type tally struct {
	sampled  atomic.Uint64
	outcomes [len(outcomes)]atomic.Uint64
	reasons  [len(reasons)]atomic.Uint64
	probes   atomic.Uint64 // second askings of the control
	races    atomic.Uint64 // mismatches that went away when both sides were asked again
}

// Counts are the numbers of a tally.
type Counts struct {
	Sampled  uint64                     // observations begun
	Outcomes map[compare.Outcome]uint64 // add up to Sampled - Pending
	Dropped  map[Reason]uint64          // add up to Outcomes[compare.Dropped]
	Pending  uint64                     // begun and not decided yet
	Probes   uint64                     // second askings of the control
	Races    uint64                     // mismatches that went away when both sides were asked again
}

func (t *tally) decide(o compare.Outcome) {
	for i, name := range outcomes {
		if name == o {
			t.outcomes[i].Add(1)
			return
		}
	}
}

func (t *tally) drop(r Reason) {
	for i, name := range reasons {
		if name == r {
			t.reasons[i].Add(1)
		}
	}
	t.decide(compare.Dropped)
}

// counts reads the tally. Outcomes are read before what they are parts of, so
// that Pending is never below zero.
func (t *tally) counts() Counts {
	c := Counts{Outcomes: make(map[compare.Outcome]uint64, len(outcomes)), Dropped: make(map[Reason]uint64)}
	var decided uint64
	for i, o := range outcomes {
		n := t.outcomes[i].Load()
		c.Outcomes[o] = n
		decided += n
	}
	for i, r := range reasons {
		if n := t.reasons[i].Load(); n > 0 {
			c.Dropped[r] = n
		}
	}
	c.Probes, c.Races = t.probes.Load(), t.races.Load()
	c.Sampled = t.sampled.Load()
	c.Pending = c.Sampled - decided
	return c
}
