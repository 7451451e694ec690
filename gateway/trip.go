package gateway

import (
	"slices"
	"sync/atomic"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
)

// A trip is the overlay of one migration: "legacy now", without the log. It
// lies over the snapshots, can only move toward the monolith, and is the one
// thing of a request that is not pinned (law 3).
type trip struct {
	cells atomic.Pointer[[]string] // tripped; nil: none
}

// Reason of a request that a trip has turned around, beside OpenFeature's.
const tripped = "TRIPPED"

// Trip sends all requests of a migration to the monolith from now on, or those
// of some cells, named as in evidence. It replaces what was tripped before;
// none ends it. What is complete has no trip (law 4).
func (g *Gateway) Trip(migration string, cells ...string) {
	t := &g.books.of(migration).trip
	if len(cells) == 0 {
		t.cells.Store(nil)
		return
	}
	cells = slices.Clone(cells)
	t.cells.Store(&cells)
	snap := g.snapshot.Load()
	for i, mp := range snap.plan.migrations {
		if mp.ID != migration || !mp.Rollback.Close {
			continue
		}
		for j := range snap.standings[i].cells {
			if c := &snap.standings[i].cells[j]; slices.Contains(cells, EveryCell) || slices.Contains(cells, c.name) {
				g.tunnels.leave(c.book, c.name)
			}
		}
	}
}

// Tripped returns the cells of a migration that are tripped; [EveryCell] is all.
func (g *Gateway) Tripped(migration string) []string {
	if cells := g.books.of(migration).trip.cells.Load(); cells != nil {
		return slices.Clone(*cells)
	}
	return nil
}

// EveryCell trips a migration as a whole.
const EveryCell = "*"

// trips reports whether the overlay turns the request around.
func (rec *record) trips() bool {
	return rec.Side == migrations.Modern && rec.cell != nil && rec.cell.trips(rec.Stage)
}

// trips reports whether the overlay turns requests of a stage around.
func (c *cell) trips(stage migrations.Stage) bool {
	if stage == migrations.Complete {
		return false
	}
	cells := c.book.trip.cells.Load()
	return cells != nil && (slices.Contains(*cells, EveryCell) || slices.Contains(*cells, c.name))
}

// turn sends the request to the monolith, as if the rollback had come.
func (rec *record) turn() *upstream.Upstream {
	rec.tripped = true
	rec.Side, rec.Stage, rec.Reason, rec.Variant = migrations.Legacy, migrations.Off, tripped, ""
	if rec.stay.On() == migrations.Modern {
		rec.Fallback = brokenJourney
	}
	return rec.route.legacy
}
