package app

import (
	"cmp"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway/notify"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// measures are what ramps and guards are measured by. All metrics of one scrape
// come from one look.
type measures struct {
	mu   sync.Mutex // guards look
	look look

	decided decided
}

// A look is where the migrations of the config stood at one moment.
type look struct {
	at   time.Time
	rows []measured
}

// A measured is one migration of a look.
type measured struct {
	id     string
	plan   migrations.Plan
	state  migrations.Migration
	frozen bool
	counts evidence.Counts
	cells  []migrations.Weighing
	waits  []migrations.Reason
}

// lookFor is how long a look serves.
const lookFor = 500 * time.Millisecond

func (p *Process) looked() look {
	m := &p.measures
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.look.at) < lookFor {
		return m.look
	}
	s := p.follower.State()
	next := look{at: now}
	for _, id := range s.IDs() {
		plan := p.source.Table().Plans[id]
		if plan == nil {
			continue
		}
		counts := p.counts(id)
		next.rows = append(next.rows, measured{
			id: id, plan: *plan, state: s.Migrations[id], frozen: s.Frozen != "" || s.Migrations[id].Frozen != "", counts: counts,
			cells: migrations.Weigh(s, *plan, counts, now), waits: migrations.Waiting(s, *plan, counts, now),
		})
	}
	m.look = next
	return next
}

// A decided counts what the gateways have decided by themselves, as this one
// has read it.
type decided struct {
	mu     sync.Mutex // guards counts
	counts map[decision]uint64
}

type decision struct {
	migration string
	kind      migrations.Kind
	cause     migrations.Cause
}

// see counts an event that was applied.
func (d *decided) see(e migrations.Event) {
	switch e.Kind {
	case migrations.Created, migrations.Renamed, migrations.Retired, migrations.Planned, migrations.Restored, migrations.Flagged:
		return // facts, not decisions
	}
	if e.Actor != "ficus" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts == nil {
		d.counts = make(map[decision]uint64)
	}
	d.counts[decision{e.Migration, e.Kind, e.Cause}]++
}

func (d *decided) each(emit func(decision, uint64)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for what, n := range d.counts {
		emit(what, n)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// measure registers the metrics of ramps and guards.
func (p *Process) measure(m *telemetry.Metrics) {
	migration, cell := []string{"migration"}, []string{"migration", "cell"}
	each := func(read func(r measured, emit func(float64, ...string))) func(func(float64, ...string)) {
		return func(emit func(float64, ...string)) {
			for _, r := range p.looked().rows {
				read(r, emit)
			}
		}
	}
	cells := func(read func(r measured, w migrations.Weighing, emit func(float64, ...string))) func(func(float64, ...string)) {
		return each(func(r measured, emit func(float64, ...string)) {
			for _, w := range r.cells {
				read(r, w, emit)
			}
		})
	}
	p.measureGuard(m, cells)
	m.Gauges("ficus_ramp_step", "Step that the ramp stands at, from 1; 0 before the first.", cell, cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
		emit(float64(w.Course.Step), r.id, w.Cell)
	}))
	m.Gauges("ficus_ramp_steps", "Steps of the ramp.", migration, each(func(r measured, emit func(float64, ...string)) {
		emit(float64(len(r.plan.Steps)), r.id)
	}))
	m.Gauges("ficus_ramp_state", "1 for what the ramp does: idle, running, held, returning or rolledback; cause is why, person if a person did it.", []string{"migration", "cell", "state", "cause"}, cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
		state, cause := rampState(w.Course)
		emit(1, r.id, w.Cell, state, cause)
	}))
	m.Gauges("ficus_ramp_frozen", "Whether a person has frozen the ramp, or all.", migration, each(func(r measured, emit func(float64, ...string)) {
		emit(truth(r.frozen), r.id)
	}))
	m.Gauges("ficus_ramp_waits", "1 for each thing that the migration waits for before it moves on.", []string{"migration", "cell", "for"}, each(func(r measured, emit func(float64, ...string)) {
		seen := map[string]bool{}
		for _, w := range r.waits {
			if key := w.Cell + "\x00" + string(w.For); !seen[key] {
				seen[key] = true
				emit(1, r.id, w.Cell, string(w.For))
			}
		}
	}))
	m.Gauges("ficus_error_budget_burns", "Whether a side uses up the error budget of its routes so fast that ramps hold.", []string{"migration", "side"}, each(func(r measured, emit func(float64, ...string)) {
		blaze := r.counts.Burn.Judge(cmp.Or(r.plan.Guard.Objective, evidence.Objective), time.Now(), !r.plan.Guard.OneNetwork && r.counts.Several(time.Now()))
		emit(truth(blaze == evidence.LegacyHot || blaze == evidence.BothHot), r.id, "legacy")
		emit(truth(blaze == evidence.ModernHot || blaze == evidence.BothHot), r.id, "modern")
	}))
	m.Gauges("ficus_data_lag_known", "Whether it is known by how much the data of a synced migration lags behind.", migration, each(func(r measured, emit func(float64, ...string)) {
		if r.plan.Synced != nil {
			emit(truth(r.counts.Lag.Known), r.id)
		}
	}))
	m.Gauges("ficus_data_lag_seconds", "By how much the data of a synced migration lags behind, where it is known.", migration, each(func(r measured, emit func(float64, ...string)) {
		if r.plan.Synced != nil && r.counts.Lag.Known {
			emit(r.counts.Lag.Behind.Seconds(), r.id)
		}
	}))
	m.Gauges("ficus_data_lag_limit_seconds", "The lag that can be borne.", migration, each(func(r measured, emit func(float64, ...string)) {
		if r.plan.Synced != nil {
			emit(r.plan.Synced.MaxLag.Seconds(), r.id)
		}
	}))
	m.Gauges("ficus_service_in_use", "Share of the service's connections in use, at its greatest of late; 0 where max_conns is not set.", migration, each(func(r measured, emit func(float64, ...string)) {
		emit(r.counts.Load, r.id)
	}))
	m.Counters("ficus_decisions_total", "What the gateways have decided by themselves, by kind of event and cause, as this one has read it.", []string{"migration", "kind", "cause"}, func(emit func(float64, ...string)) {
		p.measures.decided.each(func(d decision, n uint64) { emit(float64(n), d.migration, string(d.kind), string(d.cause)) })
	})
	m.Counters("ficus_hook_messages_total", "Attempts to tell a hook, by what became of them.", []string{"hook", "result"}, func(emit func(float64, ...string)) {
		p.teller.Counts(func(hook string, counts notify.Counts) {
			for i, n := range counts {
				emit(float64(n), hook, notify.Results[i])
			}
		})
	})
}

