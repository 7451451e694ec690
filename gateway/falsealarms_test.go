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

// run makes requests, and decides once a second, as the controller does, until
// the world ends. A person sees to it that the ramp gets on: what it waits for
// would take too long.
func (w *world) run(t *testing.T, requests int) (f fate) {
	urged, steps := 1, len(w.plan.Steps)-1 // without complete
	for n := range requests {
		w.request(n)
		if n%20 != 0 && n < requests-1 {
			continue
		}
		counts := w.book.ledger.read(&w.standing, w.now)
		counts.Plans = []string{w.plan.Hash()}
		for _, e := range migrations.Decide(w.state, *w.plan, counts, w.now) {
			switch e.Kind {
			case migrations.Held:
				f.held++
			case migrations.RolledBack, migrations.Returning:
				f.back, f.why, f.outage = true, e.Reason, inSpan(w.outages, w.now)
				return f
			}
			w.happens(t, &f, e)
		}
		if due := min(steps, 1+n*steps/requests); due > urged {
			w.urge(t, &f, due)
			urged = due
		}
	}
	return f
}

// urge has a person take the ramp to a step, if it is not there yet.
func (w *world) urge(t *testing.T, f *fate, step int) {
	at := func() migrations.Course { return w.state.Migrations[w.plan.ID].Course("") }
	c := migrations.Command{Migration: w.plan.ID, Actor: "ada", Reason: "in a hurry"}
	if at().Step < step && at().Ramp == migrations.RampHeld {
		e, err := migrations.Resume(w.state, c, *w.plan)
		if err != nil {
			t.Error(err)
		}
		w.happens(t, f, e)
	}
	for at().Step < step {
		e, err := migrations.Skip(w.state, c, *w.plan)
		if err != nil {
			t.Error(err)
			return
		}
		w.happens(t, f, e)
	}
}

func (w *world) happens(t *testing.T, f *fate, e migrations.Event) {
	w.append(t, e)
	if e.Kind == migrations.Stepped || e.Kind == migrations.Skipped {
		f.steps++
		w.stepped()
	}
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

// tablesOf returns a table for each of the ramps four times: in one half, no
// fallback helps where orders are searched, and in one half of these nowhere.
func tablesOf(t *testing.T, alpha float64) (out []*routes.Table) {
	for i := range 4 * len(ramps) {
		search, read := "", ""
		if i >= 2*len(ramps) {
			search = ", fallback: {off: true}"
		}
		if i >= 3*len(ramps) {
			read = search
		}
		out = append(out, tableOf(t, fmt.Sprintf(`
upstreams: {monolith: "http://127.0.0.1:1", orders: "http://127.0.0.1:2"}
migrations:
  orders:
    {from: monolith, to: orders, key: header:X-User, data: shared, writes: follow, ramp: [%s], guard: {false_alarm: %g%%, objective: 80%%}}
routes:
  - {path: /orders, methods: [POST], migration: orders}
  - {path: /orders/search, migration: orders%s}
  - {path: /*, migration: orders%s}
`, ramps[i%len(ramps)], 100*alpha, search, read)))
	}
	return out
}

// simulate runs migrations to a service that fails in so many more of its requests.
func simulate(t *testing.T, alpha float64, runs, requests int, worse float64) []fate {
	tables, fates, seeds := tablesOf(t, alpha), make([]fate, runs), make(chan int)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := range seeds {
				w := newWorld(t, uint64(seed), tables[seed%len(tables)], time.Duration(requests)*50*time.Millisecond)
				w.worse = worse
				fates[seed] = w.run(t, requests)
			}
		})
	}
	for seed := range runs {
		seeds <- seed
	}
	close(seeds)
	all.Wait()
	return fates
}

// TestAMigrationWithoutADifferenceIsNotRolledBack simulates migrations between
// two applications that are alike, with every metric of the default guard and
// with restarts of the service: the share that is rolled back is at most α, and
// none is while the monolith fails.
func TestAMigrationWithoutADifferenceIsNotRolledBack(t *testing.T) {
	runs, requests, alphas := 96, 1000, []float64{0.01}
	if os.Getenv("FICUS_EVIDENCE") != "" {
		runs, requests, alphas = 10_000, 1500, []float64{0.001, 0.01}
	}
	for _, alpha := range alphas {
		t.Run(fmt.Sprint(alpha), func(t *testing.T) {
			s := sum(t, simulate(t, alpha, runs, requests, 0))
			low, high := interval(s.back, runs)
			t.Logf("α = %g: %d of %d migrations rolled back, %.3g %% (95 %%: %.2g to %.2g %%); %d during an outage of the monolith; %.1f steps and %.1f holds each", alpha, s.back, runs,
				100*float64(s.back)/float64(runs), 100*low, 100*high, s.outage, float64(s.steps)/float64(runs), float64(s.held)/float64(runs))
			if low > alpha {
				t.Error("that is more than α")
			}
			if s.steps < runs {
				t.Errorf("%d steps in all: these migrations hardly move", s.steps)
			}
		})
	}
}

type fates struct{ back, outage, steps, held int }

// sum adds fates up, and says which migrations were rolled back.
func sum(t *testing.T, all []fate) (s fates) {
	for seed, f := range all {
		s.steps, s.held = s.steps+f.steps, s.held+f.held
		if f.back {
			s.back++
			t.Logf("migration %d: %s", seed, f.why)
		}
		if f.outage {
			s.outage++
			t.Errorf("migration %d was rolled back while the monolith failed: %s", seed, f.why)
		}
	}
	return s
}

// TestAMigrationToAWorseServiceIsRolledBack shows that the same simulation tells
// a service that fails from one that does not.
func TestAMigrationToAWorseServiceIsRolledBack(t *testing.T) {
	runs, back := 12, 0
	for _, f := range simulate(t, 0.01, runs, 1000, 0.5) {
		if f.back {
			back++
		}
	}
	t.Logf("%d of %d migrations rolled back", back, runs)
	if 2*back < runs {
		t.Error("most of them should be")
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
