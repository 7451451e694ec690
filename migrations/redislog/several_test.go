package redislog

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// several opens a log as often as there are gateways.
func several(t testing.TB, s *server) [3]*Log {
	t.Helper()
	return [3]*Log{open(t, s.url(), still()), open(t, s.url(), still()), open(t, s.url(), still())}
}

// Law 5: the compare-and-swap is the only coordination.
func TestOneOfManyGatewaysWinsEachExpectation(t *testing.T) {
	const deciders, rounds = 64, 10
	logs := several(t, newServer(t))
	after := mustAppend(t, logs[0], created("orders"))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var followers [3]<-chan result
	for i, l := range logs {
		followers[i] = follow(ctx, l, 0)
	}
	for round := range rounds {
		var wins atomic.Int32
		var seq atomic.Uint64
		var all sync.WaitGroup
		for d := range deciders {
			all.Go(func() {
				e := live("orders", round+1)
				e.Actor = fmt.Sprint("decider ", d)
				n, err := logs[d%3].Append(ctx, after, e)
				switch {
				case err == nil:
					wins.Add(1)
					seq.Store(n)
				case !errors.Is(err, migrations.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if wins.Load() != 1 || seq.Load() != after+1 {
			t.Fatalf("round %d: %d have won, the last is event %d", round, wins.Load(), seq.Load())
		}
		after = seq.Load()
	}
	var got [3][]migrations.Event
	for i, f := range followers {
		for range rounds + 1 {
			r := next(t, f)
			if r.err != nil {
				t.Fatal(r.err)
			}
			got[i] = append(got[i], r.event)
		}
		if diff := cmp.Diff(got[0], got[i]); diff != "" {
			t.Fatalf("followers 0 and %d differ:\n%s", i, diff)
		}
	}
}

func TestEventsOfManyGatewaysAreAllKeptOnce(t *testing.T) {
	const writers, each = 12, 20
	logs := several(t, newServer(t))
	mustAppend(t, logs[0], created("orders"))
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				e := live("orders", i)
				e.Reason = fmt.Sprint(w, "/", i)
				if _, err := logs[w%3].Append(t.Context(), migrations.Unconditional, e, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	events, err := migrations.History(t.Context(), logs[1], migrations.Filter{Kinds: []migrations.Kind{migrations.Shifted}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	times := make(map[string]int)
	for _, e := range events {
		times[e.Reason]++
	}
	for reason, n := range times {
		if n != 2 {
			t.Errorf("the two events %s are there %d times", reason, n)
		}
	}
	if len(events) != 2*writers*each {
		t.Errorf("%d events were kept, want %d", len(events), 2*writers*each)
	}
	if diff := cmp.Diff(latest(t, logs[0]), latest(t, logs[2])); diff != "" {
		t.Error(diff)
	}
}

func TestEventsHaveTheTimeOfRedis(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	clock := func() time.Time {
		now, err := readTime(s.do(t, "TIME"))
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	before := clock()
	mustAppend(t, l, created("orders"))
	if at := latest(t, l).Time; at.Before(before) || at.After(clock()) {
		t.Errorf("an event appended after %s has the time %s", before, at)
	}
	// A gateway that fell asleep between asking for the time and writing.
	outcome, err := appendScript.Run(t.Context(), l.client.get(), []string{l.stream}, "1-0", l.Seen().Hash.String(), before.Add(-2*time.Second).UnixMicro(), "id", "2-0", "line").Text()
	if outcome != "stale" || err != nil {
		t.Errorf("a time of two seconds ago: %s, %v", outcome, err)
	}
	wantHead(t, l, 1)
}

func TestEndOfAContextEndsAWaitingFollowerAtOnce(t *testing.T) {
	l := open(t, newServer(t).url(), still())
	mustAppend(t, l, created("orders"))
	before := runtime.NumGoroutine()
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		f := follow(ctx, l, 0)
		wantNext(t, f, 1)
		time.Sleep(20 * time.Millisecond) // now it waits in Redis
		began := time.Now()
		cancel()
		if r := next(t, f); !errors.Is(r.err, context.Canceled) {
			t.Errorf("got %+v", r)
		}
		if took := time.Since(began); took > 300*time.Millisecond {
			t.Errorf("the follower took %s to end", took)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestInstallationsAreStrangers(t *testing.T) {
	s := newServer(t)
	a, b := open(t, s.url()+"?installation=a", still()), open(t, s.url()+"?installation=b", still())
	mustAppend(t, a, created("orders"))
	wantHead(t, a, 1)
	wantHead(t, b, 0)
}
