package gateway

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Evidence returns what this gateway has counted of a migration in the present
// tests of its cells: the zero Counts for one that it does not have. They are
// shared, so that nobody may change them. Requests never wait for it.
func (g *Gateway) Evidence(migration string) evidence.Counts {
	snap := g.snapshot.Load()
	for i, mp := range snap.plan.migrations {
		if mp.ID == migration {
			now := time.Now()
			out := snap.plan.books[i].ledger.read(&snap.standings[i], now)
			out.Enforced = snap.plan.books[i].recoveries.read(now, g.recovery.over)
			out.Reported = snap.plan.books[i].reports.read(mp, snap.standings[i].test())
			out.Plans = []string{snap.plan.hashes[i]}
			return out
		}
	}
	return evidence.Counts{}
}

// Restore takes up what [Gateway.Evidence] has returned in a process before
// this one, before anything is counted: a test goes on through a restart. What
// is of a test that is over by now is forgotten when the next is counted.
func (g *Gateway) Restore(migration string, c evidence.Counts) {
	b := g.books.of(migration)
	b.ledger.restore(c)
	b.reports.restore(c.Reported)
	b.recoveries.restore(c.Enforced)
}

// Alarms yields when something bad has happened on a service, so that nobody
// needs to wait for the next round to decide. Many at once are one.
func (g *Gateway) Alarms() <-chan struct{} { return g.books.alarms }

// Lost returns how many outcomes of a migration found no room to be counted,
// because nobody had asked for the evidence for long.
func (g *Gateway) Lost(migration string) uint64 { return g.books.of(migration).ledger.lost.Load() }
