package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// An Outcome is what an application says of a metric of its own: that it went
// well or badly for one person, whose side the gateway knows by the same hash
// as for a request; or, of people that it does not know, how many by side.
type Outcome struct {
	ID        string // by which what is sent again counts once; required
	Migration string
	Metric    string // as the plan names it
	Cell      string // required with a key where the migration has cells
	Key       string // targeting key, which is never kept; empty: numbers by side
	Side      string // what Ficus-Side said of the request: legacy, modern, outside or shadow; optional with a key
	Bad       uint64
	Total     uint64    // the bad included
	At        time.Time // when it happened; zero: now
}

// Reported is what became of outcomes. They add up to those that were sent.
type Reported struct {
	Counted  int // in the present test
	Repeated int // ids that were known
	Late     int // of before the present split, or too long ago
	Outside  int // of people who are in no test, such as those placed by a rule, or while none runs
}

// An OutcomeError says what is wrong with one of several outcomes. None of them
// was counted.
type OutcomeError struct {
	Index int
	Field string // as the API has it
	Text  string
}

// Error names the outcome by its place.
func (e *OutcomeError) Error() string {
	return fmt.Sprintf("outcomes[%d].%s: %s", e.Index, e.Field, e.Text)
}

// The time within which an outcome counts.
const (
	outcomeLate  = 10 * time.Minute // after it; ids are known for as long, unless there are too many
	outcomeEarly = time.Minute      // before it, by clocks that differ
	longestID    = 100              // bytes
	longestKey   = 1 << 10
	mostOutcomes = 1 << 32 // of one report of numbers
)

// Report counts what an application says, all of it or nothing.
func (g *Gateway) Report(ctx context.Context, all []Outcome, now time.Time) (Reported, error) {
	snap := g.snapshot.Load()
	told := make([]report, len(all))
	for i := range all {
		var wrong *OutcomeError
		if told[i], wrong = snap.report(&all[i], now); wrong != nil {
			wrong.Index = i
			return Reported{}, wrong
		}
	}
	var out Reported
	for i := range told {
		switch r := &told[i]; {
		case !g.books.outcomes.first(r.Migration, r.ID, now):
			out.Repeated++
		case now.Sub(r.At) > outcomeLate:
			out.Late++
		case r.cell.test == 0 || r.Side == toldOutside || r.Side == toldShadow:
			out.Outside++
		case r.Key == "":
			r.cell.book.reports.add(r.cell, r.metric, evidence.Interval{
				Bad: evidence.Sides{evidence.Legacy: r.bad(toldLegacy), evidence.Modern: r.bad(toldModern)}, Total: evidence.Sides{evidence.Legacy: r.total(toldLegacy), evidence.Modern: r.total(toldModern)},
			}, now)
			out.Counted++
		case r.cell.state == nil || r.At.Before(r.cell.state.Since):
			out.Late++
		default:
			if g.reportKey(ctx, r) {
				out.Counted++
			} else {
				out.Outside++
			}
		}
	}
	return out, nil
}

// The sides, as the field Ficus-Side says them to upstreams and as the
// application tells them.
const (
	toldLegacy  = "legacy"
	toldModern  = "modern"
	toldOutside = "outside" // in no test: placed by a rule, without a key, or kept by a journey
	toldShadow  = "shadow"  // a copy, for comparison
)

// A report is an outcome that has been understood.
type report struct {
	*Outcome
	plan   *migrations.Plan
	cell   *cell
	metric migrations.GuardMetric
}

func (r *report) bad(side string) uint64 {
	if r.Side != side {
		return 0
	}
	return r.Bad
}

func (r *report) total(side string) uint64 {
	if r.Side != side {
		return 0
	}
	return r.Total
}

