package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
)

// atMostAlpha fails if trips are more than α of the runs; with few runs, by
// more than chance.
func atMostAlpha(t *testing.T, trips, runs int, alpha float64) {
	t.Helper()
	expected := alpha * float64(runs)
	allowed := expected + 2*math.Sqrt(expected)
	if runs >= 10_000 {
		allowed = expected
	}
	t.Logf("%d of %d runs tripped, at most %.0f expected", trips, runs, expected)
	if float64(trips) > allowed {
		t.Errorf("%d of %d runs tripped, more than α = %v", trips, runs, alpha)
	}
}

func TestEqualSidesTripAtMostAlpha(t *testing.T) {
	const alpha = 0.01
	n, events := runs(500, 10_000), runs(100, 1000)
	for _, w := range []float64{0.01, 0.05, 0.25, 0.5, 0.95} {
		rng := rand.New(rand.NewPCG(1, uint64(w*1000)))
		trips := 0
		for range n {
			s := []Sample{{W: w}}
			for range events { // looked at after every bad event; nothing else changes E
				if rng.Float64() < w {
					s[0].Service++
				} else {
					s[0].Legacy++
				}
				if E(s, Worse(), 0) >= 1/alpha {
					trips++
					break
				}
			}
		}
		t.Logf("w = %v", w)
		atMostAlpha(t, trips, n, alpha)
	}
}

func TestAToleratedWorseningTripsAtMostAlpha(t *testing.T) {
	const alpha, margin, w = 0.01, 0.5, 0.2
	n, events := runs(500, 10_000), runs(100, 1000)
	rng := rand.New(rand.NewPCG(2, 2))
	q := w * (1 + margin) / (w*(1+margin) + 1 - w) // half as many again, as is allowed
	trips := 0
	for range n {
		s := []Sample{{W: w}}
		for range events {
			if rng.Float64() < q {
				s[0].Service++
			} else {
				s[0].Legacy++
			}
			if E(s, Worse(), margin) >= 1/alpha {
				trips++
				break
			}
		}
	}
	atMostAlpha(t, trips, n, alpha)
}

// A crowd is people with a heavy tail of requests, some of whom run into
// errors whatever side they are on.
type crowd struct {
	rng    *rand.Rand
	people []person
	total  float64
}

type person struct {
	until  float64 // cumulated activity
	modern bool
	bad    float64 // chance that a request fails
}

func newCrowd(rng *rand.Rand, size int, w float64) *crowd {
	c := &crowd{rng: rng}
	for range size {
		c.total += math.Pow(1-rng.Float64(), -1/1.1) // Pareto, infinite variance
		p := person{until: c.total, modern: rng.Float64() < w, bad: 0.002}
		if rng.Float64() < 0.02 {
			p.bad = 0.5 // has a broken cart
		}
		c.people = append(c.people, p)
	}
	return c
}

func (c *crowd) next() (who int, p person) {
	x := c.rng.Float64() * c.total
	low, high := 0, len(c.people)-1
	for low < high {
		if mid := (low + high) / 2; c.people[mid].until <= x {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, c.people[low]
}

func TestCorrelatedPeopleTripAtMostAlpha(t *testing.T) {
	const alpha = 0.01
	size, requests := runs(300, 1000), runs(2000, 3000)
	const share = 20_000
	n := runs(500, 10_000)
	rng := rand.New(rand.NewPCG(3, 3))
	trips, naive, broken := 0, 0, 0
	for range n {
		people := newCrowd(rng, size, float64(share)/Buckets)
		cell := NewCell(1, share)
		perRequest := []Sample{{W: float64(share) / Buckets}}
		tripped, naively, ratio := false, false, false
		for range requests {
			who, p := people.next()
			side := Legacy
			if p.modern {
				side = Modern
			}
			if !ratio && !cell.Seen.Has(Key(who)) {
				cell.Saw(Key(who), 1, side)
				ratio = cell.RatioCheck("", 1, false).Trips()
			}
			if rng.Float64() >= p.bad {
				continue
			}
			if side == Modern {
				perRequest[0].Service++
			} else {
				perRequest[0].Legacy++
			}
			if cell.Count(Errors, Key(who), 1, side) {
				tripped = tripped || E(cell.Samples(Guard{Metric: Errors}), Worse(), 0) >= 1/alpha
			}
			naively = naively || E(perRequest, Worse(), 0) >= 1/alpha
		}
		trips, naive, broken = trips+count(tripped), naive+count(naively), broken+count(ratio)
	}
	t.Logf("counting every bad request would have tripped %d of %d", naive, n)
	atMostAlpha(t, trips, n, alpha)
	atMostAlpha(t, broken, n, RatioAlpha)
	if float64(naive) < 5*alpha*float64(n) {
		t.Errorf("counting every bad request tripped %d of %d: these people are not correlated enough to test the rule", naive, n)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// All metrics and all tests of a migration share one α.
func TestManyMetricsAndTestsShareAlpha(t *testing.T) {
	const alpha, share = 0.05, 10_000
	n := runs(300, 10_000)
	rng := rand.New(rand.NewPCG(4, 4))
	guards := []Guard{{Metric: Errors}, {Metric: Timeouts}, {Metric: Slow}, {Metric: Mismatches, Basis: ByRate, Rate: 0.01}}
	trips := 0
	for range n {
		tripped := false
		for k := 1; k <= 3; k++ {
			cell := NewCell(uint64(k), share)
			for key := range Key(80) {
				g := guards[rng.IntN(len(guards))]
				side := Legacy
				if rng.Float64() < g.w(share) {
					side = Modern
				}
				cell.Count(g.Metric, key, uint64(k), side)
				for _, r := range cell.Judge("", guards, Budget{Alpha: alpha, Test: k}, false) {
					tripped = tripped || r.Trips()
				}
			}
		}
		trips += count(tripped)
	}
	atMostAlpha(t, trips, n, alpha)
}

func TestOnePersonWithAllTheErrorsIsNoEvidence(t *testing.T) {
	cell := NewCell(1, 5000)
	for range 10_000 {
		cell.Count(Errors, KeyOf("mallory"), 1, Modern)
	}
	if r := cell.Judge("", []Guard{{Metric: Errors}}, Budget{Alpha: 0.001, Test: 1}, false)[0]; r.Trips() || r.Epochs[0].Service != 1 {
		t.Errorf("one person's 10,000 errors count as %d: %v", r.Epochs[0].Service, r)
	}
}
