package gateway

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A fate is what became of a world.
type fate struct {
	back   bool // rolled back
	outage bool // while the monolith failed
	why    string
	steps  int
	held   int
}

// run makes requests, and decides whenever something bad may have happened, as
// the controller does, until the world ends.
func (w *world) run(t *testing.T, requests int) (f fate) {
	for n := range requests {
		w.request(n)
		if n-w.decided < 12 && n < requests-1 {
			continue
		}
		w.decided = n
		counts := w.book.ledger.read(&w.standing, w.now)
		counts.Plans = []string{w.plan.Hash()}
		for _, e := range migrations.Decide(w.state, *w.plan, counts, w.now) {
			switch e.Kind {
			case migrations.Stepped:
				f.steps++
			case migrations.Held:
				f.held++
			case migrations.RolledBack, migrations.Returning:
				f.back, f.why, f.outage = true, e.Reason, inSpan(w.outages, w.now)
				return f
			}
			w.append(t, e)
			if e.Kind == migrations.Stepped {
				w.stepped()
			}
		}
	}
	return f
}

// ramps begin at all kinds of shares, and in one half of them the others are
// compared as well. The objective is low, or the errors of both sides would hold
// them all.
var ramps = []string{
	"{stage: shadow}, {stage: live, share: 5%}, {stage: live, share: 50%}, {stage: live, share: 95%, hold: 1h}, {stage: complete}",
	"{stage: live, share: 5%}, {stage: live, share: 50%}, {stage: live, share: 95%, hold: 1h}, {stage: complete}",
	"{stage: shadow}, {stage: live, share: 50%, hold: 1h}, {stage: complete}",
	"{stage: live, share: 25%, hold: 1h}, {stage: complete}",
	"{stage: shadow}, {stage: live, share: 95%, hold: 1h}, {stage: complete}",
	"{stage: live, share: 95%, hold: 1h}, {stage: complete}",
}

// TestAMigrationWithoutADifferenceIsNotRolledBack simulates migrations between
// two applications that are alike, with every metric of the default guard: the
// share that is rolled back is at most α, and none is while the monolith fails.
func TestAMigrationWithoutADifferenceIsNotRolledBack(t *testing.T) {
	runs, requests, alphas := 60, 1200, []float64{0.01}
	if os.Getenv("FICUS_EVIDENCE") != "" {
		runs, requests, alphas = 10_000, 2500, []float64{0.001, 0.01}
	}
	for _, alpha := range alphas {
		t.Run(fmt.Sprint(alpha), func(t *testing.T) {
			var tables []*routes.Table
			for i := range 4 * len(ramps) { // in one half, no fallback helps where orders are searched, and in one half of these nowhere
				ramp, search, read := ramps[i%len(ramps)], "", ""
				if i >= 2*len(ramps) {
					search = ", fallback: {off: true}"
				}
				if i >= 3*len(ramps) {
					read = search
				}
				tables = append(tables, tableOf(t, fmt.Sprintf(`
upstreams: {monolith: "http://127.0.0.1:1", orders: "http://127.0.0.1:2"}
migrations:
  orders:
    {from: monolith, to: orders, key: header:X-User, data: shared, writes: follow, ramp: [%s], guard: {false_alarm: %g%%, objective: 80%%}}
routes:
  - {path: /orders, methods: [POST], migration: orders}
  - {path: /orders/search, migration: orders%s}
  - {path: /*, migration: orders%s}
`, ramp, 100*alpha, search, read)))
			}
			fates := make([]fate, runs)
			seeds := make(chan int)
			var all sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				all.Go(func() {
					for seed := range seeds {
						table := tables[seed%len(tables)]
						w := newWorld(t, uint64(seed), table, time.Duration(requests)*50*time.Millisecond)
						fates[seed] = w.run(t, requests)
					}
				})
			}
			for seed := range runs {
				seeds <- seed
			}
			close(seeds)
			all.Wait()
			back, outage, steps, held := 0, 0, 0, 0
			for seed, f := range fates {
				steps, held = steps+f.steps, held+f.held
				if f.back {
					back++
					t.Logf("migration %d: %s", seed, f.why)
				}
				if f.outage {
					outage++
					t.Errorf("migration %d was rolled back while the monolith failed: %s", seed, f.why)
				}
			}
			low, high := interval(back, runs)
			t.Logf("α = %g: %d of %d migrations rolled back, %.3g %% (95 %%: %.2g to %.2g %%); %d during an outage of the monolith; %.1f steps and %.1f holds each", alpha, back, runs,
				100*float64(back)/float64(runs), 100*low, 100*high, outage, float64(steps)/float64(runs), float64(held)/float64(runs))
			if low > alpha {
				t.Errorf("more than α = %g were rolled back", alpha)
			}
			if 4*steps < runs {
				t.Errorf("%d steps in all: these migrations hardly move", steps)
			}
		})
	}
}

// interval returns the exact interval of a share with 95 % confidence (Clopper
// and Pearson, 1934).
func interval(k, n int) (low, high float64) {
	tail := func(p float64, from, to int) float64 { // P(from ≤ X ≤ to)
		sum := 0.0
		for i := from; i <= to; i++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		return sum
	}
	solve := func(f func(float64) bool) float64 {
		a, b := 1e-12, 1-1e-12
		for range 60 {
			if m := (a + b) / 2; f(m) {
				b = m
			} else {
				a = m
			}
		}
		return a
	}
	high = 1
	if k > 0 {
		low = solve(func(p float64) bool { return 1-tail(p, 0, k-1) > 0.025 })
	}
	if k < n {
		high = solve(func(p float64) bool { return tail(p, 0, k) < 0.025 })
	}
	return low, high
}
