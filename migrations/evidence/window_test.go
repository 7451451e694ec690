package evidence

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestASketchIsRightWithinAPercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var parts [3]Sketch
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(math.Exp(rng.NormFloat64()+3) * float64(time.Millisecond))
		all = append(all, d)
		parts[rng.IntN(3)].Add(d)
	}
	var merged Sketch
	for i := range parts {
		merged.Merge(&parts[i])
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 1} {
		want, got := all[int(q*float64(len(all)-1))], merged.Quantile(q)
		if math.Abs(float64(got-want)) > 0.0101*float64(want) {
			t.Errorf("p%v is %v, want %v within 1 %%", q*100, got, want)
		}
	}
	text, err := json.Marshal(&merged)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(text))
}

func TestASketchIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Sketch
		for range rapid.IntRange(0, 50).Draw(t, "n") {
			s.Add(time.Duration(rapid.Int64().Draw(t, "d")))
		}
		written := text(t, &s)
		var back Sketch
		if err := json.Unmarshal([]byte(written), &back); err != nil {
			t.Fatal(err)
		}
		if got := text(t, &back); got != written || back.Len() != s.Len() || back.Quantile(0.9) != s.Quantile(0.9) {
			t.Fatalf("written %s, read %s", written, got)
		}
	})
}

func TestTauComesFromThePastOnly(t *testing.T) {
	var w Window
	slot := noon.Truncate(longSlot)
	for i := range 1000 {
		w.Add(slot.Add(-longSlot), time.Duration(i)*time.Millisecond) // 0 to 999 ms, in the slot before
		w.Add(slot, time.Minute)                                      // the short slot under way
	}
	tau, ok := w.Tau(0.99, slot.Add(time.Second))
	if !ok || tau < 980*time.Millisecond || tau > time.Second {
		t.Errorf("τ = %v, %v; want the p99 of the slot before, about 989ms", tau, ok)
	}
	if tau, ok := w.Tau(0.4, slot.Add(shortSlot)); !ok || tau > time.Second {
		t.Errorf("τ = %v, %v; the first short slot is over, and more than 40 %% of all took less than a second", tau, ok)
	}
	if tau, ok := w.Tau(0.6, slot.Add(shortSlot)); !ok || tau < 59*time.Second {
		t.Errorf("τ = %v, %v; want a minute, from the short slot that is over", tau, ok)
	}
	if _, ok := w.Tau(0.99, slot.Add(time.Second-longSlot)); ok {
		t.Error("there is a τ before any slot was over")
	}
	if _, ok := w.Tau(0.9999, slot.Add(time.Second)); ok {
		t.Error("one response beyond the p99.99 is enough for a τ")
	}
	if _, ok := w.Tau(0.5, slot.Add(2*time.Hour)); ok {
		t.Error("what is two hours old still counts")
	}
	for i := range 1000 {
		w.Add(slot.Add(time.Duration(i)*longSlot), time.Second)
	}
	if len(w.Hour) != longKept || len(w.Recent) > int(shortKept) {
		t.Errorf("%d and %d slots are kept", len(w.Hour), len(w.Recent))
	}
}

func TestNoLatencyIsCountedTwiceForTau(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		by := noon.Add(time.Duration(rapid.IntRange(0, 599).Draw(t, "by")) * time.Second)
		over := 0
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			at := by.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(t, "ago")) * time.Second)
			w.Add(at, time.Second)
			if at.Before(by.Truncate(shortSlot)) {
				over++
			}
		}
		past := w.past(by)
		if past.Len() != uint64(over) {
			t.Fatalf("%d were over, and %d count", over, past.Len())
		}
	})
}

func TestSlowerIsToleratedOnTheServiceOnly(t *testing.T) {
	tol := Tolerance{Tau: time.Second, WorseBy: 0.2}
	if tol.Limit(Legacy) != time.Second || tol.Limit(Modern) != 1200*time.Millisecond {
		t.Errorf("limits %v and %v", tol.Limit(Legacy), tol.Limit(Modern))
	}
	if (Tolerance{Tau: time.Second, WorseBy: -1}).Limit(Modern) != time.Second+leastWorse {
		t.Error("a negative margin counts")
	}
}
