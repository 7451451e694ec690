package dashboard

import (
	"net/http"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// counted is what a gateway has counted of a migration in its present test:
// people on both sides of 1 % live, of whom so many had an error.
func counted(m migrations.Migration, bad evidence.Sides) evidence.Counts {
	c := evidence.NewCell(m.Test, m.Split.Modern())
	for i := range 2000 {
		side := evidence.Legacy
		if i < 100 {
			side = evidence.Modern
		}
		c.Saw(evidence.Key(i), m.Test, side)
		c.Epochs[0].Requests[side]++
		c.Epochs[0].Clean[side]++
	}
	for side := range bad {
		for i := range bad[side] {
			c.Count(evidence.Errors, evidence.Key(uint64(side)*1000+i), m.Test, evidence.Side(side))
			c.Epochs[0].Clean[side]--
			c.Epochs[0].Bad = map[evidence.Metric]evidence.Sides{evidence.Errors: bad}
		}
	}
	counts := evidence.Counts{At: time.Now(), Cells: map[string]*evidence.Cell{"": c}, Plans: []string{m.Plan}}
	for _, at := range []time.Duration{time.Minute, 2 * time.Minute} {
		counts.Burn[evidence.Legacy].Add(time.Now().Add(-at), 1000, 0)
		counts.Burn[evidence.Modern].Add(time.Now().Add(-at), 500, 0)
	}
	return counts
}

func TestStateShowsWhatTheGuardWeighs(t *testing.T) {
	var bad evidence.Sides
	var g *gateway
	g = start(t, func(d *Deps) {
		d.Counts = func(id string) evidence.Counts {
			if id != "orders" {
				return evidence.Counts{At: time.Now()}
			}
			return counted(g.follower.State().Migrations[id], bad)
		}
		d.Table().Plans["orders"].Guard.FalseAlarm = 0.001
	})
	plan := g.deps.Table().Plans["orders"]
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Planned, Plan: plan.Hash(), Steps: 3})
	if m := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK); len(m.Cells) != 1 || m.Cells[0].Test != nil || *m.Cells[0].Resumes != 0 || m.FalseAlarm != 0.001 || m.Spent != 0 {
		t.Errorf("before it begins: %+v", m)
	}
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Resumed, Step: 1})
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Stepped, Step: 2, Steps: 3, Split: plan.Split(2)})
	bad = evidence.Sides{1, 2}
	m := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK)
	if len(m.Cells) != 1 || m.Cells[0].Test == nil || m.Cells[0].Resumes != nil {
		t.Fatalf("%+v", m.Cells)
	}
	test := m.Cells[0].Test
	errors := test.Weights[0]
	if test.Number != 1 || !test.Counted || test.Modern != (SideCounts{Requests: 100, Failed: 2}) || test.Legacy != (SideCounts{Requests: 1900, Failed: 1}) || test.People != 64 || test.Alpha <= 0 || test.Alpha >= 0.001 {
		t.Errorf("%+v", test)
	}
	if errors.Metric != evidence.Errors || errors.Service != 2 || errors.Legacy != 1 || errors.E <= 1 || errors.Trips || errors.Threshold < 1000 {
		t.Errorf("%+v", errors)
	}
	contains(t, errors.Text, "2 of 3 on the service")
	if m.WayBack == nil || m.WayBack.Coming == 0 || m.Tests != 1 {
		t.Errorf("way back %+v after %d tests", m.WayBack, m.Tests)
	}
	waits := map[migrations.Wait]Waiting{}
	for _, w := range m.WaitsFor {
		waits[w.For] = w
	}
	if w := waits[migrations.WaitHold]; w.Until == nil || !w.Until.After(time.Now()) {
		t.Errorf("it waits for %+v", m.WaitsFor)
	}
	if w := waits[migrations.WaitRequests]; w.Have != 98 || w.Need != 300 {
		t.Errorf("it waits for %+v", m.WaitsFor)
	}
	s := got[State](t, g.get("/api/state"), http.StatusOK)
	if s.FalseAlarm != 0.001 || s.Spent <= 0 || s.Spent > 0.001 {
		t.Errorf("false alarms %v, spent %v", s.FalseAlarm, s.Spent)
	}
}

func TestCellsAreShownInTheirOrder(t *testing.T) {
	g := start(t, func(d *Deps) { d.Table().Plans["orders"].Cells = []migrations.Cell{{Name: "us"}, {Name: "eu"}} })
	plan := g.deps.Table().Plans["orders"]
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Planned, Plan: plan.Hash(), Steps: 3, Cells: migrations.Cells{"us": 0, "eu": 0}})
	m := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK)
	if len(m.Cells) != 3 || m.Cells[0].Name != "us" || m.Cells[1].Name != "eu" || m.Cells[2].Name != migrations.Rest {
		t.Errorf("%+v", m.Cells)
	}
	if len(m.WaitsFor) != 3 || m.WaitsFor[0].Cell != "us" {
		t.Errorf("%+v", m.WaitsFor)
	}
}

func TestStepsSayWhatTheGuardWillSee(t *testing.T) {
	var counts evidence.Counts
	for h := range 4 {
		for i := range uint64(5000) {
			counts.Week.Add(time.Now().Add(-time.Duration(h)*time.Hour), evidence.Key(i+1))
		}
	}
	g := start(t, func(d *Deps) {
		d.Counts = func(string) evidence.Counts { return counts }
		d.Table().Plans["orders"].Guard.FalseAlarm = 0.001
	})
	m := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK)
	if m.Usual == nil || m.Usual.Hourly < 4000 || m.Usual.Hourly > 6000 || m.Usual.Weekly != 0 {
		t.Errorf("%+v", m.Usual)
	}
	contains(t, m.Steps[0].Sees, "comparisons only")
	contains(t, m.Steps[1].Sees, "sees errors that rise from 0 % to", "an outage after")
	counts = evidence.Counts{}
	if m := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK); m.Usual != nil || m.Steps[1].Sees != "" {
		t.Errorf("nothing is known, and it says %+v", m.Steps)
	}
}
