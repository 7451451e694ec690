package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// An Explanation says what would become of a request, and why.
type Explanation struct {
	Route    *routes.Route // nil: none matches
	Nearly   []routes.NearMiss
	Decided  *Decision // nil: the route has no migration
	Upstream string    // that would be asked
	Target   string    // the request target that it would see
	Why      []string  // the same in sentences, in the order of the decision
}

// A Decision is what the flag of a migration says to a request.
type Decision struct {
	Migration, Flag string
	Stage           migrations.Stage
	Side            migrations.Side
	Variant, Reason string
	Key             string // where the targeting key was found; empty: keyless
	Bucket          int    // -1: keyless
	Cohort          string
	Cell            string           // empty: the migration has none
	Source          string           // the outside flag provider that was asked; empty: the log decides
	Said            migrations.Stage // what it answered; empty: nothing
	Err             string
}

// Explain decides a request as ServeHTTP would at this moment, without
// sending anything. The request's RemoteAddr is who it comes from.
func (g *Gateway) Explain(r *http.Request) Explanation {
	snap := g.snapshot.Load()
	rec := records.Get().(*record)
	defer rec.recycle()
	rec.snap, rec.Host = snap, r.Host
	rec.peer = peerOf(r, snap.Table.Trusted)
	var x Explanation
	x.Route, x.Nearly = snap.Table.Explain(r)
	if x.Route == nil {
		x.Why = append(x.Why, "no route matches")
		return x
	}
	rt := &snap.plan.routes[x.Route.Index]
	rec.route = rt
	say := func(format string, args ...any) { x.Why = append(x.Why, fmt.Sprintf(format, args...)) }
	say("route %s matches%s", rt.ID, place(rt.At))
	up := rt.upstream
	if rt.plan != nil {
		up = g.decide(rec, r)
		x.Decided = rec.decision()
		x.Decided.explain(say, rt.plan, rec.cell.state, isSafe(r.Method), r.Method)
		rec.explainJourney(say)
		if rec.trips() {
			up = rec.turn()
			x.Decided.Side, x.Decided.Stage, x.Decided.Reason = rec.Side, rec.Stage, rec.Reason
			say("it is tripped: this gateway sends everybody to the monolith until the event log says so, or otherwise")
		}
	}
	x.Upstream = up.Definition().Name
	x.Target = routes.RequestTarget(r)
	if rt.Rewrite != nil {
		var ok bool
		if x.Target, ok = rt.Rewrite.Target(x.Target); !ok {
			say("the rewrite does not fit this path, which goes on as it is")
		}
	}
	say("upstream %s is asked for %s", x.Upstream, x.Target)
	if rt.otherwise != nil {
		say("if it answers a GET with 404, upstream %s is asked", rt.Else)
	}
	return x
}

func place(at routes.Position) string {
	if at.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", at.File, at.Line)
}

func (rec *record) decision() *Decision {
	return &Decision{
		Migration: rec.Migration, Flag: rec.Flag, Stage: rec.Stage, Side: rec.Side, Variant: rec.Variant,
		Reason: rec.Reason, Key: rec.KeySource, Bucket: rec.Bucket, Cohort: rec.Cohort, Cell: rec.cell.name, Err: rec.assignment.Err,
		Source: rec.assignment.Outside, Said: rec.assignment.Said,
	}
}

func (d *Decision) explain(say func(string, ...any), plan *migrations.Plan, state *migrations.Migration, safe bool, method string) {
	if state == nil {
		say("the log does not know migration %s, so it is off", d.Migration)
	} else {
		of := ""
		if d.Cell != "" {
			of = " for cell " + d.Cell
		}
		say("migration %s stands at %s%s (event %d)", d.Migration, state.Split, of, state.Seq)
	}
	switch {
	case d.Said != "":
		d.explainOutside(say, state)
	case d.Err != "":
		say("the flag could not be evaluated: %s; the side that is known to work answers", d.Err)
	case d.Cohort != "":
		say("cohort %s places it at %s", d.Cohort, d.Stage)
	case state != nil && state.RolledBack:
		say("the migration was rolled back, so the stage is %s; cohorts do not count until it is resumed", d.Stage)
	case d.Key == "":
		say("there is no targeting key yet (looked for: %s); people without one are at %s", orNone(plan.KeyString()), d.Stage)
	default:
		say("the key from %s falls into bucket %d of %d, which is at %s", d.Key, d.Bucket, migrations.Buckets, d.Stage)
	}
	switch {
	case safe:
		say("%s is safe; at %s the %s side answers", method, d.Stage, d.Side)
	default:
		say("%s may write, and writes are %q: the %s side answers", method, writesOf(plan), d.Side)
	}
}

func writesOf(p *migrations.Plan) migrations.Writes {
	if p.Writes == "" {
		return migrations.WritesMonolith
	}
	return p.Writes
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return "nothing"
	}
	return s
}
