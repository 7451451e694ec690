package shadow

import "github.com/ficus-gateway/ficus/migrations/compare"

// A Verdict is what became of one observation.
type Verdict struct {
	Outcome      compare.Outcome
	Probed       bool   // the control was asked once more
	Noise        bool   // of a probe: all that differs between the sides differs between two answers of the control as well
	ControlBad   bool   // the control failed: 5xx, or no answer
	CandidateBad bool   // likewise; a time-out counts only if the control had less than half of the time
	NoAnswer     bool   // the candidate gave none, or not to its end
	Restart      bool   // the candidate failed as one does that is being restarted: no application answered
	FellBack     bool   // the control was the service, failed, and the monolith answered
	Status       int    // of the service's answer; 0: it gave none
	Upstream     string // URL of the endpoint of the service that was asked; empty: none answered
	Span         string // of the user's request, as evidence keeps it; empty: its trace is not kept
}

// noise reports whether a probe explains all that the candidate differs in: the
// control differs from itself in the same places. What cannot differ by chance,
// or where the control agreed with itself, it does not explain.
func noise(differs, probe *compare.Result) bool {
	own := make(map[string]bool, len(probe.Differences))
	for i := range probe.Differences {
		own[probe.Differences[i].Path] = true
	}
	for i := range differs.Differences {
		if d := &differs.Differences[i]; !d.Accepted() && !own[d.Path] {
			return false
		}
	}
	return differs.Outcome == compare.Mismatch && len(own) > 0
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
