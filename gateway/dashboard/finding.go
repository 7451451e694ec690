package dashboard

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A Finding is a difference between the two sides of a migration, aggregated
// over all observations that show it.
type Finding struct {
	ID          string        `json:"id"`
	Migration   string        `json:"migration"`
	Endpoint    string        `json:"endpoint"` // method and path template
	State       compare.State `json:"state"`
	Severity    string        `json:"severity"` // low, medium, high or critical
	Rank        float64       `json:"rank"`     // severity × breadth × novelty
	Signs       []Sign        `json:"signs"`
	Count       int           `json:"count"` // observations that show it
	Of          int           `json:"of"`    // observations of the endpoint since it was first seen
	Share       float64       `json:"share"` // 0 to 1
	First       time.Time     `json:"first"`
	Last        time.Time     `json:"last"`
	Races       int           `json:"races,omitempty"`     // of Count, those that went away when both sides were asked again
	Unlearned   bool          `json:"unlearned,omitempty"` // the route may not be asked twice, so that noise is not known here
	Gap         float64       `json:"gap,omitempty"`       // numbers: greatest relative difference
	Note        string        `json:"note,omitempty"`      // of whoever acknowledged, muted or fixed it
	Until       *time.Time    `json:"until,omitempty"`     // muted until then
	FixedAt     *time.Time    `json:"fixed_at,omitempty"`
	RegressedAt *time.Time    `json:"regressed_at,omitempty"` // it was fixed, and has come back

	Where       string       `json:"where,omitempty"`       // which requests show it, in a sentence; in what is said of one finding only
	Examples    []Example    `json:"examples,omitempty"`    // the smallest, the first, the last, and some between
	Suggestions []Suggestion `json:"suggestions,omitempty"` // rules that would accept it
	Reproduce   []string     `json:"reproduce,omitempty"`   // commands for a shell
}

// A Sign is one way in which the observations of a finding differ.
type Sign struct {
	Path      string        `json:"path"`
	Kind      compare.Kind  `json:"kind"`
	Control   compare.Class `json:"control"`
	Candidate compare.Class `json:"candidate"`
}

// An Example is one observation: the differing values only, masked unless the
// config keeps their paths.
type Example struct {
	Time           time.Time       `json:"time"`
	Target         string          `json:"target,omitempty"`       // without secrets
	ControlSide    migrations.Side `json:"control_side,omitempty"` // legacy or modern: which one answered the client; the candidate is the other
	ControlTrace   string          `json:"control_trace,omitempty"`
	CandidateTrace string          `json:"candidate_trace,omitempty"`
	Size           int64           `json:"size,omitempty"` // of both bodies, in bytes
	Differences    []Difference    `json:"differences"`
	More           int             `json:"more,omitempty"` // differences left out
}

// CandidateSide is the side that is not the control's; empty if that is not known.
func (e Example) CandidateSide() migrations.Side {
	switch e.ControlSide {
	case migrations.Legacy:
		return migrations.Modern
	case migrations.Modern:
		return migrations.Legacy
	}
	return ""
}

// A Difference is one place at which two answers differ.
type Difference struct {
	Path      string       `json:"path"`               // template
	Instance  string       `json:"instance,omitempty"` // the first place that it stands for
	Kind      compare.Kind `json:"kind"`
	Control   Value        `json:"control"`
	Candidate Value        `json:"candidate"`
	Count     int          `json:"count"` // places
	Gap       float64      `json:"gap,omitempty"`
}

// A Value describes one side of a difference.
type Value struct {
	Type   compare.Type  `json:"type"`
	Class  compare.Class `json:"class"`
	Length int           `json:"length"`         // in bytes
	Mark   string        `json:"mark,omitempty"` // keyed hash: equal values have equal marks
	Text   string        `json:"text,omitempty"` // only where the config keeps it
}

// A Suggestion is a rule, and how many mismatches of the endpoint it would resolve.
type Suggestion struct {
	Do       compare.Action `json:"do"`
	Path     string         `json:"path"`
	With     string         `json:"with,omitempty"`
	Resolves int            `json:"resolves"`
	Of       int            `json:"of"`
}

// FindingOf presents a finding without its examples.
func FindingOf(migration string, f *compare.Finding, now time.Time) Finding {
	out := Finding{
		ID: f.ID, Migration: migration, Endpoint: plain(f.Endpoint, 1000), State: f.State, Severity: f.Severity().String(), Rank: f.Rank(now),
		Signs: []Sign{}, Count: f.Count, Of: f.Of, Share: f.Share(), First: f.First, Last: f.Last, Races: f.Races, Unlearned: f.Unlearned,
		Gap: f.Gap, Note: plain(f.Note, 1000), Until: moment(f.Until), FixedAt: moment(f.FixedAt), RegressedAt: moment(f.RegressedAt),
	}
	for _, s := range f.Signs {
		out.Signs = append(out.Signs, Sign{plain(s.Path, 1000), s.Kind, s.Control, s.Candidate})
	}
	return out
}

// DetailsOf presents a finding with the requests that show it, its examples and
// the rules that would accept it.
func DetailsOf(migration string, s *compare.Study, f *compare.Finding, now time.Time) Finding {
	out := FindingOf(migration, f, now)
	out.Where = plain(s.Where(f.ID), 1000)
	out.Examples = examplesOf(f)
	if rules, err := s.Findings.Suggest(f.ID); err == nil {
		out.Suggestions = suggestionsOf(rules)
	}
	return out
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// examplesOf presents the examples of a finding, each once, the smallest first.
func examplesOf(f *compare.Finding) []Example {
	list := []Example{}
	add := func(e *compare.Example) {
		if e == nil {
			return
		}
		x := Example{
			Time: e.Time, Target: plain(e.Target, 2000), ControlSide: migrations.Side(e.Control), ControlTrace: plain(e.ControlTrace, 64), CandidateTrace: plain(e.CandidateTrace, 64),
			Size: e.Size, Differences: DifferencesOf(e.Differences), More: e.More,
		}
		for _, has := range list {
			if has.Time.Equal(x.Time) && has.ControlTrace == x.ControlTrace && has.Target == x.Target {
				return
			}
		}
		list = append(list, x)
	}
	add(f.Smallest)
	add(f.Begin)
	add(f.Latest)
	for i := range f.Sample {
		add(&f.Sample[i])
	}
	return list
}

// DifferencesOf presents differences, those within the known noise apart.
func DifferencesOf(list []compare.Difference) []Difference {
	out := []Difference{}
	for i := range list {
		if d := &list[i]; !d.Accepted() {
			out = append(out, Difference{
				Path: plain(d.Path, 1000), Instance: plain(d.Instance, 1000), Kind: d.Kind,
				Control: valueOf(d.Control), Candidate: valueOf(d.Candidate), Count: d.Count, Gap: d.Gap,
			})
		}
	}
	return out
}

func valueOf(v compare.Value) Value {
	out := Value{Type: v.Type, Class: v.Class, Length: v.Length, Text: plain(v.Text, 1000)}
	if v.Mark != 0 {
		out.Mark = fmt.Sprintf("%016x", uint64(v.Mark))
	}
	return out
}

func suggestionsOf(list []compare.Suggestion) []Suggestion {
	out := []Suggestion{}
	for _, s := range list {
		out = append(out, Suggestion{Do: s.Rule.Do, Path: plain(s.Rule.Path, 1000), With: s.Rule.With, Resolves: s.Resolves, Of: s.Of})
	}
	return out
}
