package migrations

import (
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// gateway is the actor of what is decided by itself.
const gateway = "ficus"

// settle is how long the cause of a hold must be gone before the ramp goes on
// by itself.
const settle = time.Minute

// Decide returns what should happen to the migration of p, as events to be
// appended after s.LastSeq(p.ID): a way back, a hold, a step forward, or
// nothing. It is pure. now is the log's clock; a time before that of s counts
// as that.
//
// Going back comes first, and nothing that makes a ramp wait is asked: no
// freeze, no limit, no approval, no plan that differs. Going forward needs
// every condition of [Waiting] to be met. On the state after its events, Decide
// returns no more until counts or time say something new.
//
// What nobody counted is no evidence: of counts that lack a cell, or have an
// older test of it, nothing is concluded.
func Decide(s State, p Plan, counts evidence.Counts, now time.Time) []Event {
	var events []Event
	for _, v := range views(s, p, counts, now) {
		if e, ok := v.decide(); ok {
			e.Migration, e.Actor, e.Plan, e.Cell = p.ID, gateway, p.Hash(), v.eventCell()
			events = append(events, e)
		}
	}
	return events
}

// A view is one cell of a migration, and all that is known of it.
type view struct {
	state  State
	plan   Plan
	m      Migration
	counts evidence.Counts
	now    time.Time
	name   string // of the cell
	course Course
	cell   *evidence.Cell // of the present test; empty if nobody counted
	known  bool           // somebody counted
}

// views returns a view for each cell, in the order in which they advance.
func views(s State, p Plan, counts evidence.Counts, now time.Time) []view {
	m, ok := s.Migrations[p.ID]
	if !ok || m.Retired || p.Retired {
		return nil
	}
	if now.Before(s.Time) {
		now = s.Time
	}
	var out []view
	for _, name := range order(m, p) {
		v := view{state: s, plan: p, m: m, counts: counts, now: now, name: name, course: m.Course(name)}
		v.cell = &evidence.Cell{Test: v.course.Test}
		if c := counts.Cells[v.eventCell()]; c != nil {
			v.cell.Streaks = c.Streaks
			if v.known = c.Test == v.course.Test && c.Test != 0; v.known {
				v.cell = c
			}
		}
		out = append(out, v)
	}
	return out
}

// order returns the names of the cells of m as p orders them, [Rest] last.
func order(m Migration, p Plan) []string {
	names := make([]string, 0, len(m.Cells)+1)
	for _, c := range p.Cells {
		if _, ok := m.Cells[c.Name]; ok {
			names = append(names, c.Name)
		}
	}
	for _, name := range m.CellNames() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// eventCell is what an event about this view calls the cell.
func (v view) eventCell() string {
	if len(v.m.Cells) == 0 {
		return ""
	}
	return v.name
}

func (v view) decide() (Event, bool) {
	tries := []func() (Event, bool){v.goBack, v.comeBack, v.renew, v.hold, v.begin, v.step}
	if v.m.Outside != nil { // forward it goes by its flag alone
		tries = []func() (Event, bool){v.goBack, v.comeBack, v.renew, v.begin}
	}
	for _, try := range tries {
		if e, ok := try(); ok {
			return e, true
		}
	}
	return Event{}, false
}

// renew ends a test that has counted all it can, or in which the monolith has
// failed and recovered.
func (v view) renew() (Event, bool) {
	switch {
	case !v.known || v.counts.Own || v.course.Completed():
	case v.cell.Full():
		return v.renewed("the test has counted as many users as it can, and ends undecided; the next one begins"), true
	case v.recovered():
		return v.renewed(v.plan.From + " failed during the test and has recovered; a new test begins"), true
	}
	return Event{}, false
}

func (v view) renewed(reason string) Event {
	e := Event{Kind: Renewed, Reason: reason}
	e.SetTaus(v.taus())
	return e
}

// recovered reports whether the monolith was the worse side in the present test
// and fails no more: what it did then would keep a fault of the service from
// being seen.
func (v view) recovered() bool {
	if _, worse := v.control(); !worse {
		return false
	}
	const few = 20 // requests of which no share is told
	var last evidence.Slot
	minute := v.now.Unix() / 60
	for _, s := range v.counts.Burn[evidence.Legacy].Minutes {
		if s.At == minute-1 || s.At == minute {
			last.Requests, last.Bad = last.Requests+s.Requests, last.Bad+s.Bad
		}
	}
	return last.Requests >= few && last.Bad*100 <= last.Requests
}

// begin lets a ramp run that nobody has to resume: of a new migration whose
// plan says so, after a hold whose cause has passed, and after the cool-down of
// a rollback, if the plan asks for that.
func (v view) begin() (Event, bool) {
	c := v.course
	outside := v.m.Outside != nil
	if c.Ramp == RampRunning || len(v.plan.Steps) == 0 && !outside || len(v.standing()) > 0 {
		return Event{}, false
	}
	e := Event{Kind: Resumed, Step: v.plan.StepAt(c.Split), Retry: c.Retries}
	switch at, retries := v.retry(); {
	case retries && !v.now.Before(at):
		e.Retry++
		e.Reason = "the cool-down after the rollback is over"
	case outside:
		return Event{}, false
	case c.Ramp == RampIdle && v.plan.Auto && !c.PastOff() && !c.RolledBack:
		e.Reason = "its ramp begins by itself"
	case c.Ramp == RampHeld && !c.RolledBack && c.Cause.passes() && v.passed():
		e.Reason = "what held the ramp (" + string(c.Cause) + ") is over"
	default:
		return Event{}, false
	}
	return e, true
}

// retry returns when the ramp begins again by itself after a rollback, and
// whether it does.
func (v view) retry() (time.Time, bool) {
	c, way := v.course, v.plan.Rollback
	if !c.RolledBack || c.Cause == "" || c.Return != nil || way.Retry <= 0 || c.Retries >= max(way.Retries, 1) {
		return time.Time{}, false
	}
	return c.RolledBackAt.Add(way.Retry), true
}

// passed reports whether the cause of the hold is gone, and has been long
// enough.
func (v view) passed() bool {
	if v.now.Before(v.course.Stopped.Add(settle)) || !v.fresh() {
		return false
	}
	return len(v.trouble(v.now.Add(-settle))) == 0
}

// step takes the next step, if nothing is missing.
func (v view) step() (Event, bool) {
	c := v.course
	next := c.Step + 1
	if c.Ramp != RampRunning || next > len(v.plan.Steps) || c.Completed() || len(v.missing()) > 0 {
		return Event{}, false
	}
	content := v.plan.Steps[next-1]
	e := Event{
		Kind: Stepped, Step: next, Steps: len(v.plan.Steps), Content: &content, Split: v.plan.Split(next),
		Reason: "its ramp has begun",
	}
	e.SetTaus(v.taus())
	if c.Step > 0 {
		e.Evidence = v.evidence(v.judge())
		e.Reason = v.merit()
	}
	return e, true
}

// taus returns what slow means from now on.
func (v view) taus() evidence.Taus { return Taus(v.plan, v.counts, v.now) }

// Taus returns what slow means in a test of p that begins now, for each of
// [evidence.Latencies]; 0 where latency is not watched or too little is known:
// then what was known before stands.
func Taus(p Plan, counts evidence.Counts, now time.Time) evidence.Taus {
	if p.Guard.Latency == nil {
		return evidence.Taus{}
	}
	return counts.Taus(now)
}
