package gateway

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

const synced = ", data: {synced: {lag: 'http://127.0.0.1:9/lag', max_lag: 1m}}"

// answeredBy asks and returns which side has answered.
func (r *ramping) answeredBy(user string) migrations.Side {
	r.Helper()
	before := r.gateway.Counts("orders")
	r.ask("GET", "well", user)
	if after := r.gateway.Counts("orders"); after.Modern > before.Modern {
		return migrations.Modern
	}
	return migrations.Legacy
}

func TestPeopleReadWhatTheyHaveJustWritten(t *testing.T) {
	r := ramp(t, synced, "", nil) // writes stay on the monolith, reads of half the people do not
	writer, reader := r.on(migrations.Modern, 0), r.on(migrations.Modern, 1)
	r.ask("POST", "well", writer)
	if side := r.answeredBy(writer); side != migrations.Legacy {
		t.Error("somebody reads what is older than their own write")
	}
	if side := r.answeredBy(reader); side != migrations.Modern {
		t.Error("somebody else is kept from the service")
	}
	// Whom their own write has placed is not in the test.
	if e := r.cell("").Epoch(2); e.Requests != (evidence.Sides{0, 1}) {
		t.Errorf("in the test are %v", e.Requests)
	}
}

func TestAWriteOnTheServiceIsReadThereUnlessItWasRolledBack(t *testing.T) {
	r := ramp(t, synced+", writes: follow", "", nil)
	writer := r.on(migrations.Modern, 0)
	r.ask("POST", "well", writer)
	state := r.gateway.Snapshot().State
	m := state.Migrations["orders"]
	m.Split, m.Seq = migrations.All(migrations.Off), 3
	shifted := state
	shifted.Seq, shifted.Migrations = 3, map[string]migrations.Migration{"orders": m}
	r.gateway.Apply(shifted)
	if side := r.answeredBy(writer); side != migrations.Modern {
		t.Error("after a shift by hand: somebody reads what is older than their own write")
	}
	m.RolledBack, m.Seq = true, 4
	back := state
	back.Seq, back.Migrations = 4, map[string]migrations.Migration{"orders": m}
	r.gateway.Apply(back)
	if side := r.answeredBy(writer); side != migrations.Legacy {
		t.Error("after a rollback somebody is still on the service")
	}
}

// Data that lags behind, or nobody knows by how much, is no answer in place of
// the service's.
func TestNoFallbackToDataThatLagsBehind(t *testing.T) {
	r := ramp(t, synced, "", nil)
	user := r.on(migrations.Modern, 0)
	if got := r.ask("GET", "modern/broken", user); got != 500 {
		t.Errorf("the lag is not known, and the user got %d", got)
	}
	r.gateway.Lags("orders", false)
	if got := r.ask("GET", "modern/broken", user); got != 200 {
		t.Errorf("the data is current, and the user got %d", got)
	}
	r.gateway.Lags("orders", true)
	if got := r.ask("GET", "modern/broken", user); got != 500 {
		t.Errorf("the data lags behind, and the user got %d", got)
	}
}

func TestWrotesAreFoundUntilTheyEndAndNobodyElseIs(t *testing.T) {
	w := new(wrote)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Uint64Min(1).Draw(t, "key")
		side := rapid.SampledFrom([]migrations.Side{migrations.Legacy, migrations.Modern}).Draw(t, "side")
		now := wroteEpoch.Add(time.Duration(rapid.IntRange(0, 1<<30).Draw(t, "ms")) * time.Millisecond)
		lag := time.Duration(rapid.IntRange(1, 60_000).Draw(t, "lag")) * time.Millisecond
		w.note(key, side, now.Add(lag))
		if got := w.side(key, now); got != side {
			t.Fatalf("%q, want %q", got, side)
		}
		if got := w.side(key, now.Add(lag)); got != "" {
			t.Fatalf("%q after its end", got)
		}
		if got := w.side(key^1<<40, now); got != "" {
			t.Fatalf("another key is found: %q", got)
		}
		w.note(key, "", wroteEpoch) // forget it
	})
}

// What a person has written is kept even among many others' writes.
func TestWrotesHoldWhatTheyAreMadeFor(t *testing.T) {
	w, now, lost := new(wrote), wroteEpoch.Add(time.Hour), 0
	keys := make([]uint64, 30_000)
	for i := range keys {
		keys[i] = rand.Uint64() | 1<<63
		w.note(keys[i], migrations.Modern, now.Add(time.Second))
	}
	for _, key := range keys {
		if w.side(key, now) != migrations.Modern {
			lost++
		}
	}
	if lost > len(keys)/50 {
		t.Errorf("%d of %d are forgotten", lost, len(keys))
	}
}

func BenchmarkReadsBack(b *testing.B) {
	w, now := new(wrote), time.Now()
	for i := range uint64(10_000) {
		w.note(i*0x9e3779b97f4a7c15, migrations.Modern, now.Add(time.Minute))
	}
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		w.side(i*0x9e3779b97f4a7c15, now)
	}
}
