package dashboard

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

func TestADecisionIsComputedAgainFromItsEventAlone(t *testing.T) {
	g := start(t, func(d *Deps) { d.Table().Plans["orders"].Guard.FalseAlarm = 0.001 })
	plan := *g.deps.Table().Plans["orders"]
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Planned, Plan: plan.Hash(), Steps: 3})
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Resumed, Step: 1})
	began := g.append(migrations.Event{Migration: "orders", Kind: migrations.Stepped, Step: 2, Steps: 3, Split: plan.Split(2)})
	s := g.follower.State()
	counts := counted(s.Migrations["orders"], evidence.Sides{1, 5})
	counts.Cells[""].Link(evidence.Errors, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")
	plan.Rollback.Return = time.Minute
	events := migrations.Decide(s, plan, counts, time.Now())
	if len(events) != 1 || events[0].Kind != migrations.Returning {
		t.Fatalf("decided %+v", events)
	}
	events[0].Evidence.Config = "0123456789abcdef"
	events[0].Evidence.Where = "only requests with the cookie beta: 5 of 5 users got status 500; 0 of 20 without it"
	events[0].Evidence.Offenders = []migrations.Offender{{Method: "GET", Route: "orders", Endpoint: "/orders/{id}", Status: 500, Upstream: "10.0.0.5:3001", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"}}
	seq := g.append(events...)

	d := got[Decision](t, g.get(fmt.Sprintf("/api/history/%d/explain", seq)), http.StatusOK)
	if !d.Tested || d.Why != "" || d.Faults != nil || d.Event.Seq != seq || !d.Event.Decided || d.Config != "0123456789abcdef" || len(d.Spans) != 1 || d.Load == nil {
		t.Errorf("%+v", d)
	}
	if d.Where != events[0].Evidence.Where || len(d.Offenders) != 1 || d.Offenders[0] != Offender(events[0].Evidence.Offenders[0]) {
		t.Errorf("where %q, offenders %+v", d.Where, d.Offenders)
	}
	r := d.Records[0]
	want := events[0].Evidence.Records[0]
	if r.Metric != evidence.Errors || !r.Same || !r.Trips || r.E != want.E || r.Recomputed != r.E || r.Threshold != want.Threshold || r.Metrics != 2 || r.Test != 1 || r.Alpha != 0.001 {
		t.Errorf("%+v", r)
	}
	if len(r.Epochs) != 1 || r.Epochs[0] != (DecidedEpoch{Epoch: began, W: 0.01, Service: 5, Legacy: 1}) || len(r.Odds) != 8 {
		t.Errorf("%+v", r)
	}
	if e := got[Event](t, g.get(fmt.Sprintf("/api/history/%d", seq)), http.StatusOK); e.Evidence == nil || e.Cause != migrations.CauseTest || e.Until == nil {
		t.Errorf("%+v", e)
	}

	// What follows from it is explained by it.
	last := g.append(migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Cause: migrations.CauseTest, Because: seq, Split: migrations.All(migrations.Off)})
	if d := got[Decision](t, g.get(fmt.Sprintf("/api/history/%d/explain", last)), http.StatusOK); d.Asked != last || d.Event.Seq != seq || !d.Tested {
		t.Errorf("%+v", d)
	}
	// What no test decided says what did.
	if d := got[Decision](t, g.get("/api/history/1/explain"), http.StatusOK); d.Tested || d.Records != nil {
		t.Errorf("%+v", d)
	} else {
		contains(t, d.Why, "no test decided")
	}
	refusedAs(t, g.get("/api/history/99/explain"), http.StatusNotFound, NotFound)
	refusedAs(t, g.get("/api/history/x/explain"), http.StatusBadRequest, BadRequest)
}

func TestADecisionWhoseNumbersContradictEachOtherSaysSo(t *testing.T) {
	g := start(t)
	seq := g.append(migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Cause: migrations.CauseTest, Split: migrations.All(migrations.Off), Evidence: &migrations.Evidence{
		Records: []evidence.Record{{Metric: evidence.Errors, Odds: evidence.Worse(), Epochs: []evidence.Sample{{W: 0.05, Service: 3}}, E: 2494, Threshold: 1000}},
	}})
	d := got[Decision](t, g.get(fmt.Sprintf("/api/history/%d/explain", seq)), http.StatusOK)
	if len(d.Faults) != 1 || d.Records[0].Same || d.Records[0].E != 2494 || d.Records[0].Recomputed == 2494 {
		t.Errorf("%+v", d)
	}
}
