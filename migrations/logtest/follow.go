package logtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// some appends n events of two migrations, in appends of different sizes.
func some(t *testing.T, log Log, n int) {
	t.Helper()
	mustAppend(t, log, created("orders"), created("carts"))
	for done := 2; done < n; {
		var events []migrations.Event
		for range min(1+done%3, n-done) {
			events = append(events, live([]string{"orders", "carts"}[done%2], done))
			done++
		}
		mustAppend(t, log, events...)
	}
}

func testFollowFrom(t *testing.T, p place) {
	const n = 30
	log := p.open()
	some(t, log, n)
	all := read(t, log, 0, n)
	for from := range n {
		if diff := cmp.Diff(all[from:], read(t, log, uint64(from), n-from)); diff != "" {
			t.Fatalf("follow from %d differs from what follow from 0 yields:\n%s", from, diff)
		}
	}
}

// following collects what one follower gets, in the background.
func following(ctx context.Context, log Log, from uint64) <-chan result {
	results := make(chan result, 1000)
	go func() {
		defer close(results)
		for e, err := range log.Follow(ctx, from) {
			results <- result{e, err}
		}
	}()
	return results
}

type result struct {
	event migrations.Event
	err   error
}

// next returns what a follower gets next.
func next(t *testing.T, results <-chan result) result {
	t.Helper()
	select {
	case r, ok := <-results:
		if !ok {
			t.Fatal("follow ended without an error")
		}
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return result{}
	}
}

func testFollowNew(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	now, later := following(t.Context(), log, 1), following(t.Context(), log, 3)
	for seq := uint64(2); seq <= 5; seq++ {
		mustAppend(t, log, live("orders", int(seq)))
		if r := next(t, now); r.err != nil || r.event.Seq != seq || r.event.Split.Share(migrations.Live) != int(seq) {
			t.Fatalf("after event %d came %+v", seq-1, r)
		}
	}
	if r := next(t, later); r.err != nil || r.event.Seq != 4 {
		t.Errorf("follow from 3, which did not exist yet, yields %+v", r)
	}
}

func testFollowContext(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	ctx, cancel := context.WithCancel(t.Context())
	waiting := following(ctx, log, 1)
	time.Sleep(20 * time.Millisecond)
	cancel()
	if r := next(t, waiting); !errors.Is(r.err, context.Canceled) {
		t.Errorf("a follower whose context has ended got %+v", r)
	}
	if r, ok := <-waiting; ok {
		t.Errorf("after the error came %+v", r)
	}
	if r := next(t, following(ctx, log, 0)); !errors.Is(r.err, context.Canceled) {
		t.Errorf("a follower that begins after the end of its context got %+v", r)
	}
	deadline, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if r := next(t, following(deadline, log, 1)); !errors.Is(r.err, context.DeadlineExceeded) {
		t.Errorf("a follower past its deadline got %+v", r)
	}
}

// Law 1: whoever follows, from wherever, sees the same events in one order.
func testFollowersAgree(t *testing.T, p place) {
	const writers, each, followers = 8, 25, 16
	log := p.open()
	mustAppend(t, log, created("orders"))
	last := uint64(1 + 2*writers*each)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	got := make([][]migrations.Event, followers)
	var all sync.WaitGroup
	for i := range followers {
		all.Go(func() {
			for e, err := range log.Follow(ctx, uint64(i)) {
				if err != nil {
					t.Errorf("follower %d: %v", i, err)
					return
				}
				if got[i] = append(got[i], e); e.Seq == last {
					return
				}
			}
		})
	}
	for w := range writers {
		all.Go(func() {
			for i := range each {
				e := live("orders", i)
				e.Actor = fmt.Sprint("writer ", w)
				if _, err := log.Append(ctx, migrations.Unconditional, e, e); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	for i := 1; i < followers; i++ {
		if diff := cmp.Diff(got[0][i:], got[i]); diff != "" {
			t.Fatalf("followers 0 and %d differ:\n%s", i, diff)
		}
	}
	var state migrations.State
	var err error
	for _, e := range got[0] {
		if state, err = migrations.Apply(state, e); err != nil {
			t.Fatal(err)
		}
	}
	latest, err := migrations.Latest(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(latest, state); diff != "" {
		t.Errorf("the fold of what was followed is not the latest state:\n%s", diff)
	}
}

func testLongEvents(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	long := live("orders", 1)
	long.Reason = strings.Repeat("why? ", 100_000)
	mustAppend(t, log, live("orders", 2), long, live("orders", 3))
	events := read(t, log, 1, 3)
	if events[1].Reason != long.Reason {
		t.Errorf("a reason of %d bytes came back with %d", len(long.Reason), len(events[1].Reason))
	}
}

func testReopen(t *testing.T, p place) {
	const n = 20
	log := p.open()
	some(t, log, n)
	before := read(t, log, 0, n)
	for range 3 {
		if err := log.Close(); err != nil {
			t.Fatal("close:", err)
		}
		log = p.open()
		if seq := head(t, log); seq != n {
			t.Fatalf("the head of the reopened log is %d, want %d", seq, n)
		}
		if diff := cmp.Diff(before, read(t, log, 0, n)); diff != "" {
			t.Fatalf("the reopened log has other events:\n%s", diff)
		}
	}
	if seq := mustAppend(t, log, live("orders", 1)); seq != n+1 {
		t.Errorf("the reopened log goes on with event %d", seq)
	}
	if e := read(t, log, n, 1)[0]; e.Time.Before(before[n-1].Time) {
		t.Errorf("after %s time goes back to %s", before[n-1].Time, e.Time)
	}
}

func testReopenConflict(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"), live("orders", 1))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = p.open()
	wantConflict(t, log, 1, live("orders", 2))
	if _, err := log.Append(t.Context(), 2, live("orders", 2)); err != nil {
		t.Error(err)
	}
}

func testClosed(t *testing.T, p place) {
	log := p.open()
	mustAppend(t, log, created("orders"))
	waiting := following(t.Context(), log, 1)
	time.Sleep(20 * time.Millisecond)
	if err := log.Close(); err != nil {
		t.Fatal("close:", err)
	}
	if r := next(t, waiting); !errors.Is(r.err, migrations.ErrClosed) {
		t.Errorf("a follower of a log that is closed got %+v", r)
	}
	if r := next(t, following(t.Context(), log, 0)); !errors.Is(r.err, migrations.ErrClosed) {
		t.Errorf("a follower of a closed log got %+v", r)
	}
	if _, err := log.Append(t.Context(), 1, live("orders", 1)); !errors.Is(err, migrations.ErrClosed) {
		t.Errorf("append to a closed log: %v", err)
	}
	if _, err := log.Head(t.Context()); !errors.Is(err, migrations.ErrClosed) {
		t.Errorf("head of a closed log: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Errorf("closing once more: %v", err)
	}
}
