package gateway

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
)

// A Question asks on which side somebody is who is not here: an application
// asks for the key of a person.
type Question struct {
	Key     string         // targeting key; empty: somebody without one
	Facts   map[string]any // attributes for the rules of an outside provider
	Request *http.Request  // what the conditions of cells and cohorts look at
	Trusted bool           // what is said of cohorts and attributes counts
}

// A Ruling is the answer: the same that a request of that key would get.
type Ruling struct {
	Migration       string
	Stage           migrations.Stage
	Variant, Reason string
	Safe, Unsafe    migrations.Side // who answers requests that read, and others
	Err             string          // why the flag could not be evaluated
}

// Flags lists the keys of the flags of all migrations, sorted.
func (g *Gateway) Flags() []string {
	snap := g.snapshot.Load()
	keys := map[string]bool{}
	for _, p := range snap.plan.migrations {
		keys[flags.Key(p)] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// Evaluate decides a flag as ServeHTTP would at this moment; false: no
// migration has it. Of two migrations with one flag the first by id counts.
func (g *Gateway) Evaluate(ctx context.Context, flag string, q Question) (Ruling, bool) {
	snap := g.snapshot.Load()
	at := -1
	for i, p := range snap.plan.migrations {
		if flags.Key(p) == flag && (at < 0 || p.ID < snap.plan.migrations[at].ID) {
			at = i
		}
	}
	if at < 0 {
		return Ruling{}, false
	}
	plan := snap.plan.migrations[at]
	cell := snap.standings[at].cell(plan, q.Request)
	facts := q.Facts
	if facts == nil {
		facts = map[string]any{}
	}
	a := g.assigner.Assign(ctx, &flags.Input{Plan: plan, State: cell.state, Request: q.Request, Trusted: q.Trusted, Safe: true, Given: &q.Key, Facts: facts})
	r := Ruling{Migration: plan.ID, Stage: a.Stage, Variant: a.Variant, Reason: a.Reason, Err: a.Err}
	r.Safe, r.Unsafe = plan.Place(r.Stage, true), plan.Place(r.Stage, false)
	if r.Safe == migrations.Modern && cell.trips(r.Stage) {
		r.Stage, r.Variant, r.Reason = migrations.Off, "", tripped
		r.Safe, r.Unsafe = migrations.Legacy, migrations.Legacy
	}
	return r, true
}