// measureGuard registers what the guards weigh.
func (p *Process) measureGuard(m *telemetry.Metrics, cells func(func(measured, migrations.Weighing, func(float64, ...string))) func(func(float64, ...string))) {
	metric := []string{"migration", "cell", "metric"}
	records := func(read func(r evidence.Record) float64) func(func(float64, ...string)) {
		return cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
			for _, record := range w.Records {
				emit(read(record), r.id, w.Cell, string(record.Metric))
			}
		})
	}
	m.Gauges("ficus_guard_evidence", "E: how strongly the present test speaks against the service.", metric, records(func(r evidence.Record) float64 { return r.E }))
	m.Gauges("ficus_guard_threshold", "The evidence at which the service is rolled back.", metric, records(func(r evidence.Record) float64 { return r.Threshold }))
	m.Gauges("ficus_guard_bad", "People with a bad event in the present test, by side.", append(metric, "side"), cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
		for _, record := range w.Records {
			var service, legacy uint64
			for _, s := range record.Epochs {
				service, legacy = service+s.Service, legacy+s.Legacy
			}
			emit(float64(legacy), r.id, w.Cell, string(record.Metric), "legacy")
			emit(float64(service), r.id, w.Cell, string(record.Metric), "modern")
		}
	}))
	m.Gauges("ficus_guard_requests", "Requests in the present test, by side.", []string{"migration", "cell", "side"}, cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
		for _, side := range []evidence.Side{evidence.Legacy, evidence.Modern} {
			emit(float64(w.Counts.Requests()[side]), r.id, w.Cell, side.String())
		}
	}))
	m.Gauges("ficus_guard_harm", "Requests that failed for the user in the present test, fallback and all.", []string{"migration", "cell"}, cells(func(r measured, w migrations.Weighing, emit func(float64, ...string)) {
		emit(float64(w.Counts.Harm), r.id, w.Cell)
	}))
	m.Gauges("ficus_guard_stale", "Whether a gateway decides by its own counts, since those of the others are not fresh.", []string{"migration"}, func(emit func(float64, ...string)) {
		l := p.looked()
		for _, r := range l.rows {
			emit(truth(r.counts.Own || evidence.IsStale(r.counts.At, l.at)), r.id)
		}
	})
	m.Counters("ficus_guard_tests_total", "Tests ever begun, retries and cells counted.", []string{"migration"}, func(emit func(float64, ...string)) {
		for _, r := range p.looked().rows {
			emit(float64(r.state.Tests), r.id)
		}
	})
	m.Gauges("ficus_guard_false_alarm", "Chance that a service as good as the monolith is ever rolled back.", []string{"migration"}, func(emit func(float64, ...string)) {
		for _, r := range p.looked().rows {
			emit(r.plan.Guard.FalseAlarm, r.id)
		}
	})
	m.Gauges("ficus_guard_false_alarm_spent", "What the tests so far may have spent of it.", []string{"migration"}, func(emit func(float64, ...string)) {
		for _, r := range p.looked().rows {
			emit(evidence.Spent(r.plan.Guard.FalseAlarm, r.state.Tests), r.id)
		}
	})
	m.Counters("ficus_guard_lost_total", "Outcomes of requests that found no room to be counted.", []string{"migration"}, func(emit func(float64, ...string)) {
		for _, r := range p.looked().rows {
			emit(float64(p.gateway.Lost(r.id)), r.id)
		}
	})
}

// rampState names what a ramp does, and why.
func rampState(c migrations.Course) (state, cause string) {
	cause = cmp.Or(string(c.Cause), "person")
	switch {
	case c.Return != nil:
		return "returning", cause
	case c.RolledBack:
		return "rolledback", cause
	case c.Ramp == migrations.RampHeld:
		return "held", cause
	}
	return string(c.Ramp), ""
}
