package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// TestSeveralGatewaysDecideOnTheSum: of three gateways, each with a third of
// the people, none sees enough by itself, and yet a bad service is rolled back
// after as many people as one gateway with all of them needs, give or take the
// second in which the counts are exchanged.
func TestSeveralGatewaysDecideOnTheSum(t *testing.T) {
	const (
		pause   = 40 * time.Millisecond // between two requests, of which every fourth is bad
		aSecond = uint64(time.Second / pause / 4)
	)
	decide := func(begin string, n int) (sum uint64, e migrations.Event) {
		monolith, service := newFragile(t), newFragile(t)
		var asked atomic.Int64
		config := fmt.Sprintf(begin+`
upstreams: {monolith: "http://%s", orders: "http://%s"}
migrations: {orders: {from: monolith, to: orders, key: header:X-User}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, monolith.address, service.address)
		var gs []*running
		for range n {
			gs = append(gs, start(t, config))
		}
		gs[0].shift("orders", 50)
		for _, g := range gs {
			g.stands("orders", 50)
			eventually(t, "they know one another", func() bool { return n == 1 || len(g.shared.tally.Others()) == n-1 })
		}
		service.breaks(func(*http.Request) string {
			if asked.Add(1)%2 == 0 {
				return "broken"
			}
			return ""
		})
		c := browser(t)
		for i := 0; !gs[0].follower.State().Migrations["orders"].RolledBack; i++ {
			if i > 2000 {
				t.Fatalf("nobody decides; gateway 0 knows %+v", gs[0].counts("orders"))
			}
			r, _ := http.NewRequest(http.MethodGet, gs[i%n].url+"/orders/7", nil)
			r.Header.Set("X-User", fmt.Sprint("user ", i))
			res, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			time.Sleep(pause)
		}
		crowd := &crowd{running: gs[0]}
		e = crowd.until(migrations.RolledBack)
		return bad(judged(t, e)), e
	}
	one, _ := decide(anywhere, 1)
	redis := newRedis(t)
	three, e := decide(redis.together(), 3)
	t.Logf("one gateway decides after %d people with an error, three after %d: %s", one, three, e.Reason)
	if e.Cause != migrations.CauseTest || e.Evidence.Own || e.Evidence.Gateways != 3 {
		t.Errorf("decided for %q on the counts of %d gateways, own: %v", e.Cause, e.Evidence.Gateways, e.Evidence.Own)
	}
	if three < one || three > one+2+2*aSecond {
		t.Errorf("one gateway decides after %d, three after %d", one, three)
	}
}

// TestChangesAreEverywhereWithinMilliseconds measures the time from the
// acknowledgement of an event to its being in force at each of three gateways.
// FICUS_BENCH=1, on a quiet machine, holds it to 20 ms.
func TestChangesAreEverywhereWithinMilliseconds(t *testing.T) {
	redis := newRedis(t, durable...)
	config := redis.together() + twoMigrations(t)
	gs := []*running{start(t, config), start(t, config), start(t, config)}
	events, limit := 30, time.Second
	if os.Getenv("FICUS_BENCH") != "" {
		events, limit = 1000, 20*time.Millisecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var took []time.Duration
	for n := range events {
		seq, err := gs[n%3].events.Append(ctx, migrations.Unconditional, migrations.Event{
			Migration: "orders", Kind: migrations.Shifted, Actor: "ada",
			Split: migrations.Split{{Stage: migrations.Live, Buckets: n + 1}, {Stage: migrations.Off, Buckets: migrations.Buckets - n - 1}},
		})
		acknowledged := time.Now()
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var each [3]time.Duration
		for i, g := range gs {
			wait.Go(func() {
				if _, err := g.follower.Wait(ctx, seq); err != nil {
					t.Error(err)
				}
				each[i] = time.Since(acknowledged)
			})
		}
		wait.Wait()
		took = append(took, each[:]...)
	}
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	t.Logf("%d events at three gateways: p50 %s, p99 %s, longest %s", events, p50, p99, took[len(took)-1])
	if p99 > limit {
		t.Errorf("p99 is %s", p99)
	}
}
