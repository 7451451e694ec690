package redislog

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// wantLost wants everything to say that the log is lost.
func wantLost(t *testing.T, l *Log, from uint64) {
	t.Helper()
	_, err := l.Head(t.Context())
	wantTrouble(t, err, Lost)
	if !errors.Is(err, ErrLost) {
		t.Errorf("head: %v", err)
	}
	if seq, err := l.Append(t.Context(), migrations.Unconditional, created("carts")); !errors.Is(err, ErrLost) {
		t.Errorf("append: %d, %v", seq, err)
	}
	if r := next(t, follow(t.Context(), l, from)); !errors.Is(r.err, ErrLost) {
		t.Errorf("follow: event %d, %v", r.event.Seq, r.err)
	}
}

func TestNoAcknowledgedEventIsLostByACrashOfRedis(t *testing.T) {
	s := newServer(t, "--appendonly", "yes", "--appendfsync", "always")
	logs := several(t, s)
	mustAppend(t, logs[0], created("orders"))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var mu sync.Mutex
	acknowledged := make(map[uint64]bool)
	var followers, writers sync.WaitGroup
	var got [3][]uint64
	const last = 150
	for i, l := range logs {
		followers.Go(func() {
			for from := uint64(0); from < last && ctx.Err() == nil; {
				for e, err := range l.Follow(ctx, from) {
					if err != nil {
						if TroubleOf(err) == Lost || TroubleOf(err) == Foreign {
							t.Error(err)
							return
						}
						time.Sleep(20 * time.Millisecond)
						break
					}
					got[i] = append(got[i], e.Seq)
					if from = e.Seq; from >= last {
						break
					}
				}
			}
		})
		writers.Go(func() {
			for ctx.Err() == nil {
				seq, err := l.Append(ctx, migrations.Unconditional, live("orders", i))
				if err != nil {
					continue
				}
				mu.Lock()
				acknowledged[seq] = true
				mu.Unlock()
				if seq >= last {
					return
				}
			}
		})
	}
	for range 3 {
		time.Sleep(60 * time.Millisecond)
		s.kill()
		s.start(t)
	}
	writers.Wait()
	followers.Wait()
	for i := range got {
		for n, seq := range got[i] {
			if seq != uint64(n+1) {
				t.Fatalf("follower %d got event %d as number %d", i, seq, n+1)
			}
		}
		if len(got[i]) < last {
			t.Errorf("follower %d got %d events", i, len(got[i]))
		}
	}
	head, err := logs[0].Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range acknowledged {
		if seq > head {
			t.Errorf("event %d was acknowledged, the log ends at %d", seq, head)
		}
	}
	if diff := cmp.Diff(latest(t, logs[0]), latest(t, logs[1])); diff != "" {
		t.Error(diff)
	}
}

func TestEmptiedRedisIsNotTakenForAllOff(t *testing.T) {
	for name, empty := range map[string]func(*testing.T, *server){
		"flushed":         func(t *testing.T, s *server) { s.do(t, "FLUSHALL") },
		"restarted empty": func(t *testing.T, s *server) { s.kill(); s.start(t) },
		"key deleted":     func(t *testing.T, s *server) { s.do(t, "DEL", "ficus:{ficus}:events") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			l := open(t, s.url(), still())
			mustAppend(t, l, created("orders"), live("orders", 500))
			waiting := follow(t.Context(), l, 2)
			time.Sleep(50 * time.Millisecond)
			began := time.Now()
			empty(t, s)
			r := next(t, waiting)
			for TroubleOf(r.err) == Down { // it is being restarted
				r = next(t, follow(t.Context(), l, 2))
			}
			if !errors.Is(r.err, ErrLost) {
				t.Errorf("a follower that waited got event %d, %v", r.event.Seq, r.err)
			}
			if took := time.Since(began); took > blockFor+4*time.Second { // the machine may be busy
				t.Errorf("it took %s to be noticed", took)
			}
			wantLost(t, l, 2)
			wantLost(t, l, 0)
			again := open(t, s.url(), Options{Seen: l.Seen()})
			wantLost(t, again, 2)
		})
	}
}

func TestShorterAndReplacedLogsAreLost(t *testing.T) {
	t.Run("shorter", func(t *testing.T) {
		s := newServer(t)
		l := open(t, s.url(), still())
		mustAppend(t, l, created("orders"), live("orders", 1))
		mustAppend(t, l, live("orders", 2))
		s.do(t, "XDEL", l.stream, "3-0") // as after a failover to a replica that lags
		wantLost(t, l, 3)
	})
	t.Run("replaced", func(t *testing.T) {
		s := newServer(t)
		l := open(t, s.url(), still())
		mustAppend(t, l, created("orders"), live("orders", 1))
		s.do(t, "FLUSHALL")
		mustAppend(t, open(t, s.url(), still()), created("carts"), live("carts", 1), live("carts", 2))
		wantLost(t, l, 2)
	})
}

