package gateway

import (
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// Counts are the requests of one migration that this gateway has served.
type Counts struct {
	Since                      time.Time // when the counting began
	Legacy, Modern             uint64    // requests by the side that was chosen
	LegacyFailed, ModernFailed uint64    // of them without an answer, or with one of 500 and above
	Keyless                    uint64    // without a targeting key
}

// A tally counts the requests of one migration.
type tally struct {
	since    time.Time
	requests [2]atomic.Uint64 // by side: legacy, modern
	failed   [2]atomic.Uint64
	keyless  atomic.Uint64
}

// count adds a finished request. One whose client went away or did not finish
// it says nothing about the side.
func (t *tally) count(rec *record) {
	side := 0
	if rec.Side == migrations.Modern {
		side = 1
	}
	t.requests[side].Add(1)
	if rec.KeySource == "" {
		t.keyless.Add(1)
	}
	if !rec.saysNothing() && (rec.failedOver() || rec.class.Failure()) {
		t.failed[side].Add(1)
	}
}

// Counts returns what has been counted of a migration.
func (g *Gateway) Counts(migration string) Counts {
	t := &g.books.of(migration).tally
	return Counts{
		Since:  t.since,
		Legacy: t.requests[0].Load(), Modern: t.requests[1].Load(),
		LegacyFailed: t.failed[0].Load(), ModernFailed: t.failed[1].Load(),
		Keyless: t.keyless.Load(),
	}
}

// failedOver reports whether the service failed and the monolith answered. It
// counts against the service, once.
func (rec *record) failedOver() bool { return rec.Fallback != "" && rec.Fallback != brokenJourney }
