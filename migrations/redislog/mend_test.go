package redislog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// A replica is a follower of a log that mends it when it is lost.
type replica struct {
	*Log
	*migrations.Follower
}

func newReplica(t *testing.T, l *Log) replica {
	t.Helper()
	f := migrations.NewFollower(l, migrations.State{})
	f.Heal = func(ctx context.Context, err error, seen migrations.State) (migrations.State, bool) {
		if !errors.Is(err, ErrLost) {
			return seen, false
		}
		next, err := l.Mend(ctx, seen, "redis was emptied")
		return next, err == nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.Run(ctx, nil); ctx.Err() == nil {
			t.Errorf("the follower ended: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return replica{l, f}
}

func (r replica) wait(t *testing.T, seq uint64) migrations.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := r.Wait(ctx, seq)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFollowersGoOnThroughACheckpoint(t *testing.T) {
	s := newServer(t)
	logs := several(t, s)
	r := newReplica(t, logs[1])
	mustAppend(t, logs[0], created("orders"), live("orders", 5000))
	before := r.wait(t, 2)
	seq, err := logs[0].Checkpoint(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	after := r.wait(t, seq)
	if diff := cmp.Diff(before.Migrations, after.Migrations); diff != "" || after.Seq != 3 {
		t.Errorf("event %d: %s", after.Seq, diff)
	}
	if s := r.wait(t, mustAppend(t, logs[0], live("orders", 7000))); s.Migrations["orders"].Split.Share(migrations.Live) != 7000 {
		t.Errorf("the split is %s", s.Migrations["orders"].Split)
	}
}

// TestEmptiedLogBeginsAgain with the state that the gateways know, once, and
// frozen; also if the one that is first knows less than another.
func TestEmptiedLogBeginsAgain(t *testing.T) {
	for name, stale := range map[string]bool{"all know the same": false, "the first knows less": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			logs := several(t, s)
			mustAppend(t, logs[0], created("orders"), created("carts"), live("orders", 5000), live("carts", 100))
			old := latest(t, logs[2])
			rs := []replica{newReplica(t, logs[0]), newReplica(t, logs[1])}
			rs[1].wait(t, mustAppend(t, logs[0], migrations.Event{Migration: "carts", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)}))
			rs[0].wait(t, 5)
			if stale {
				third := open(t, s.url(), still())
				s.do(t, "FLUSHALL")
				if _, err := third.Append(t.Context(), 0, begunAgain(old, "too early")...); err != nil {
					t.Log(err) // another was faster
				}
			} else {
				s.do(t, "FLUSHALL")
			}
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				a, b := rs[0].State(), rs[1].State()
				if a.Frozen != "" && cmp.Equal(a, b) && a.Migrations["carts"].RolledBack && a.Migrations["orders"].Split.Share(migrations.Live) == 5000 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("they stand at %+v and %+v", a, b)
				}
			}
			if diff := cmp.Diff(latest(t, open(t, s.url(), still())), rs[0].State()); diff != "" {
				t.Error(diff)
			}
			// The log is one again: who acts now acts for all.
			seq := mustAppend(t, logs[0], migrations.Event{Migration: migrations.Every, Kind: migrations.Thawed, Actor: "ada"})
			for _, r := range rs {
				if r.wait(t, seq).Frozen != "" {
					t.Error("still frozen")
				}
			}
		})
	}
}

// TestWhatRedisForgotIsAppendedAgain, as after a change to a replica that lagged.
func TestWhatRedisForgotIsAppendedAgain(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	r := newReplica(t, l)
	mustAppend(t, l, created("orders"), live("orders", 5000))
	r.wait(t, mustAppend(t, l, migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)}))
	s.do(t, "XDEL", l.stream, "3-0")
	s.do(t, "XSETID", l.stream, "2-0")
	for deadline := time.Now().Add(20 * time.Second); r.State().Frozen == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody mends it")
		}
	}
	if m := latest(t, open(t, s.url(), still())).Migrations["orders"]; !m.RolledBack {
		t.Errorf("it is %+v", m)
	}
}

func TestNowIsTheTimeOfRedis(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	if l.Contact().IsZero() || l.Skew().Abs() > time.Second || time.Until(l.Now()).Abs() > time.Second {
		t.Errorf("contact %s, ahead by %s", l.Contact(), l.Skew())
	}
}
