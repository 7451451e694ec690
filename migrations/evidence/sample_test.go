package evidence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCleanSamples(t *testing.T) {
	for _, c := range []struct {
		worst float64
		want  int64
	}{{0.05, 59}, {0.01, 299}, {0.0005, 5990}, {0, math.MaxInt64}, {1, 1}, {2, 1}, {-1, math.MaxInt64}, {math.NaN(), math.MaxInt64}} {
		if got := CleanSample(c.worst, Confidence); got != c.want {
			t.Errorf("under %v: %d clean requests, want %d", c.worst, got, c.want)
		}
	}
}

func TestACleanSampleRulesOutWhatItShould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		worst := rapid.Float64Range(1e-6, 0.999).Draw(t, "worst")
		n := CleanSample(worst, Confidence)
		if got := CleanBound(uint64(n), Confidence); got > worst*(1+1e-9) {
			t.Fatalf("%d clean requests rule out %v, want %v", n, got, worst)
		}
		if n > 1 && CleanBound(uint64(n-1), Confidence) < worst*(1-1e-9) {
			t.Fatalf("%d clean requests would do for %v", n-1, worst)
		}
	})
	if CleanBound(0, Confidence) != 1 {
		t.Error("no requests rule something out")
	}
}

func TestObservationsAddUp(t *testing.T) {
	o := Observations{Sampled: 110, Match: 90, Mismatch: 4, Failed: 3, TimedOut: 2, Truncated: 1, Dropped: 10}
	if !o.AddUp() || o.Rate() != 0.09 {
		t.Errorf("add up: %v, rate %v, want 0.09", o.AddUp(), o.Rate())
	}
	if both := o.plus(o); !both.AddUp() || both.Rate() != 0.09 {
		t.Errorf("twice: %+v", both)
	}
	o.Match--
	if o.AddUp() {
		t.Error("one is missing, and they add up")
	}
	if (Observations{}).Rate() != 0 || (Observations{Dropped: 1}).Rate() != 0 {
		t.Error("none have a rate")
	}
}
