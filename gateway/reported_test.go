package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

const watched = `, guard: {metrics: [{name: lost_orders, reported: keys}, {name: calls, reported: sides, every: 1s}, {name: other, reported: keys}]}`

func TestParseOutcome(t *testing.T) {
	for _, c := range []struct {
		item, metric string
		bad          bool
	}{
		{"bad; metric=lost_order", "lost_order", true},
		{" BAD;metric=lost_order ", "lost_order", true},
		{`bad; reason=timeout; Metric="lost_order"`, "lost_order", true},
		{"good; metric=lost_order", "lost_order", false},
		{"bad", "", true},
		{"bad; metric", "", true},
		{"terrible; metric=lost_order", "", false},
		{"", "", false},
		{"metric=lost_order; bad", "", false},
	} {
		t.Run(c.item, func(t *testing.T) {
			if metric, bad := parseOutcome(c.item); metric != c.metric || bad != c.bad {
				t.Errorf("%q, %v", metric, bad)
			}
		})
	}
}

// An upstream says in its answer what became of the request. It counts for the
// person and the side, once, and the client sees nothing of it.
func TestTheOutcomeFieldIsCountedAndStripped(t *testing.T) {
	r := ramp(t, watched, "", nil)
	for _, c := range []struct {
		side migrations.Side
		want evidence.Sides
	}{{migrations.Modern, evidence.Sides{0, 1}}, {migrations.Legacy, evidence.Sides{1, 1}}} {
		for range 3 {
			req, err := http.NewRequest("GET", r.url+"/api/orders/lost", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-User", r.on(c.side, 1))
			res, err := browser(t, "h1", nil).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			for name := range res.Header {
				if strings.HasPrefix(name, "Ficus-") {
					t.Errorf("the client is told %s: %s", name, res.Header[name])
				}
			}
		}
		for r.gateway.InFlight() > 0 {
			time.Sleep(time.Millisecond)
		}
		cell := r.gateway.Evidence("orders").Cells[""]
		if got := cell.Bad["app:lost_orders"].Total(); got != c.want {
			t.Errorf("%v people, want %v", got, c.want)
		}
		if len(cell.Bad) != 1 {
			t.Errorf("metrics that are not watched, or went well, are counted: %v", cell.Bad)
		}
	}
}

func TestTheOutcomeFieldOfNobodyInTheTest(t *testing.T) {
	r := ramp(t, watched+`, cohorts: [{name: staff, when: {header: X-Staff}, stage: live}]`, "", nil)
	r.ask("GET", "lost", "")
	r.ask("GET", "lost", r.on(migrations.Modern, 1), "X-Staff", "1")
	if cell := r.gateway.Evidence("orders").Cells[""]; len(cell.Bad) > 0 {
		t.Errorf("%v", cell.Bad)
	}
}

func TestOutcomesAreCountedOnce(t *testing.T) {
	r := ramp(t, watched, "", nil)
	now := time.Now()
	report := func(o ...Outcome) Reported {
		t.Helper()
		out, err := r.gateway.Report(t.Context(), o, now)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	lost := func(id, key string) Outcome {
		return Outcome{ID: id, Migration: "orders", Metric: "lost_orders", Key: key, Bad: 1, Total: 1}
	}
	modern, legacy := r.on(migrations.Modern, 1), r.on(migrations.Legacy, 1)
	kept := lost("5", modern)
	kept.Side = "legacy" // where a journey kept them, says the application
	late, fine := lost("6", legacy), lost("7", legacy)
	late.At, fine.Bad = now.Add(-time.Hour), 0
	if got, want := report(lost("1", modern), lost("1", modern), lost("2", modern), lost("3", legacy), kept, late, fine), (Reported{Counted: 4, Repeated: 1, Late: 1, Outside: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := report(lost("1", modern), lost("3", legacy)); got != (Reported{Repeated: 2}) {
		t.Errorf("sent again: %+v", got)
	}
	if got := r.gateway.Evidence("orders").Cells[""].Bad["app:lost_orders"].Total(); got != (evidence.Sides{1, 1}) {
		t.Errorf("%v people", got)
	}
	r.ask("GET", "lost", modern) // the same person, by another way
	if got := r.gateway.Evidence("orders").Cells[""].Bad["app:lost_orders"].Total(); got != (evidence.Sides{1, 1}) {
		t.Errorf("%v people after the field said the same", got)
	}
}

func TestOutcomesBySide(t *testing.T) {
	r := ramp(t, watched, "", nil)
	now := time.UnixMilli(1_000_500)
	calls := func(id, side string, bad, total uint64) Outcome {
		return Outcome{ID: id, Migration: "orders", Metric: "calls", Side: side, Bad: bad, Total: total}
	}
	for i, at := range []time.Time{now, now.Add(time.Second), now.Add(time.Second)} {
		if _, err := r.gateway.Report(t.Context(), []Outcome{
			calls(fmt.Sprint("a", i), "legacy", 1, 10), calls(fmt.Sprint("b", i), "modern", 2, 20), calls(fmt.Sprint("c", i), "outside", 9, 90),
		}, at); err != nil {
			t.Fatal(err)
		}
	}
	got := r.gateway.Evidence("orders").Reported["app:calls"]
	want := evidence.Interval{At: 1001, Bad: evidence.Sides{2, 4}, Total: evidence.Sides{20, 40}}
	if got == nil || len(got.Slots) != 1 || got.Slots[0] != want { // the slot in which the first came lies in the test in part
		t.Fatalf("%+v, want %+v", got, want)
	}
	again := ramp(t, watched, "", nil)
	again.gateway.Restore("orders", evidence.Counts{Reported: map[evidence.Metric]*evidence.Intervals{"app:calls": got}})
	if got := again.gateway.Evidence("orders").Reported["app:calls"]; len(got.Slots) != 1 || got.Slots[0] != want {
		t.Errorf("after a restart: %+v", got)
	}
	state := r.gateway.Snapshot().State
	m := state.Migrations["orders"]
	m.Test = 9
	r.gateway.Apply(migrations.State{Seq: 9, Migrations: map[string]migrations.Migration{"orders": m}})
	if got := r.gateway.Evidence("orders").Reported; len(got) > 0 {
		t.Errorf("the next test begins with %+v", got)
	}
}

func TestOutcomesThatMakeNoSense(t *testing.T) {
	r := ramp(t, watched, "", nil)
	now := time.Now()
	good := Outcome{ID: "1", Migration: "orders", Metric: "lost_orders", Key: "alice", Bad: 1, Total: 1}
	for _, c := range []struct {
		name, field string
		edit        func(*Outcome)
	}{
		{"no id", "id", func(o *Outcome) { o.ID = "" }},
		{"a long id", "id", func(o *Outcome) { o.ID = strings.Repeat("x", longestID+1) }},
		{"another migration", "migration", func(o *Outcome) { o.Migration = "carts" }},
		{"another metric", "metric", func(o *Outcome) { o.Metric = "lost_carts" }},
		{"more bad than all", "bad", func(o *Outcome) { o.Bad = 2 }},
		{"too many", "total", func(o *Outcome) { o.Total = mostOutcomes + 1 }},
		{"tomorrow", "at", func(o *Outcome) { o.At = now.Add(24 * time.Hour) }},
		{"nobody", "key", func(o *Outcome) { o.Key = "" }},
		{"a key where sides are told", "key", func(o *Outcome) { o.Metric = "calls" }},
		{"a long key", "key", func(o *Outcome) { o.Key = strings.Repeat("x", longestKey+1) }},
		{"no side", "side", func(o *Outcome) { o.Metric, o.Key = "calls", "" }},
		{"no such side", "side", func(o *Outcome) { o.Side = "left" }},
		{"no such cell", "cell", func(o *Outcome) { o.Cell = "eu" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := good
			c.edit(&bad)
			_, err := r.gateway.Report(t.Context(), []Outcome{good, bad}, now)
			var wrong *OutcomeError
			if !errors.As(err, &wrong) || wrong.Index != 1 || wrong.Field != c.field {
				t.Errorf("%v", err)
			}
		})
	}
	if got, err := r.gateway.Report(t.Context(), []Outcome{good}, now); err != nil || got != (Reported{Counted: 1}) {
		t.Errorf("what was refused with others has counted: %+v %v", got, err)
	}
}

func TestOutcomesOfCells(t *testing.T) {
	r := ramp(t, `, guard: {metrics: [{name: lost_orders, reported: keys}]}, cells: [{name: eu, when: {header: X-Region, is: eu}}]`, "", nil)
	for cell, want := range map[string]string{"": "cell", "us": "cell", "eu": "", "rest": ""} {
		_, err := r.gateway.Report(t.Context(), []Outcome{{ID: "id " + cell, Migration: "orders", Metric: "lost_orders", Cell: cell, Key: "alice", Total: 1}}, time.Now())
		var wrong *OutcomeError
		if errors.As(err, &wrong) != (want != "") || wrong != nil && wrong.Field != want {
			t.Errorf("cell %q: %v", cell, err)
		}
	}
}

func TestIDsAreForgotten(t *testing.T) {
	var o outcomes
	now := time.Now()
	if !o.first("orders", "1", now) || o.first("orders", "1", now) || !o.first("carts", "1", now) {
		t.Error("an id is not known, or that of another migration")
	}
	for i := range outcomeIDs {
		o.first("orders", fmt.Sprint("n", i), now)
	}
	if len(o.known) > outcomeIDs {
		t.Errorf("%d ids are known", len(o.known))
	}
	if !o.first("orders", "1", now) {
		t.Error("the oldest is still known")
	}
	if !o.first("orders", "1", now.Add(outcomeLate+time.Second)) {
		t.Error("it is known for ever")
	}
}

// BenchmarkOutcomeField is what an answer without the field costs.
func BenchmarkOutcomeField(b *testing.B) {
	rec, h := &record{cell: &cell{}}, http.Header{"Content-Type": {"text/html"}}
	b.ReportAllocs()
	for b.Loop() {
		rec.outcomeField(h)
	}
}
