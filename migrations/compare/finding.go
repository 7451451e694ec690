package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A State is where a finding stands.
type State string

// The states of a finding.
const (
	Suspected    State = "suspected"    // seen, but not yet beyond what the control's own noise may do
	Open         State = "open"         // real
	Acknowledged State = "acknowledged" // real, and somebody knows
	Muted        State = "muted"        // real, but not to be shown until a time
	Fixed        State = "fixed"        // was real
)

// A Finding is a mismatch of one endpoint, aggregated over all observations
// that differ in the same paths, kinds and classes.
type Finding struct {
	ID          string    `json:"id"` // of the endpoint and the signs; the same on every gateway
	Endpoint    string    `json:"endpoint"`
	Signs       []Sign    `json:"signs"`
	State       State     `json:"state"`
	Unlearned   bool      `json:"unlearned,omitempty"` // the endpoint can't be asked twice, so rules and classes alone say so
	Count       int       `json:"count"`               // observations
	Races       int       `json:"races,omitempty"`     // of them, those that went away when both sides were asked again
	Of          int       `json:"of"`                  // observations of the endpoint since it was first seen
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Note        string    `json:"note,omitempty"` // of whoever acknowledged, muted or fixed it
	Until       time.Time `json:"until,omitzero"` // Muted: when that ends
	FixedAt     time.Time `json:"fixed_at,omitzero"`
	RegressedAt time.Time `json:"regressed_at,omitzero"` // when it was last seen again after a fix
	Gap         float64   `json:"gap,omitempty"`         // numbers: greatest relative difference
	Smallest    *Example  `json:"smallest,omitempty"`
	Begin       *Example  `json:"begin,omitempty"`
	Latest      *Example  `json:"latest,omitempty"`
	Sample      []Example `json:"sample,omitempty"` // drawn evenly from all
	From        uint32    `json:"from,omitempty"`   // hash of the client network that it was first seen from; 0: not known
	Many        bool      `json:"many,omitempty"`   // it was seen from several
	Where       string    `json:"where,omitempty"`  // which requests show it, as last found out; see [Study.Where]
	Drawn       int       `json:"drawn,omitempty"`  // examples that the sample was drawn from

	since int // observations of the endpoint when it was first seen
	seen  int // observations of the endpoint when it was last seen
}

// A Sign is one way in which the observations of a finding differ.
type Sign struct {
	Path      string `json:"path"`
	Kind      Kind   `json:"kind"`
	Control   Class  `json:"control"`
	Candidate Class  `json:"candidate"`
}

// An Example is one observation of a finding: the differing leaves only, and
// those masked unless the rules keep them.
type Example struct {
	Time           time.Time    `json:"time"`
	Target         string       `json:"target,omitempty"`  // path and query that were asked for, without what is secret in it
	Key            Mark         `json:"key,omitzero"`      // keyed hash of the targeting key, by which it can be erased
	Control        string       `json:"control,omitempty"` // side that the control was, "legacy" or "modern"; empty: it was not said
	ControlTrace   string       `json:"control_trace,omitempty"`
	CandidateTrace string       `json:"candidate_trace,omitempty"`
	Size           int64        `json:"size,omitempty"` // of both bodies
	Differences    []Difference `json:"differences"`
	More           int          `json:"more,omitempty"` // differences that were left out
}

// exampleDifferences is how many differences an example shows.
const exampleDifferences = 32

// signsOf lists what makes a result a mismatch, sorted.
func signsOf(r *Result) []Sign {
	var signs []Sign
	for i := range r.Differences {
		d := &r.Differences[i]
		if d.Accepted() {
			continue
		}
		signs = append(signs, Sign{d.Path, d.Kind, broad(d.Control.Class), broad(d.Candidate.Class)})
	}
	slices.SortFunc(signs, func(a, b Sign) int {
		return strings.Compare(a.Path+"\x00"+string(a.Kind), b.Path+"\x00"+string(b.Kind))
	})
	return signs
}

// broad leaves out of a class what would make ten findings of one.
func broad(c Class) Class {
	switch c {
	case ClassZero, ClassInteger, ClassDecimal, ClassNegative, ClassUnix:
		return Class(TypeNumber)
	case ClassTrue, ClassFalse:
		return Class(TypeBool)
	case ClassWord, ClassText:
		return ClassText
	}
	return c
}

func findingID(endpoint string, signs []Sign) string {
	h := sha256.New()
	h.Write([]byte(endpoint))
	for _, s := range signs {
		h.Write([]byte("\x00" + s.Path + "\x00" + string(s.Kind) + "\x00" + string(s.Control) + "\x00" + string(s.Candidate)))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func newExample(o *Observation) Example {
	e := Example{Time: o.Time, Target: o.Target, Key: o.Key, Control: o.Control, ControlTrace: o.ControlTrace, CandidateTrace: o.CandidateTrace, Size: o.Size, More: o.Result.More}
	for _, d := range o.Result.Differences {
		switch {
		case d.Accepted():
		case len(e.Differences) == exampleDifferences:
			e.More++
		default:
			e.Differences = append(e.Differences, d)
		}
	}
	return e
}

// Share of the endpoint's observations that are in the finding, since it was
// first seen.
func (f *Finding) Share() float64 {
	if f.Of == 0 {
		return 0
	}
	return float64(f.Count) / float64(f.Of)
}

// Real says whether the finding is one that people should see: neither only
// suspected, nor muted, nor fixed.
func (f *Finding) Real(now time.Time) bool {
	switch f.State {
	case Open, Acknowledged:
		return true
	case Muted:
		return !now.Before(f.Until)
	}
	return false
}

// meets notes from which client network it was seen.
func (f *Finding) meets(network uint32, many bool) {
	switch {
	case f.From == 0:
		f.From = network
	case network != 0 && network != f.From:
		f.Many = true
	}
	f.Many = f.Many || many
}

// ByOneNetwork reports whether the clients of one network alone have seen it.
func (f *Finding) ByOneNetwork() bool { return f.From != 0 && !f.Many }

// Unanswered reports whether all it says is that the candidate did not answer.
func (f *Finding) Unanswered() bool {
	for _, s := range f.Signs {
		if s.Kind != KindFailed && s.Kind != KindTimeout {
			return false
		}
	}
	return true
}

// Headline says in a line what it is about, without any value of an answer.
func (f *Finding) Headline() string {
	worst := f.Signs[0]
	for _, s := range f.Signs[1:] {
		if s.severity() > worst.severity() {
			worst = s
		}
	}
	text := fmt.Sprintf("%s: %s at %s (%s → %s)", f.Endpoint, worst.Kind, worst.Path, worst.Control, worst.Candidate)
	if worst.Path == Status {
		text = fmt.Sprintf("%s: another status", f.Endpoint)
		if worst.Kind != KindStatus {
			text = fmt.Sprintf("%s: no answer (%s)", f.Endpoint, worst.Kind)
		}
	}
	if n := len(f.Signs) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// examples calls yield with each place that holds one.
func (f *Finding) examples(yield func(**Example)) {
	yield(&f.Smallest)
	yield(&f.Begin)
	yield(&f.Latest)
}

// drop removes the examples that say so, and reports how many.
func (f *Finding) drop(gone func(*Example) bool) int {
	n := 0
	f.examples(func(e **Example) {
		if *e != nil && gone(*e) {
			*e = nil
			n++
		}
	})
	kept := f.Sample[:0]
	for i := range f.Sample {
		if gone(&f.Sample[i]) {
			n++
		} else {
			kept = append(kept, f.Sample[i])
		}
	}
	clear(f.Sample[len(kept):])
	f.Sample = kept
	return n
}
