package toll

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// quantile returns a quantile of durations in nanoseconds, which it sorts.
func quantile(q float64, d []int64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return time.Duration(d[min(int(q*float64(len(d))), len(d)-1)])
}

// A histogram counts durations in steps of half a percent.
type histogram struct {
	counts []int
	n      int
}

const step = 1.005

func histogramOf(d []int64) *histogram {
	h := new(histogram)
	for _, one := range d {
		i := int(math.Log(float64(max(one, 1))) / math.Log(step))
		if i >= len(h.counts) {
			h.counts = append(h.counts, make([]int, i+1-len(h.counts))...)
		}
		h.counts[i]++
	}
	h.n = len(d)
	return h
}

func (h *histogram) add(o *histogram) {
	if len(o.counts) > len(h.counts) {
		h.counts = append(h.counts, make([]int, len(o.counts)-len(h.counts))...)
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
}

func (h *histogram) quantile(q float64) float64 {
	left := int(q * float64(h.n))
	for i, n := range h.counts {
		if left -= n; left < 0 {
			return math.Pow(step, float64(i))
		}
	}
	return 0
}

// A ratio is one quantile over another, with the bounds of 95 % confidence.
type ratio struct{ low, is, high float64 }

// ratioOf compares a quantile of turns of two kinds, pair by pair, and returns
// the median: the two of a pair have the same load and are neighbours, and a
// turn that the machine below was busy in says nothing about the others. The
// bounds are those of a bootstrap that draws pairs.
func ratioOf(q float64, over, under []*histogram) ratio {
	ratios := make([]float64, len(over))
	for i := range over {
		ratios[i] = over[i].quantile(q) / under[i].quantile(q)
	}
	random := rand.New(rand.NewPCG(1, 2))
	drawn, again := make([]float64, 1000), make([]float64, len(ratios))
	for i := range drawn {
		for j := range again {
			again[j] = ratios[random.IntN(len(ratios))]
		}
		drawn[i] = median(again)
	}
	slices.Sort(drawn)
	return ratio{drawn[25], median(ratios), drawn[975]}
}

// median returns the median of numbers, which it sorts.
func median(x []float64) float64 {
	slices.Sort(x)
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}

func TestTheRatioOfEqualsIsOneWithinItsBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	draw := func(scale float64) (turns []*histogram) {
		for range 20 {
			d := make([]int64, 5000)
			for i := range d {
				d[i] = int64(scale * 1e5 * (1 + random.ExpFloat64()))
			}
			turns = append(turns, histogramOf(d))
		}
		return turns
	}
	if r := ratioOf(0.99, draw(1), draw(1)); r.low > 1 || r.high < 1 || r.high-r.low > 0.1 {
		t.Errorf("equals differ by %+v", r)
	}
	if r := ratioOf(0.99, draw(1.2), draw(1)); r.low < 1.1 || r.high > 1.3 {
		t.Errorf("a fifth more is %+v", r)
	}
}
