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

// ratioOf compares a quantile over all turns of two kinds. The bounds are those
// of a bootstrap that draws whole turns in their pairs, since what disturbs one
// request of a turn disturbs its neighbours.
func ratioOf(q float64, over, under []*histogram) ratio {
	of := func(draw func(i int) int) float64 {
		var a, b histogram
		for i := range over {
			a.add(over[draw(i)])
			b.add(under[draw(i)])
		}
		return a.quantile(q) / b.quantile(q)
	}
	random := rand.New(rand.NewPCG(1, 2))
	drawn := make([]float64, 1000)
	for i := range drawn {
		drawn[i] = of(func(int) int { return random.IntN(len(over)) })
	}
	slices.Sort(drawn)
	return ratio{drawn[25], of(func(i int) int { return i }), drawn[975]}
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
