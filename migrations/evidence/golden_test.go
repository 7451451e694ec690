package evidence

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// runs returns how often a simulation runs: long with FICUS_SOAK=1. It asks
// within the test, so that cached results know of the variable.
func runs(short, long int) int {
	if os.Getenv("FICUS_SOAK") == "1" {
		return long
	}
	return short
}

func TestGoldenErrorsWithoutAControlError(t *testing.T) {
	shares := []float64{0.01, 0.05, 0.25, 0.50}
	for _, row := range []struct {
		alpha float64
		want  []uint64
	}{
		{0.01, []uint64{2, 2, 4, 8}},
		{0.001, []uint64{2, 3, 6, 11}},
	} {
		for i, w := range shares {
			n := uint64(0)
			for E([]Sample{{W: w, Service: n}}, Worse(), 0) < 1/row.alpha {
				n++
			}
			if n != row.want[i] {
				t.Errorf("α = %v, w = %v: trips after %d errors, want %d", row.alpha, w, n, row.want[i])
			}
		}
	}
}

// detect returns the requests on the service until the evidence reaches the
// threshold: of all requests a share w goes there, bad ones being p1 of them
// and p0 of the monolith's. Requests of the monolith that are fine change
// nothing, and are left out.
func detect(rng *rand.Rand, w, p0, p1, threshold float64) float64 {
	relevant := w + (1-w)*p0
	s := []Sample{{W: w}}
	for n := 0; ; {
		if rng.Float64()*relevant >= w {
			s[0].Legacy++
			continue
		}
		if n++; rng.Float64() >= p1 {
			continue
		}
		s[0].Service++
		if E(s, Worse(), 0) >= threshold {
			return float64(n)
		}
	}
}

// With four metrics and at the third test it takes about half as many again.
func TestWhatIsSharedMakesDetectionSlower(t *testing.T) {
	mean := func(threshold float64) float64 {
		rng := rand.New(rand.NewPCG(21, 0))
		sum, n := 0.0, runs(400, 2000)
		for range n {
			sum += detect(rng, 0.05, 0.01, 0.05, threshold)
		}
		return sum / float64(n)
	}
	alone := mean(1000)
	shared := mean(Budget{Alpha: 0.001, Test: 3, Metrics: 4}.Threshold())
	t.Logf("mean %.0f alone, %.0f shared: %.2f times", alone, shared, shared/alone)
	if f := shared / alone; f < 1.3 || f > 1.8 {
		t.Errorf("it takes %.2f times as many requests, want about 1.5", f)
	}
}

func TestGoldenRequestsUntilDetection(t *testing.T) {
	shares := []float64{0.05, 0.25, 0.50}
	for _, row := range []struct {
		name   string
		p0, p1 float64
		mean   []float64
		p95    []float64 // 0: not in the table
	}{
		{"errors 1 % to 5 %", 0.01, 0.05, []float64{223, 335, 544}, []float64{500, 700, 1050}},
		{"errors 0.05 % to 1 %", 0.0005, 0.01, []float64{500, 810, 1410}, []float64{1050, 1400, 2480}},
		{"outage", 0, 1, []float64{3, 6, 11}, []float64{3, 6, 11}},
		{"slow responses 1 % to 10 %", 0.01, 0.10, []float64{70, 105, 178}, []float64{150, 200, 330}},
	} {
		for i, w := range shares {
			t.Run(fmt.Sprintf("%s at %v", row.name, w), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(20, uint64(i)))
				all := make([]float64, runs(400, 2000))
				sum := 0.0
				for r := range all {
					all[r] = detect(rng, w, row.p0, row.p1, 1000)
					sum += all[r]
				}
				slices.Sort(all)
				mean, p95 := sum/float64(len(all)), all[len(all)*95/100]
				t.Logf("mean %.0f (table %.0f), p95 %.0f (table %.0f)", mean, row.mean[i], p95, row.p95[i])
				if mean < 0.9*row.mean[i] || mean > 1.1*row.mean[i] {
					t.Errorf("detected after %.0f requests in the mean, want %.0f within 10 %%", mean, row.mean[i])
				}
				if p95 < 0.8*row.p95[i] || p95 > 1.25*row.p95[i] {
					t.Errorf("detected after %.0f requests in 95 %% of the runs, want about %.0f", p95, row.p95[i])
				}
			})
		}
	}
}
