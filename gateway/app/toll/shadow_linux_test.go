package toll

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

var (
	pairs = flag.Int("pairs", 16, "turns with and without the shadow")
	rate  = flag.Float64("rate", 0, "requests a second; 0: 30 % of saturation")
)

// bound is what the control's p99 may grow by.
const bound = 1.10

// TestShadowCostsTheUserNothing measures the control's p99 at 30 % of
// saturation, with everything compared and with nothing compared in turns,
// and holds the first within 10 % of the second.
//
// It holds it for a monolith that takes as long as one does that asks a
// database. One that answers at once costs less than the gateway in front of
// it, and here all four programs share the processors: what the service takes
// of them when it is asked is seen in the p99 then, even if another program
// asks it than the gateway. That is measured and told.
func TestShadowCostsTheUserNothing(t *testing.T) {
	bench(t)
	for _, c := range []struct {
		name string
		setup
		told bool // and not held
	}{
		{name: "in 5 ms", setup: setup{wait: 5 * time.Millisecond}},
		{name: "never", setup: setup{wait: 5 * time.Millisecond, hangs: true}},
		{name: "in 2 ms", setup: setup{wait: 2 * time.Millisecond}},
		{name: "at once", told: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, c.setup)
			rate := *rate
			if rate == 0 {
				saturated := r.saturation(c.wait)
				rate = 0.3 * saturated
				t.Logf("saturated at %.0f requests/s", saturated)
			}
			off, on := r.turns(rate, *pairs)
			for _, q := range []float64{0.5, 0.9, 0.99} {
				x := ratioOf(q, on, off)
				t.Logf("p%g: %+.1f %% (%+.1f to %+.1f), %v without and %v with the shadow", 100*q, 100*(x.is-1), 100*(x.low-1), 100*(x.high-1),
					sum(off).rounded(q), sum(on).rounded(q))
			}
			seen, err := r.gateway.Comparisons(t.Context(), "orders")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.0f requests/s, %d turns; %+v", rate, 2*len(on), seen.Comparisons[0].Counts)
			if x := ratioOf(0.99, on, off); x.is > bound && !c.told {
				t.Errorf("the control's p99 is %.2f times as long with the shadow", x.is)
			}
		})
	}
}

// turns loads the gateway without and with the shadow, in turns that change
// their order and of which two and two have the same load.
func (r *road) turns(rate float64, pairs int) (off, on []*histogram) {
	r.t.Helper()
	order := []migrations.Stage{migrations.Off, migrations.Shadow}
	for i := 0; len(on) < pairs; i++ {
		if i > 3*pairs {
			r.t.Fatal("other programs keep the machine busy")
		}
		took := make(map[migrations.Stage]*histogram)
		for _, stage := range order {
			r.shift(stage)
			got, disturbed := r.run(turn{Rate: rate, Span: 2500 * time.Millisecond, Seed: uint64(i)})
			if disturbed {
				break
			}
			if got.Failed > 0 {
				r.t.Errorf("%d requests failed at %s", got.Failed, stage)
			}
			took[stage] = histogramOf(got.Took)
		}
		slices.Reverse(order)
		if len(took) == 2 {
			off, on = append(off, took[migrations.Off]), append(on, took[migrations.Shadow])
		}
	}
	return off, on
}

func sum(turns []*histogram) *histogram {
	h := new(histogram)
	for _, one := range turns {
		h.add(one)
	}
	return h
}

func (h *histogram) rounded(q float64) time.Duration {
	return time.Duration(h.quantile(q)).Round(time.Microsecond)
}
