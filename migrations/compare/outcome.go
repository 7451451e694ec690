package compare

// An Outcome is what became of one observation that was sampled. The counts
// of all outcomes add up to the number sampled (law 8).
type Outcome string

// The outcomes. Compare returns all but Dropped, which is for an observation
// that never came to a comparison.
const (
	Match       Outcome = "match"       // the same, by the rules and what is known of the noise
	Mismatch    Outcome = "mismatch"    // something differs that should not
	Failed      Outcome = "failed"      // the candidate gave no answer
	TimedOut    Outcome = "timed out"   // the candidate gave no answer in time
	Truncated   Outcome = "truncated"   // the bodies differ, and one is too long to say where
	Undecodable Outcome = "undecodable" // a body can't be read, within bounds
	Dropped     Outcome = "dropped"     // not compared; the reason is counted by whoever dropped it
)

// A Result says how two answers compare.
type Result struct {
	Outcome     Outcome
	Differences []Difference // by path template and kind; the accepted ones too
	More        int          // differences that were left out, for their number
	Why         string       // why a body could not be read; empty if it could

	failing int8     // 1: only the candidate failed to serve; −1: only the control
	present []string // those of the profile's paths that one of the bodies has; nil: all of them; only [Probe] fills it
}

// Unaccepted counts the differences that make a mismatch.
func (r *Result) Unaccepted() int {
	n := 0
	for i := range r.Differences {
		if !r.Differences[i].Accepted() {
			n++
		}
	}
	return n
}

// Find returns the difference of a path and kind, or nil. An empty kind finds
// any.
func (r *Result) Find(path string, kind Kind) *Difference {
	for i := range r.Differences {
		if d := &r.Differences[i]; d.Path == path && (kind == "" || d.Kind == kind) {
			return d
		}
	}
	return nil
}

// agreement returns the coarsest of the levels at which the two sides agree,
// by path: what is not in the map agrees exactly.
func (r *Result) agreement() map[string]Level {
	m := make(map[string]Level, len(r.Differences))
	for i := range r.Differences {
		d := &r.Differences[i]
		m[d.Path] = max(m[d.Path], d.Agree)
	}
	return m
}