func TestLostLogBeginsAgainWithTheStateThatWasKept(t *testing.T) {
	s := newServer(t)
	logs := several(t, s)
	mustAppend(t, logs[0], created("orders"))
	mustAppend(t, logs[1], live("orders", 500))
	state := latest(t, logs[2])
	wantHead(t, logs[0], 2)
	if latest(t, logs[0]).Seq != 2 {
		t.Fatal("not seen")
	}
	s.do(t, "FLUSHALL")
	wantLost(t, logs[0], 2)

	restored := migrations.Event{Migration: migrations.Every, Kind: migrations.Restored, State: &state, Actor: "ficus", Reason: "redis was flushed"}
	trip := migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ficus"}
	old := state
	old.Seq, old.Migrations = 1, nil
	tooOld := restored
	tooOld.State = &old
	if _, err := logs[0].Append(t.Context(), migrations.Unconditional, tooOld); !errors.Is(err, ErrLost) {
		t.Errorf("an older state was restored: %v", err)
	}
	waiting := follow(t.Context(), logs[1], 2) // does not know yet what happened
	seq, err := logs[0].Append(t.Context(), migrations.Unconditional, restored, trip)
	if err != nil || seq != 4 {
		t.Fatalf("restoring: %d, %v", seq, err)
	}
	if _, err := logs[1].Append(t.Context(), 2, restored); err == nil {
		t.Error("the log was restored a second time")
	}
	for r := next(t, waiting); ; r = next(t, waiting) {
		if errors.Is(r.err, ErrLost) { // it looked before the log was restored
			waiting = follow(t.Context(), logs[1], 2)
			continue
		}
		if r.err != nil || r.event.Seq != 3 || r.event.Kind != migrations.Restored {
			t.Fatalf("after event 2 came %+v", r)
		}
		break
	}
	for i, l := range logs {
		wantHead(t, l, 4)
		if s := latest(t, l); !s.Migrations["orders"].RolledBack || s.Seq != 4 {
			t.Errorf("log %d: %+v", i, s)
		}
	}
	for i, l := range logs {
		mustAppend(t, l, live("orders", i))
		wantHead(t, l, uint64(5+i))
		for j := range i {
			wantHead(t, logs[j], uint64(5+i))
		}
	}
}

func TestWhatWasSeenIsGivenUpOnlyOnDemand(t *testing.T) {
	s := newServer(t)
	said := new(journal)
	l := open(t, s.url(), said.options())
	mustAppend(t, l, created("orders"), live("orders", 1))
	s.do(t, "FLUSHALL")
	if _, err := l.Adopt(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("an empty log was adopted: %v", err)
	}
	wantLost(t, l, 2)
	mustAppend(t, open(t, s.url(), still()), created("carts"))
	wantLost(t, l, 2)
	state, err := l.Adopt(t.Context())
	if err != nil || state.Seq != 1 || state.Migrations["carts"].ID == "" {
		t.Fatalf("adopting: %+v, %v", state, err)
	}
	wantHead(t, l, 1)
	if seq := mustAppend(t, l, live("carts", 1)); seq != 2 {
		t.Errorf("goes on with event %d", seq)
	}
	if !strings.Contains(said.String(), "given up") {
		t.Errorf("it was not said aloud: %s", said)
	}
}

func TestSettingsThatRiskTheLogAreSaidAloud(t *testing.T) {
	said := new(journal)
	open(t, newServer(t, "--maxmemory-policy", "allkeys-lru").url(), said.options())
	for _, want := range []string{"set appendonly to yes", "maxmemory-policy"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("nothing about %s in: %s", want, said)
		}
	}
	said = new(journal)
	open(t, newServer(t, "--appendonly", "yes").url(), said.options())
	if said.String() != "" {
		t.Errorf("a good Redis is complained about: %s", said)
	}
}

// TestSightIsBackAtOnce: however long Redis was away, a look at the log
// succeeds as soon as it is there again.
func TestSightIsBackAtOnce(t *testing.T) {
	s := newServer(t, "--appendonly", "yes", "--appendfsync", "always")
	l := open(t, s.url(), still())
	mustAppend(t, l, created("orders"))
	s.kill()
	for range 100 { // more than the client library takes
		if _, err := l.Head(t.Context()); err == nil {
			t.Fatal("it is there")
		}
	}
	s.start(t)
	began := time.Now()
	for {
		if _, err := l.Head(t.Context()); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("it took %s", took)
	}
}
