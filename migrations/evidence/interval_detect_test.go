package evidence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// How many intervals it takes to see a worsening: half of the runs are
// through after so many, 2,000 requests an interval, 1 % of them bad on the
// monolith, at the threshold of a first test with five metrics and α = 0.1 %.
func TestIntervalsSeeAWorsening(t *testing.T) {
	threshold := Budget{Alpha: 0.001, Test: 1, Metrics: 5}.Threshold()
	n := runs(60, 500)
	for _, c := range []struct {
		w, worse float64
		most     int // intervals
	}{
		{0.01, 3, 200}, {0.01, 10, 40},
		{0.05, 3, 80}, {0.05, 10, 22},
		{0.25, 3, 40}, {0.25, 10, 20},
		{0.5, 3, 40}, {0.5, 10, 30},
		{0.95, 10, 460},
	} {
		t.Run(fmt.Sprintf("%v times as bad at %v", c.worse, c.w), func(t *testing.T) {
			for _, name := range weathers {
				rng := rand.New(rand.NewPCG(20, uint64(1000*c.w+c.worse)))
				var took []int
				for range n {
					x := newWeather(rng, name, c.w, c.worse)
					x.requests, x.rate = 2000, 0.01
					at := x.until(threshold, IntervalMargin, IntervalLimit)
					if at == 0 {
						at = IntervalLimit + 1
					}
					took = append(took, at)
				}
				slices.Sort(took)
				t.Logf("%-20s half after %d intervals, 95 %% after %d", name, took[n/2], took[n*95/100])
				if name == "steady" && took[n/2] > c.most {
					t.Errorf("%s: half after %d intervals, want %d at most", name, took[n/2], c.most)
				}
			}
		})
	}
}

// The same people come again and again, and some fail more often than others.
func TestTheSamePeopleAgainTripAtMostAlpha(t *testing.T) {
	const alpha = 0.01
	n, intervals := runs(intervalRuns, 10_000), runs(150, IntervalLimit)
	for _, w := range []float64{0.05, 0.25, 0.5, 0.95} {
		rng := rand.New(rand.NewPCG(30, uint64(1000*w)))
		trips := 0
		for range n {
			var sum, people [2]float64
			all := IntervalPeople / min(w, 1-w)
			for range int(all) {
				side := Legacy
				if rng.Float64() < w {
					side = Modern
				}
				sum[side] += gamma(rng, 0.5) // how prone somebody is to fail
				people[side]++
			}
			x := newWeather(rng, "steady", w, 1)
			if people[Legacy] > 0 && people[Modern] > 0 {
				x.worse = (sum[Modern] / people[Modern]) / max(sum[Legacy]/people[Legacy], 0.01)
			}
			trips += count(x.until(1/alpha, IntervalMargin, intervals) > 0)
		}
		t.Logf("w = %v", w)
		atMostAlpha(t, trips, n, alpha)
	}
}
