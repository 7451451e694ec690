package app

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// inForce notes a rollback that this gateway has just applied. Where it had
// tripped before, because the log was out of reach, it was in force from then on.
func (p *Process) inForce(e migrations.Event) {
	if !e.Back() {
		return
	}
	now := p.now()
	at := p.trips.since(e)
	if at.IsZero() || at.After(now) {
		at = now
	}
	r := gateway.Rollback{
		Seq: e.Seq, Migration: e.Migration, Cell: e.Cell, Because: e.Because, Decided: decidedAt(e), At: at, Ahead: time.Until(now),
		Partial: e.Kind == migrations.Returning,
	}
	if v := e.Evidence; v != nil {
		r.FirstBad = v.FirstBad
		if strongest, ok := evidence.Strongest(v.Records); ok && strongest.Trips() {
			r.Metric = strongest.Metric
		}
	}
	p.gateway.InForce(r)
}

// decidedAt returns when a rollback was decided: when its counts were read, or,
// of one that a person asked for, when the log took it.
func decidedAt(e migrations.Event) time.Time {
	if e.Evidence != nil && !e.Evidence.At.IsZero() {
		return e.Evidence.At
	}
	return e.Time
}

// forward notes that an event is about to give users to the service.
func (p *Process) forward(e migrations.Event) {
	switch e.Kind {
	case migrations.Shifted, migrations.Stepped, migrations.Skipped, migrations.Resumed, migrations.Restarted, migrations.Flagged:
		p.gateway.Forward(e.Migration, e.Cell)
	}
}

// startedWith notes the rollbacks in the state that this gateway begins with. It
// serves by them from its first request on.
func (p *Process) startedWith(s migrations.State) {
	now := p.now()
	for id, m := range s.Migrations {
		for _, name := range m.CellNames() {
			if c := m.Course(name); c.RolledBack && !m.Retired {
				p.gateway.InForce(gateway.Rollback{Seq: c.Epoch, Migration: id, At: now, Started: true})
			}
		}
	}
}

// company returns the gateways that share the log, this one among them.
func (p *Process) company() []dashboard.Gateway {
	out := []dashboard.Gateway{{Name: cmp.Or(p.name(), "gateway"), Here: true}}
	if p.shared == nil {
		return out
	}
	for _, name := range p.shared.tally.Others() {
		out = append(out, dashboard.Gateway{Name: name})
	}
	for name, since := range p.shared.tally.Silent() {
		out = append(out, dashboard.Gateway{Name: name, Silent: since})
	}
	slices.SortFunc(out, func(a, b dashboard.Gateway) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// since returns when a trip came into force that an event confirms; zero if there
// is none.
func (t *trips) since(e migrations.Event) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.pending {
		if o.Event.Migration == e.Migration && (o.Event.Cell == e.Cell || o.Event.Cell == "") {
			return o.At
		}
	}
	return time.Time{}
}

// recovery shows how users fared by a rollback.
func (c *call) recovery(r dashboard.Recovery) {
	const clock = "15:04:05.000"
	row := func(what string, at time.Time, format string, args ...any) {
		c.printf("  %-18s %s UTC, %s", what, at.UTC().Format(clock), fmt.Sprintf(format, args...))
	}
	c.printf("  time to recovery")
	if r.FirstBad != nil {
		row("first bad request", *r.FirstBad, "of the kind that decided")
		row("decided", r.Decided, "after %s", r.After(r.Decided))
	} else {
		row("decided", r.Decided, "when the first bad request was is not known")
	}
	for _, f := range r.InForce {
		switch {
		case f.Started:
			row("in force", f.At, "at %s, which has started since", f.Gateway)
		default:
			row("in force", f.At, "at %s, %s after the decision", f.Gateway, dashboard.Span(f.Seconds))
		}
	}
	for _, m := range r.Missing {
		if m.Silent != nil {
			c.printf("! %s has not said that it is in force, and nothing is heard of it since %s: see whether it runs", m.Gateway, m.Silent.Format(time.RFC3339))
		} else {
			c.printf("! %s has not said that it is in force", m.Gateway)
		}
	}
	soFar := ""
	if r.Following {
		soFar = ", so far"
	}
	switch {
	case r.LastHurt != nil:
		row("last user hurt", *r.LastHurt, "after %s%s", r.After(*r.LastHurt), soFar)
	case r.LastAsked != nil:
		row("service last asked", *r.LastAsked, "after %s; no user was hurt%s", r.After(*r.LastAsked), soFar)
	default:
		c.printf("  %-18s no user was hurt, and the service was asked no more%s", "afterwards", soFar)
	}
}
