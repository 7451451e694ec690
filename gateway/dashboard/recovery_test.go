package dashboard

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

func TestHowUsersFaredByARollback(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	after := func(d time.Duration) time.Time { return at.Add(d) }
	decided := &migrations.Evidence{FirstBad: at, At: after(time.Second)}
	for _, c := range []struct {
		name     string
		evidence *migrations.Evidence
		said     []evidence.Enforcement
		seconds  float64
		summary  string // empty: nothing is said
	}{
		{name: "of an old event", evidence: decided, said: []evidence.Enforcement{{Seq: 3, Gateway: "a", At: at}}},
		{
			name: "users were hurt", evidence: decided, seconds: 2.5, summary: "recovered in 2.5s so far",
			said: []evidence.Enforcement{
				{Seq: 7, Gateway: "a", At: after(1100 * time.Millisecond), LastHurt: after(2500 * time.Millisecond), LastAsked: after(3 * time.Second)},
				{Seq: 7, Gateway: "b", At: after(1200 * time.Millisecond), LastHurt: after(900 * time.Millisecond)},
			},
		},
		{
			name: "no user was hurt", evidence: decided, seconds: 1.2, summary: "recovered in 1.2s",
			said: []evidence.Enforcement{{Seq: 7, Gateway: "a", At: after(1200 * time.Millisecond), LastAsked: after(1150 * time.Millisecond)}},
		},
		{
			name: "a person decided", seconds: 0.02, summary: "in force after 20ms",
			said: []evidence.Enforcement{{Seq: 7, Gateway: "a", At: after(1020 * time.Millisecond)}},
		},
		{
			name: "the gateways' clocks differ", evidence: decided, seconds: 0, summary: "recovered in 0s",
			said: []evidence.Enforcement{{Seq: 7, Gateway: "a", At: after(-time.Second)}},
		},
		{
			name: "a gateway has started since", evidence: decided, seconds: 1, summary: "recovered in 1s",
			said: []evidence.Enforcement{{Seq: 7, Gateway: "a", At: after(time.Hour), Started: true}},
		},
	} {
		e := migrations.Event{Seq: 7, Time: after(time.Second), Migration: "orders", Kind: migrations.RolledBack, Evidence: c.evidence}
		r := recoveryOf(e, e, c.said, after(10*time.Second))
		switch {
		case r == nil && c.summary == "":
		case r == nil || r.Seconds != c.seconds || r.Summary() != c.summary:
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	if r := recoveryOf(migrations.Event{Seq: 7, Kind: migrations.Held}, migrations.Event{}, []evidence.Enforcement{{Seq: 7}}, at); r != nil {
		t.Errorf("of a hold: %+v", r)
	}
}

// While a rollback stands, the gateways are named that have not said that it is
// in force (law 14). Of one that was overtaken nobody needs to say so.
func TestGatewaysThatHaveNotSaidSoAreNamed(t *testing.T) {
	var seq uint64
	silent := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	g := start(t, func(d *Deps) {
		d.Gateways = func() []Gateway { return []Gateway{{Name: "a", Here: true}, {Name: "b"}, {Name: "c", Silent: silent}} }
		d.Counts = func(string) evidence.Counts {
			return evidence.Counts{Enforced: []evidence.Enforcement{{Seq: seq, Gateway: "a", At: time.Now()}}}
		}
	})
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live)})
	seq = g.append(migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ada"})
	path := fmt.Sprintf("/api/history/%d", seq)
	for _, r := range []*Recovery{
		got[Decision](t, g.get(path+"/explain"), http.StatusOK).Recovery,
		got[Event](t, g.get(path), http.StatusOK).Recovery,
		got[History](t, g.get("/api/history"), http.StatusOK).Events[0].Recovery,
	} {
		if r == nil || len(r.InForce) != 1 || len(r.Missing) != 2 || r.Missing[0] != (Missing{Gateway: "b"}) || r.Missing[1].Gateway != "c" || !r.Missing[1].Silent.Equal(silent) {
			t.Fatalf("%+v", r)
		}
		contains(t, r.Summary(), "not known to be in force at b, c")
	}
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live)})
	if r := got[Event](t, g.get(path), http.StatusOK).Recovery; r == nil || r.Missing != nil {
		t.Errorf("%+v", r)
	}
}

// The end of a way back in parts is measured from the first bad request, which
// stands in the event that began it.
func TestAWayBackInPartsIsMeasuredFromItsBeginning(t *testing.T) {
	first := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	var said []evidence.Enforcement
	g := start(t, func(d *Deps) { d.Counts = func(string) evidence.Counts { return evidence.Counts{Enforced: said} } })
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live)})
	began := g.append(migrations.Event{Migration: "orders", Kind: migrations.Returning, Split: migrations.All(migrations.Off), Evidence: &migrations.Evidence{FirstBad: first, At: first.Add(time.Second)}})
	last := g.append(migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Because: began})
	said = []evidence.Enforcement{{Seq: began, Gateway: "a", At: first.Add(2 * time.Second)}, {Seq: last, Gateway: "a", At: first.Add(30 * time.Second)}}
	for _, r := range []*Recovery{
		got[Decision](t, g.get(fmt.Sprintf("/api/history/%d/explain", last)), http.StatusOK).Recovery,
		got[Event](t, g.get(fmt.Sprintf("/api/history/%d", last)), http.StatusOK).Recovery,
		got[History](t, g.get("/api/history"), http.StatusOK).Events[0].Recovery,
	} {
		if r == nil || r.FirstBad == nil || !r.FirstBad.Equal(first) || r.Seconds != 30 || !r.InForce[0].At.Equal(first.Add(30*time.Second)) {
			t.Errorf("%+v", r)
		}
	}
}
