package logtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func testEmpty(t *testing.T, p place) {
	log := p.open()
	if seq := head(t, log); seq != 0 {
		t.Errorf("an empty log has head %d", seq)
	}
	if _, err := log.Append(t.Context(), 0); err == nil {
		t.Error("appending nothing was no error")
	}
}

func testStamps(t *testing.T, p place) {
	log := p.open()
	wrong := created("orders")
	wrong.Seq, wrong.Time, wrong.More = 77, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), 5
	if seq := mustAppend(t, log, wrong, live("orders", 1), live("orders", 2)); seq != 3 {
		t.Errorf("three events end at %d", seq)
	}
	if seq := mustAppend(t, log, live("orders", 3)); seq != 4 {
		t.Errorf("the fourth event has number %d", seq)
	}
	var last time.Time
	for i, e := range read(t, log, 0, 4) {
		if e.Seq != uint64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
		if e.Time.Year() < 2020 || e.Time.Before(last) {
			t.Errorf("event %d has time %s after %s", e.Seq, e.Time, last)
		}
		if want := []int{2, 1, 0, 0}[i]; e.More != want {
			t.Errorf("event %d says that %d more follow it, want %d", e.Seq, e.More, want)
		}
		last = e.Time
	}
}

func testAllOrNone(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	if _, err := log.Append(t.Context(), 1, live("orders", 1), created("carts"), created("orders")); err == nil {
		t.Fatal("an impossible append was accepted")
	}
	if seq := head(t, log); seq != 1 {
		t.Errorf("a refused append has moved the head to %d", seq)
	}
	mustAppend(t, log, created("carts"))
}

func testRefusals(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	for name, e := range map[string]migrations.Event{
		"unknown migration":   live("carts", 1),
		"existing migration":  created("orders"),
		"no migration":        created(""),
		"unknown kind":        {Migration: "orders", Kind: "teleported"},
		"no kind":             {Migration: "orders"},
		"split of nothing":    {Migration: "orders", Kind: migrations.Shifted},
		"split below 100%":    {Migration: "orders", Kind: migrations.Shifted, Split: migrations.Split{{Stage: migrations.Live, Buckets: 1}}},
		"rollback to service": {Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Live)},
		"late restore":        {Migration: migrations.Every, Kind: migrations.Restored, State: &migrations.State{Seq: 1}},
	} {
		if seq, err := log.Append(t.Context(), migrations.Unconditional, e); err == nil {
			t.Errorf("%s: was accepted as event %d", name, seq)
		} else if errors.Is(err, migrations.ErrConflict) {
			t.Errorf("%s: %v, want an error that is no conflict", name, err)
		}
	}
	if seq := head(t, log); seq != 1 {
		t.Errorf("refused events have moved the head to %d", seq)
	}
}

// wantConflict appends what must be refused as a conflict.
func wantConflict(t *testing.T, log Log, after uint64, events ...migrations.Event) {
	t.Helper()
	if seq, err := log.Append(t.Context(), after, events...); !errors.Is(err, migrations.ErrConflict) {
		t.Errorf("append of %s after %d: %d, %v; want a conflict", events[0].Migration, after, seq, err)
	}
}

// Law 5: a conflict needs a newer event of the same migration.
func testConflicts(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"), created("carts"))
	mustAppend(t, log, live("carts", 1)) // 3
	if _, err := log.Append(t.Context(), 1, live("orders", 5)); err != nil {
		t.Errorf("an event of another migration conflicts: %v", err)
	}
	wantConflict(t, log, 2, live("carts", 2))
	wantConflict(t, log, 3, live("orders", 6))
	wantConflict(t, log, 3, live("carts", 6), live("orders", 6)) // one of them is enough
	wantConflict(t, log, 0, created("orders"))
	if _, err := log.Append(t.Context(), 0, created("users")); err != nil {
		t.Errorf("the first event of a migration conflicts: %v", err)
	}
	if _, err := log.Append(t.Context(), 5, live("orders", 7), live("carts", 7)); err != nil {
		t.Errorf("an append after the newest event conflicts: %v", err)
	}
	if seq := head(t, log); seq != 7 {
		t.Errorf("the head is %d, want 7", seq)
	}
}

