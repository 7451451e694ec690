package evidence

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

// traffic adds a request a second for a while, up to a time, of which one in
// every are bad; 0 for none.
func traffic(b *Burn, to time.Time, long time.Duration, every int) {
	for i := range int(long / time.Minute) {
		bad := uint64(0)
		if every > 0 {
			bad = uint64(6000 / every)
		}
		b.Add(to.Add(-time.Duration(i)*time.Minute), 6000, bad)
	}
}

func TestBurnRates(t *testing.T) {
	var b Burn
	traffic(&b, noon, 74*time.Hour, 2000) // 0.05 %: exactly the budget
	for _, p := range Paces {
		for _, window := range []time.Duration{p.Long, p.Short} {
			if got := b.Rate(window, Objective, noon); math.Abs(got-1) > 1e-9 {
				t.Errorf("over %v it burns %v times as fast as allowed, want 1", window, got)
			}
		}
	}
	if pace, ok := b.Burning(Objective, noon, false); !ok || pace.Factor != 1 || pace.Page {
		t.Errorf("three days at the limit: %+v, %v", pace, ok)
	}
	if got := (Burn{}).Rate(time.Hour, Objective, noon); got != 0 {
		t.Errorf("no requests burn %v", got)
	}
	if got := b.Rate(time.Hour, 1, noon); got != 0 {
		t.Errorf("an objective of 100 %% has no budget to burn: %v", got)
	}
}

func TestTheFourPaces(t *testing.T) {
	for _, c := range []struct {
		name  string
		long  time.Duration // of the trouble, up to now
		every int           // one request in so many fails
		want  float64       // 0: none
	}{
		{"one in 100 for an hour", time.Hour, 100, 14.4},
		{"one in 300 for six hours", 6 * time.Hour, 300, 6},
		{"one in 600 for a day", 24 * time.Hour, 600, 3},
		{"one in 1,500 for three days", 72 * time.Hour, 1500, 1},
		{"one in 3,000 for three days", 72 * time.Hour, 3000, 0},
		{"one in 100 for one minute", time.Minute, 100, 0},
	} {
		var b Burn
		traffic(&b, noon.Add(-c.long), 75*time.Hour-c.long, 0)
		traffic(&b, noon, c.long, c.every)
		pace, ok := b.Burning(Objective, noon, false)
		if ok != (c.want > 0) || pace.Factor != c.want {
			t.Errorf("%s: %+v, %v", c.name, pace, ok)
		}
	}
	// Where hardly anybody comes, a few failures are no rate.
	var few Burn
	few.Add(noon, 20, FewFailures-1)
	if pace, ok := few.Burning(Objective, noon, false); ok {
		t.Errorf("%d failures: %+v", FewFailures-1, pace)
	}
	few.Add(noon, 1, 1)
	if _, ok := few.Burning(Objective, noon, false); !ok {
		t.Errorf("%d failures of 21 requests do not burn", FewFailures)
	}
	// An hour that was bad until ten minutes ago is over: the short window says so.
	var b Burn
	traffic(&b, noon.Add(-10*time.Minute), time.Hour, 100)
	traffic(&b, noon, 10*time.Minute, 0)
	if pace, ok := b.Burning(Objective, noon, false); ok && pace.Factor == 14.4 {
		t.Errorf("trouble that is over still pages: %+v", pace)
	}
}

func TestWhenBothSidesBurnTheMigrationIsNotToBlame(t *testing.T) {
	var hot, calm Burn
	traffic(&hot, noon, time.Hour, 50)
	traffic(&calm, noon, time.Hour, 0)
	for _, c := range []struct {
		legacy, modern Burn
		want           Blaze
	}{{calm, calm, Calm}, {calm, hot, ModernHot}, {hot, calm, LegacyHot}, {hot, hot, BothHot}} {
		if got := (Burns{Legacy: c.legacy, Modern: c.modern}).Judge(Objective, noon, false); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestABurnForgetsAfterThreeDays(t *testing.T) {
	var b Burn
	for i := range 30 * 24 * 60 {
		b.Add(noon.Add(time.Duration(i)*time.Minute), 1_000_000, 500)
	}
	if len(b.Minutes) != keepMinutes || len(b.Quarters) != keepQuarter {
		t.Errorf("%d minutes and %d quarters are kept", len(b.Minutes), len(b.Quarters))
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a whole burn takes %d bytes", len(text))
}
