package evidence

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAWeekTellsWhoComes(t *testing.T) {
	var w Week
	var burn Burns
	now := time.Date(2026, 3, 8, 12, 30, 0, 0, time.UTC)
	if _, known := w.Traffic(burn, now); known {
		t.Error("nobody came, and something is known")
	}
	// Two hundred people every hour of a week, a quarter of them new each hour, five requests each.
	for h := range 7 * 24 {
		at := now.Add(-time.Duration(7*24-h) * time.Hour)
		for i := range 200 {
			key := KeyOf(fmt.Sprint("regular ", i))
			if i < 50 {
				key = KeyOf(fmt.Sprint("new ", h, " ", i))
			}
			for range 5 {
				w.Add(at, key)
			}
			burn[Legacy].Add(at, 5, 0)
		}
		burn[Legacy].Add(at, 0, 2)
	}
	w.Add(now, KeyOf("the hour under way"))
	got, known := w.Traffic(burn, now)
	near := func(what string, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within*want {
			t.Errorf("%s: %.4g, want %.4g", what, got, want)
		}
	}
	if !known {
		t.Fatal("nothing is known")
	}
	near("people an hour", got.Hourly, 200, 0.1)
	near("people a week", got.Weekly, 150+7*24*50, 0.15)
	near("requests of one", got.PerKey, 5, 0.1)
	near("bad", got.Bad, 0.002, 0.01)
	if len(w.Hours) > hoursKept || len(w.Days) > daysKept {
		t.Errorf("%d hours and %d days are kept", len(w.Hours), len(w.Days))
	}
}

// What is known of a few hours says nothing of a week, and an hour without
// anybody is an hour.
func TestAWeekOfAFewHours(t *testing.T) {
	var w Week
	now := time.Date(2026, 3, 8, 12, 30, 0, 0, time.UTC)
	w.Add(now.Add(-time.Hour), KeyOf("in a part of an hour"))
	if _, known := w.Traffic(Burns{}, now); known {
		t.Error("what came in a part of an hour is taken for usual")
	}
	w.Add(now.Add(-4*time.Hour), KeyOf("the first"))
	for i := range 90 {
		w.Add(now.Add(-3*time.Hour), KeyOf(fmt.Sprint(i)))
	}
	got, known := w.Traffic(Burns{}, now)
	if !known || math.Abs(got.Hourly-30) > 3 || got.Weekly != 0 {
		t.Errorf("%+v, %v", got, known)
	}
	if _, known := w.Traffic(Burns{}, now.Add(48*time.Hour)); known {
		t.Error("what was two days ago is taken for usual")
	}
	w.Add(now, 0)
	if len(w.Hours) != 3 {
		t.Error("nobody is counted")
	}
}

func TestWeeksUnite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
		var parts [3]Week
		var whole Week
		for range rapid.IntRange(0, 300).Draw(t, "requests") {
			at := start.Add(time.Duration(rapid.IntRange(0, 10*24).Draw(t, "hour")) * time.Hour)
			key := Key(rapid.Uint64Range(1, 40).Draw(t, "key"))
			parts[rapid.IntRange(0, 2).Draw(t, "gateway")].Add(at, key)
			whole.Add(at, key)
		}
		text := func(w Week) string {
			b, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			var back Week
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatalf("%v: %s", err, b)
			}
			return string(b)
		}
		var one, other Week
		for i := range parts {
			one.Merge(parts[i])
			other.Merge(parts[len(parts)-1-i])
		}
		if text(one) != text(other) {
			t.Fatalf("the order matters:\n%s\n%s", text(one), text(other))
		}
		if text(one) != text(whole) {
			t.Fatalf("together they know\n%s\nand one that saw it all\n%s", text(one), text(whole))
		}
	})
}

func FuzzWeek(f *testing.F) {
	var w Week
	w.Add(time.Unix(1_772_366_400, 0), 7)
	text, _ := json.Marshal(w)
	f.Add(string(text))
	f.Add(`{"hours":[{"at":2,"people":""}]}`)
	f.Add(`{"days":[{"at":2},{"at":1}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var w Week
		if json.Unmarshal([]byte(text), &w) != nil {
			return
		}
		w.Merge(w)
		traffic, _ := w.Traffic(Burns{}, time.Unix(1_772_366_400, 0))
		if math.IsNaN(traffic.Hourly) || math.IsInf(traffic.Hourly, 0) || traffic.Hourly < 0 || math.IsNaN(traffic.PerKey) {
			t.Errorf("%+v", traffic)
		}
	})
}