// Law 5: an event of * conflicts with those of all migrations, both ways.
func testEvery(t *testing.T, p place) {
	log := p.open()
	was := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	state := migrations.State{Seq: 41, Time: was, Migrations: map[string]migrations.Migration{
		"orders": {ID: "orders", From: "monolith", To: "orders", Split: migrations.All(migrations.Shadow), Seq: 40, Epoch: 30, Since: was, Ramp: migrations.RampHeld},
	}}
	if seq := mustAppend(t, log, migrations.Event{Migration: migrations.Every, Kind: migrations.Restored, State: &state, Actor: "ficus"}); seq != 42 {
		t.Fatalf("a restored log begins with event %d, want 42", seq)
	}
	wantConflict(t, log, 41, live("orders", 1))
	wantConflict(t, log, 0, created("carts"))
	if seq, err := log.Append(t.Context(), 42, live("orders", 1)); err != nil || seq != 43 {
		t.Errorf("after the event of all: %d, %v", seq, err)
	}
	wantConflict(t, log, 42, migrations.Event{Migration: migrations.Every, Kind: migrations.Restored, State: &state})
	events := read(t, log, 0, 2)
	if events[0].Seq != 42 || events[0].State == nil || events[0].State.Migrations["orders"].Epoch != 30 {
		t.Errorf("the log begins with %+v", events[0])
	}
	if events := read(t, log, 42, 1); events[0].Seq != 43 {
		t.Errorf("after event 42 comes %d", events[0].Seq)
	}
}

func testRenameConflict(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	mustAppend(t, log, live("orders", 1)) // 2
	rename := migrations.Event{Migration: "purchases", Kind: migrations.Renamed, From: "orders"}
	wantConflict(t, log, 1, rename)
	if _, err := log.Append(t.Context(), 2, rename); err != nil {
		t.Error(err)
	}
	wantConflict(t, log, 2, live("purchases", 2))
}

func testConflictVisible(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				seen, err := log.Head(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				_, err = log.Append(t.Context(), seen, live("orders", 1))
				if !errors.Is(err, migrations.ErrConflict) {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				if now, err := log.Head(t.Context()); err != nil || now <= seen {
					t.Errorf("a conflict after event %d, but the head is %d (%v)", seen, now, err)
				}
			}
		})
	}
	all.Wait()
}

// Law 6: a rollback carries no expectation.
func testUnconditional(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"), live("orders", 500))
	seq := mustAppend(t, log, migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)})
	if seq != 3 {
		t.Errorf("the rollback is event %d", seq)
	}
}

// Law 5: the compare-and-swap is the only coordination. Of 64 who decide on
// the same event exactly one wins, for each migration.
func testOneWinner(t *testing.T, p place) {
	const deciders, rounds = 64, 10
	log := p.open()
	ids := []string{"orders", "carts"}
	after := map[string]uint64{"orders": 1, "carts": 2}
	mustAppend(t, log, created("orders"), created("carts"))
	for round := range rounds {
		var wins [2]atomic.Uint64
		var count [2]atomic.Int32
		var all sync.WaitGroup
		for i := range deciders {
			all.Go(func() {
				which := i % 2
				e := live(ids[which], round+1)
				e.Actor = fmt.Sprintf("decider %d", i)
				seq, err := log.Append(t.Context(), after[ids[which]], e)
				switch {
				case err == nil:
					wins[which].Store(seq)
					count[which].Add(1)
				case !errors.Is(err, migrations.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		for which, id := range ids {
			if n := count[which].Load(); n != 1 {
				t.Fatalf("round %d of %s: %d have won", round, id, n)
			}
			after[id] = wins[which].Load()
		}
	}
	if seq := head(t, log); seq != 2+2*rounds {
		t.Errorf("the head is %d, want %d", seq, 2+2*rounds)
	}
}

func testDoneContext(t *testing.T, p place) {
	log := p.open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, 0, created("orders")); !errors.Is(err, context.Canceled) {
		t.Errorf("append after the end of its context: %v", err)
	}
	if seq := head(t, log); seq != 0 {
		t.Errorf("the head is %d", seq)
	}
}
