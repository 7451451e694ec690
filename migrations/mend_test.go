package migrations_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations"
)

// fold admits events one after the other, each a minute after the one before.
func fold(t rapid.TB, s migrations.State, events ...migrations.Event) migrations.State {
	t.Helper()
	for _, e := range events {
		now := s.Time.Add(time.Minute)
		if s.Seq == 0 {
			now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		}
		_, next, err := migrations.Admit(s, migrations.Unconditional, now, e)
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func rolledBack(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)}
}

func mended(t rapid.TB, seen, found migrations.State) migrations.State {
	t.Helper()
	events := migrations.Mend(seen, found, "lost")
	if len(events) == 0 {
		return found
	}
	_, s, err := migrations.Admit(found, found.Seq, found.Time.Add(time.Minute), events...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatALogHasLostIsDoneAgain(t *testing.T) {
	old := fold(t, migrations.State{}, created("orders"), created("users"), live("orders", 5000), live("users", 10_000))
	seen := fold(t, old, rolledBack("orders"), live("users", 50_000))
	got := mended(t, seen, old)
	if m := got.Migrations["orders"]; !m.RolledBack || m.Split.Modern() != 0 {
		t.Errorf("the rollback is lost: %+v", m)
	}
	if m := got.Migrations["users"]; m.Split.Share(migrations.Live) != 50_000 {
		t.Errorf("the split is %s", m.Split)
	}
	if got.Frozen != "lost" {
		t.Errorf("ramps are frozen for %q", got.Frozen)
	}
	for id, m := range got.Migrations {
		if m.Seq <= seen.Seq {
			t.Errorf("%s has event %d, and %d was seen", id, m.Seq, seen.Seq)
		}
	}
	if again := migrations.Mend(seen, got, "lost"); len(again) != 0 {
		t.Errorf("a second gateway mends again: %v", again)
	}
}

func TestWhatWasDoneSinceALossStands(t *testing.T) {
	old := fold(t, migrations.State{}, created("orders"), live("orders", 5000))
	seen := fold(t, old, live("orders", 50_000))
	found := fold(t, old, migrations.Event{Migration: migrations.Every, Kind: migrations.Frozen, Reason: "lost"}, rolledBack("orders"))
	if events := migrations.Mend(seen, found, "lost"); len(events) != 0 {
		t.Errorf("undone by %v", events)
	}
	// By the clock of another server it is a little earlier than what was seen.
	m := found.Migrations["orders"]
	m.Since = seen.Migrations["orders"].Since.Add(-30 * time.Second)
	found.Migrations = map[string]migrations.Migration{"orders": m}
	if events := migrations.Mend(seen, found, "lost"); len(events) != 0 {
		t.Errorf("the rollback is undone by %v", events)
	}
}

func TestALogBegunAnewTakesNothingBack(t *testing.T) {
	seen := fold(t, migrations.State{}, created("orders"), created("users"), live("orders", migrations.Buckets), rolledBack("users"))
	begun := created("orders")
	begun.Actor = "ficus"
	found := fold(t, migrations.State{Time: seen.Time.Add(time.Hour)}, begun) // by a new gateway that found nothing
	got := mended(t, seen, found)
	if m := got.Migrations["orders"]; m.Split.Share(migrations.Live) != migrations.Buckets {
		t.Errorf("orders stands at %s", m.Split)
	}
	if m := got.Migrations["users"]; m.From != "monolith" || !m.RolledBack {
		t.Errorf("users is %+v", m)
	}
}

// TestMendedLogsAgree holds any two gateways that have read a log to different
// places to this: whoever mends first, both end at one state, no rollback that
// either has seen last is undone, and nobody mends for ever.
func TestMendedLogsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"a", "b", "c"}
		draw := func(s migrations.State, n int) migrations.State {
			for range n {
				id := rapid.SampledFrom(ids).Draw(t, "id")
				e := live(id, rapid.IntRange(1, migrations.Buckets).Draw(t, "buckets"))
				if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
					e = rolledBack(id)
				} else if s.Migrations[id].RolledBack {
					s = fold(t, s, migrations.Event{Migration: id, Kind: migrations.Resumed})
				}
				s = fold(t, s, e)
			}
			return s
		}
		kept := draw(fold(t, migrations.State{}, created("a"), created("b"), created("c")), rapid.IntRange(0, 6).Draw(t, "kept"))
		ada := draw(kept, rapid.IntRange(0, 6).Draw(t, "ada"))
		bob := kept // has not read on
		for _, order := range [][]migrations.State{{ada, bob}, {bob, ada}} {
			log := kept
			for _, seen := range append(order, order...) {
				log = mended(t, seen, log)
			}
			for _, seen := range order {
				if more := migrations.Mend(seen, log, "lost"); len(more) > 0 {
					t.Fatalf("mended for ever: %v", more)
				}
			}
			for _, id := range ids {
				was, is := ada.Migrations[id], log.Migrations[id]
				if was.RolledBack != is.RolledBack || !was.Split.Equal(is.Split) {
					t.Fatalf("%s was %s (rolled back: %v) and is %s (%v)", id, was.Split, was.RolledBack, is.Split, is.RolledBack)
				}
			}
		}
	})
}
