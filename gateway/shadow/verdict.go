package shadow

import "github.com/ficus-gateway/ficus/migrations/compare"

// A Verdict is what became of one observation.
type Verdict struct {
	Outcome  compare.Outcome
	Probed   bool   // the control was asked once more
	Pair     Pair   // of a probe
	FellBack bool   // the control was the service, failed, and the monolith answered
	Span     string // of the user's request, as evidence keeps it; empty: its trace is not kept
}

// A Pair is a probe in which two of the three answers agree and one stands
// alone: what a fair coin decides if the candidate is like another control.
type Pair uint8

// The pairs.
const (
	NoPair         Pair = iota
	CandidateAlone      // the control agreed with itself
	ControlAlone        // the candidate agreed with one answer of the control
)

func pairOf(probed bool, candidate, again compare.Outcome) Pair {
	switch differs := candidate == compare.Mismatch || candidate == compare.Failed || candidate == compare.TimedOut; {
	case !probed:
	case differs && again == compare.Match:
		return CandidateAlone
	case candidate == compare.Match && again == compare.Mismatch:
		return ControlAlone
	}
	return NoPair
}

// CandidateFailed reports whether there was no answer to compare with.
func (v Verdict) CandidateFailed() bool {
	return !v.FellBack && (v.Outcome == compare.Failed || v.Outcome == compare.TimedOut)
}

// Tell has f called once, by any goroutine, with what becomes of the
// observation.
func (o *Observation) Tell(f func(Verdict)) { o.told = f }

// decide counts what became of the observation, and tells who asked for it.
func (o *Observation) decide(v Verdict) {
	o.watch.tally.decide(v.Outcome)
	if o.told != nil {
		o.told(v)
	}
}

// dropped counts the observation as dropped.
func (o *Observation) dropped(r Reason) {
	o.watch.tally.drop(r)
	if o.told != nil {
		o.told(Verdict{Outcome: compare.Dropped})
	}
}
