package compare

import (
	"encoding/json"
	"testing"
	"time"
)

// two are what two gateways have found: the first a finding of its own and one
// that both have, the second the other half of it.
func two(t *testing.T) (a, b *Findings, both, own string) {
	t.Helper()
	a, b = NewFindings(FindingsOptions{}), NewFindings(FindingsOptions{})
	for i := range 10 {
		a.Observe(seen(noon, `{"a":1}`, `{"a":1}`))
		b.Observe(seen(noon, `{"a":1}`, `{"a":1}`))
		if i < 4 {
			both = observed(t, a, seen(noon.Add(time.Minute), `{"a":1}`, `{}`)).ID
		}
		if i < 6 {
			observed(t, b, seen(noon.Add(time.Hour), `{"a":1}`, `{}`))
		}
		if i < 3 {
			own = observed(t, a, seen(noon, `{"b":1}`, `{}`)).ID
		}
	}
	return a, b, both, own
}

func TestFindingsOfGatewaysAddUp(t *testing.T) {
	a, b, both, own := two(t)
	before, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	ab := a.Clone()
	ab.Join(b)
	g, err := ab.Get(both)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := a.Get(both)
	y, _ := b.Get(both)
	if g.Count != 10 || g.Of != x.Of+y.Of || !g.First.Equal(noon.Add(time.Minute)) || !g.Last.Equal(noon.Add(time.Hour)) || len(g.Sample) != 4 || g.Smallest == nil {
		t.Errorf("%+v, of %d and %d", g, x.Of, y.Of)
	}
	if g, err := ab.Get(own); err != nil || g.Count != 3 {
		t.Errorf("%+v, %v", g, err)
	}
	if x.Count != 4 || len(a.All(noon)) != 2 {
		t.Error("the original has changed")
	}
	// The clone goes on as a whole would.
	observed(t, ab, seen(noon.Add(2*time.Hour), `{"a":1}`, `{}`))
	if g, _ := ab.Get(both); g.Count != 11 || g.Of != x.Of+y.Of+1 {
		t.Errorf("%+v", g)
	}
	after, _ := json.Marshal(b)
	if len(before) != len(after) {
		t.Error("what was joined has changed")
	}
}

func TestWhatSomebodySaysOfAFindingHoldsOnEveryGateway(t *testing.T) {
	for name, say := range map[string]func(*Findings, string) error{
		"acknowledged": func(f *Findings, id string) error { return f.Acknowledge(id, "known") },
		"muted":        func(f *Findings, id string) error { return f.Mute(id, "later", noon, noon.Add(48*time.Hour)) },
		"fixed":        func(f *Findings, id string) error { return f.Fix(id, "deployed", noon.Add(2*time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b, both, _ := two(t)
			if err := say(a, both); err != nil {
				t.Fatal(err)
			}
			said := a.Triaged()[both]
			said.At = noon.Add(2 * time.Hour)
			ba := b.Clone()
			ba.Join(a)
			if g, _ := ba.Get(both); g.State != said.State {
				t.Errorf("joined it is %s", g.State)
			}
			if !b.Triage(both, said) || b.Triage(both, said) {
				t.Error("it is no news, or news twice")
			}
			g, _ := b.Get(both)
			if g.State != said.State || g.Note != said.Note {
				t.Errorf("%+v", g)
			}
			// It comes back, and what was said before that is no news.
			if said.State == Fixed {
				observed(t, b, seen(noon.Add(3*time.Hour), `{"a":1}`, `{}`))
				if b.Triage(both, said); g.State != Open {
					t.Errorf("it is %s again", g.State)
				}
				ab := a.Clone()
				ab.Join(b)
				if g, _ := ab.Get(both); g.State != Open || g.RegressedAt.IsZero() {
					t.Errorf("joined it is %s", g.State)
				}
			}
			if b.Triage("nobody", said) {
				t.Error("said of a finding that there is not")
			}
		})
	}
}

func TestBareFindingsShowNobody(t *testing.T) {
	a, _, both, _ := two(t)
	a.Bare()
	if g, _ := a.Get(both); g.Smallest != nil || g.Begin != nil || g.Latest != nil || len(g.Sample) != 0 || g.Count != 4 {
		t.Errorf("%+v", g)
	}
}
