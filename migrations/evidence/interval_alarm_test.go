package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A weather makes what an application counts in an interval: events whose
// rates are shared by both sides or not, and that come one by one or in heaps.
// A service that is worse has worse times the rate.
type weather struct {
	rng      *rand.Rand
	name     string
	w        float64 // part of the requests on the service
	requests float64 // an interval, on average
	rate     float64
	worse    float64
	at       int
	deploys  [2]int // next deploy of a side
}

var weathers = []string{"steady", "bursts of one side", "common shocks", "day and night", "deploys", "heaps", "heaps of heaps"}

func newWeather(rng *rand.Rand, name string, w, worse float64) *weather {
	x := &weather{rng: rng, name: name, w: w, worse: worse}
	x.requests = 200 * math.Pow(100, rng.Float64())  // 200 to 20,000
	x.rate = 0.0005 * math.Pow(100, rng.Float64())   // 0.05 % to 5 %
	x.deploys = [2]int{rng.IntN(100), rng.IntN(100)} // both as often
	return x
}

func (x *weather) next() Interval {
	x.at++
	out := Interval{At: int64(x.at)}
	traffic, common := 1.0, 1.0
	switch x.name {
	case "common shocks":
		if x.rng.Float64() < 0.05 {
			common = 50
		}
	case "day and night":
		traffic = 1 + 0.95*math.Sin(float64(x.at)/20)
		common = 1 + 0.9*math.Sin(float64(x.at)/20+1)
	}
	for side := range out.Bad {
		mean, rate := x.requests*traffic*x.w, x.rate*common
		if Side(side) == Legacy {
			mean = x.requests * traffic * (1 - x.w)
		} else {
			rate *= x.worse
		}
		n := poisson(x.rng, mean)
		switch x.name {
		case "bursts of one side":
			rate *= gamma(x.rng, 0.5)
		case "common shocks":
			rate *= gamma(x.rng, 2)
		case "deploys":
			if x.at >= x.deploys[side] {
				rate *= 30
				x.deploys[side] = x.at + 50 + x.rng.IntN(100)
			}
		}
		bad := 0
		switch x.name {
		case "heaps": // a person whose client tries again ten times, more or less
			for range poisson(x.rng, mean*rate/10) {
				bad += 1 + int(x.rng.ExpFloat64()*9.5)
			}
		case "heaps of heaps": // without a usual size
			for range poisson(x.rng, mean*rate/5) {
				bad += int(math.Min(math.Pow(1-x.rng.Float64(), -1/1.2), 1000))
			}
		default:
			bad = poisson(x.rng, float64(n)*min(rate, 0.9))
		}
		out.Bad[side], out.Total[side] = uint64(min(bad, n)), uint64(n)
	}
	return out
}

// poisson returns a number of events, by its normal limit where they are many.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 200 {
		return max(int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())), 0)
	}
	n := 0
	for x := rng.ExpFloat64(); x < mean; x += rng.ExpFloat64() {
		n++
	}
	return n
}

// gamma returns a factor of mean 1 and that shape (Marsaglia and Tsang, 2000).
func gamma(rng *rand.Rand, shape float64) float64 {
	boost, k := 1.0, shape
	if k < 1 {
		boost, k = math.Pow(rng.Float64(), 1/k), k+1
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v * boost / shape
		}
	}
}

// until returns the interval at which the evidence of a weather first reaches
// a threshold, looked at after every one; 0 if it does not in so many.
func (x *weather) until(threshold, margin float64, most int) int {
	bets := UsualBets()
	won := make([]float64, len(bets))
	for i := range won {
		won[i] = 6 / (math.Pi * math.Pi)
	}
	for n := 1; n <= most; n++ {
		lean, sum := x.next().lean(margin), 0.0
		for i, part := range bets {
			won[i] *= 1 + part*lean
			sum += won[i]
		}
		if sum/float64(len(bets)) >= threshold {
			return n
		}
	}
	return 0
}

var partsOfTraffic = []float64{0.01, 0.05, 0.25, 0.5, 0.95}

func TestIntervalsOfEqualSidesTripAtMostAlpha(t *testing.T) {
	const alpha = 0.01
	n, intervals := runs(intervalRuns, 10_000), runs(150, IntervalLimit)
	for _, w := range partsOfTraffic {
		for i, name := range weathers {
			t.Run(fmt.Sprintf("%s at %v", name, w), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(10+uint64(i), uint64(1000*w)))
				trips := 0
				for range n {
					trips += count(newWeather(rng, name, w, 1).until(1/alpha, 0, intervals) > 0)
				}
				atMostAlpha(t, trips, n, alpha)
			})
		}
	}
}
