package compare

import (
	"cmp"
	"maps"
	"time"
)

// Clone returns a copy that shares nothing that either of them changes, but
// what examples say.
func (f *Findings) Clone() *Findings {
	out := NewFindings(FindingsOptions{Most: f.most, Sample: f.sample})
	out.Join(f)
	return out
}

// Join adds what another gateway has found, which stays as it is: counts add
// up, and of the states that a finding has on the two the later one stands.
func (f *Findings) Join(o *Findings) {
	f.lost += o.lost
	for name, theirs := range o.endpoints {
		t := f.at(name)
		t.Observed += theirs.Observed
		t.Mismatched += theirs.Mismatched
		t.Races += theirs.Races
		if len(theirs.Confirmed) > 0 {
			if t.Confirmed == nil {
				t.Confirmed = make(map[string]bool, len(theirs.Confirmed))
			}
			maps.Copy(t.Confirmed, theirs.Confirmed)
		}
	}
	// What an endpoint has observed since a finding is kept by what it had
	// observed before, which has grown.
	of := make(map[string]int, len(f.byID))
	for id, g := range f.byID {
		of[id] = f.at(g.Endpoint).Observed - g.since - countOf(o, g.Endpoint)
		g.seen += countOf(o, g.Endpoint)
	}
	for id, theirs := range o.byID {
		since := o.at(theirs.Endpoint).Observed - theirs.since
		g := f.byID[id]
		if g == nil {
			if len(f.byID) >= f.most {
				f.lost++
				continue
			}
			copied := *theirs
			copied.Sample = append([]Example(nil), theirs.Sample...)
			copied.seen = f.at(theirs.Endpoint).Observed - (o.at(theirs.Endpoint).Observed - theirs.seen)
			f.byID[id] = &copied
			of[id] = since
			continue
		}
		of[id] += since
		g.join(theirs, f.sample)
	}
	for id, g := range f.byID {
		g.since = f.at(g.Endpoint).Observed - of[id]
	}
}

func countOf(f *Findings, endpoint string) int {
	if t := f.endpoints[endpoint]; t != nil {
		return t.Observed
	}
	return 0
}

// join adds the counts and examples of the same finding on another gateway.
func (f *Finding) join(o *Finding, sample int) {
	f.Count += o.Count
	f.Races += o.Races
	f.Drawn += o.Drawn
	f.meets(o.From, o.Many)
	f.Gap = max(f.Gap, o.Gap)
	f.Where = cmp.Or(f.Where, o.Where)
	f.Unlearned = f.Unlearned || o.Unlearned
	if f.State != o.State && o.later(f) {
		f.State, f.Note, f.Until, f.FixedAt = o.State, o.Note, o.Until, o.FixedAt
	}
	if o.RegressedAt.After(f.RegressedAt) {
		f.RegressedAt = o.RegressedAt
	}
	if o.First.Before(f.First) {
		f.First, f.Begin = o.First, o.Begin
	}
	if o.Last.After(f.Last) {
		f.Last, f.Latest = o.Last, o.Latest
	}
	if f.Smallest == nil || o.Smallest != nil && o.Smallest.Size < f.Smallest.Size {
		f.Smallest = o.Smallest
	}
	for _, e := range o.Sample {
		if len(f.Sample) < sample {
			f.Sample = append(f.Sample, e)
		}
	}
}

// later reports whether the state of f says more, or something newer, than
// that of the same finding elsewhere.
func (f *Finding) later(o *Finding) bool {
	switch {
	case o.State == Suspected:
		return true
	case f.State == Suspected:
		return false
	case f.State == Fixed:
		return f.FixedAt.After(o.Last) || f.FixedAt.After(o.RegressedAt) && o.State != Open
	case o.State == Fixed:
		return f.RegressedAt.After(o.FixedAt) || f.Last.After(o.FixedAt)
	}
	return o.State == Open // somebody has said something about f
}

// A Triage is what somebody has said of a finding, to be said on every gateway.
type Triage struct {
	State State     `json:"state"` // Acknowledged, Muted or Fixed
	Note  string    `json:"note"`
	Until time.Time `json:"until,omitzero"` // Muted
	At    time.Time `json:"at"`             // when
}

// Triaged returns what has been said of findings, by their ids.
func (f *Findings) Triaged() map[string]Triage {
	out := make(map[string]Triage)
	for id, g := range f.byID {
		switch g.State {
		case Acknowledged, Muted, Fixed:
			out[id] = Triage{State: g.State, Note: g.Note, Until: g.Until}
		}
	}
	return out
}

// Triage says of a finding what was said on another gateway, and reports
// whether that is news: there is such a finding, and it has not come back since.
func (f *Findings) Triage(id string, t Triage) bool {
	g := f.byID[id]
	if g == nil || g.RegressedAt.After(t.At) || g.State == t.State && g.Note == t.Note && (t.State != Muted || g.Until.Equal(t.Until)) {
		return false
	}
	switch t.State {
	case Acknowledged:
		if g.State == Fixed && g.FixedAt.After(t.At) {
			return false
		}
		g.State, g.Note = Acknowledged, t.Note
	case Muted:
		g.State, g.Note, g.Until = Muted, t.Note, t.Until
	case Fixed:
		f.fix(g, t.Note, t.At)
	default:
		return false
	}
	return true
}

// Each yields the ids of all findings.
func (f *Findings) Each(yield func(id string) bool) {
	for id := range f.byID {
		if !yield(id) {
			return
		}
	}
}

// Bare drops all examples, and leaves what was counted.
func (f *Findings) Bare() {
	for _, g := range f.byID {
		g.drop(func(*Example) bool { return true })
		g.Drawn = 0
	}
}

// Triage is [Findings.Triage], and begins to test anew what was fixed.
func (s *Study) Triage(id string, t Triage) bool {
	if !s.Findings.Triage(id, t) {
		return false
	}
	if g, err := s.Findings.Get(id); err == nil && t.State == Fixed {
		s.retest(g)
	}
	return true
}