// report finds what an outcome speaks of.
func (s *Snapshot) report(o *Outcome, now time.Time) (report, *OutcomeError) {
	wrong := func(field, format string, args ...any) (report, *OutcomeError) {
		return report{}, &OutcomeError{Field: field, Text: fmt.Sprintf(format, args...)}
	}
	at := slices.IndexFunc(s.plan.migrations, func(p *migrations.Plan) bool { return p.ID == o.Migration })
	if at < 0 {
		return wrong("migration", "there is no migration %.100q", o.Migration)
	}
	plan := s.plan.migrations[at]
	metric, ok := plan.Guard.Metric(o.Metric)
	if o.At.IsZero() {
		o.At = now
	}
	switch {
	case o.ID == "" || len(o.ID) > longestID:
		return wrong("id", "give each outcome an id of its own, of %d bytes at most: what is sent again with the same id counts once", longestID)
	case !ok:
		return wrong("metric", "the guard of %s watches no metric %.100q; declare it below guard.metrics with reported: keys or sides", o.Migration, o.Metric)
	case metric.Prometheus != nil:
		return wrong("metric", "%s is asked of Prometheus, and not told", o.Metric)
	case o.Bad > o.Total:
		return wrong("bad", "there are more bad ones than there are: total counts the bad ones as well")
	case o.Total > mostOutcomes:
		return wrong("total", "is no number of one interval")
	case o.At.Sub(now) > outcomeEarly:
		return wrong("at", "lies in the future")
	case metric.By == migrations.ByKeys && o.Key == "":
		return wrong("key", "%s is told of people, each by the targeting key that the gateway knows them by (reported: keys)", o.Metric)
	case metric.By == migrations.BySides && o.Key != "":
		return wrong("key", "%s is told by side, without keys (reported: sides)", o.Metric)
	case len(o.Key) > longestKey:
		return wrong("key", "is longer than %d bytes", longestKey)
	case (o.Key == "" || o.Side != "") && !slices.Contains([]string{toldLegacy, toldModern, toldOutside, toldShadow}, o.Side):
		return wrong("side", "is legacy, modern, outside or shadow, as the field Ficus-Side of the request said")
	}
	out := report{Outcome: o, plan: plan, metric: metric}
	cells := s.standings[at].cells
	switch i := slices.IndexFunc(plan.Cells, func(c migrations.Cell) bool { return c.Name == o.Cell }); {
	case len(plan.Cells) == 0 && o.Cell != "":
		return wrong("cell", "%s has no cells", o.Migration)
	case i >= 0:
		out.cell = &cells[i]
	case len(plan.Cells) > 0 && o.Cell != migrations.Rest:
		return wrong("cell", "%s has cells: say in which one it happened", o.Migration)
	default:
		out.cell = &cells[len(cells)-1]
	}
	return out, nil
}

// reportKey counts what happened to one person on the side that a request of
// theirs would have met, and reports whether they are in the test.
func (g *Gateway) reportKey(ctx context.Context, r *report) bool {
	none := &http.Request{Method: http.MethodGet, Header: http.Header{}}
	a := g.assigner.Assign(ctx, &flags.Input{Plan: r.plan, State: r.cell.state, Request: none, Safe: true, Given: &r.Key, Facts: map[string]any{}})
	side := r.plan.Place(a.Stage, true)
	if !a.Placed || r.cell.trips(a.Stage) || r.Side != "" && r.Side != sideOf(side).String() {
		return false
	}
	r.cell.book.outcome(r.cell, evidence.Key(a.KeyHash), r.Metric, r.Bad > 0, sideOf(side))
	return true
}

func sideOf(side migrations.Side) evidence.Side {
	if side == migrations.Modern {
		return evidence.Modern
	}
	return evidence.Legacy
}

// outcome counts what the application says has become of a person whose hash
// placed them on a side. What went well is known by its absence.
func (b *book) outcome(c *cell, key evidence.Key, metric string, bad bool, side evidence.Side) {
	if !bad || key == 0 {
		return
	}
	f := reported
	if side == evidence.Modern {
		f |= onModern
	}
	b.ledger.write(&line{cell: c, key: key, at: time.Now().UnixNano(), facts: f, metric: evidence.App(metric)})
}

// every returns the width of the intervals of a metric.
func every(m migrations.GuardMetric) time.Duration { return cmp.Or(m.Every, 15*time.Second) }
