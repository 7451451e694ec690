package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestARecordIsRecomputedToTheBitAfterARoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := cells(t)
		guards := []Guard{
			{Metric: Errors, Margin: rapid.Float64Range(0, 3).Draw(t, "margin")}, {Metric: Slow},
			{Metric: Mismatches, Basis: ByRate, Rate: rapid.Float64Range(0, 1).Draw(t, "rate")}, {Metric: Pairs, Basis: ByPair},
		}
		records := cell.Judge("eu", guards, Budget{
			Alpha: rapid.Float64Range(0, 1).Draw(t, "α"), Test: rapid.IntRange(0, 50).Draw(t, "k"),
			Gateways: rapid.IntRange(0, 5).Draw(t, "gateways"), Own: rapid.Bool().Draw(t, "own"),
		}, rapid.Bool().Draw(t, "several networks"))
		records = append(records, cell.RatioCheck("eu", 2, rapid.Bool().Draw(t, "several")))
		for _, r := range records {
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back Record
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if math.Float64bits(back.Recompute()) != math.Float64bits(r.E) {
				t.Fatalf("E was %v, recomputed %v from %s", r.E, back.Recompute(), text)
			}
			if err := back.Check(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
	})
}

func TestARecordThatWasTamperedWithIsFound(t *testing.T) {
	cell := NewCell(7, 5000)
	for key := range Key(4) {
		cell.Count(Errors, key, 7, Modern)
	}
	r := cell.Judge("", []Guard{{Metric: Errors}}, Budget{Alpha: 0.001, Test: 1}, false)[0]
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	r.E++
	if err := r.Check(); !errors.Is(err, ErrRecord) {
		t.Errorf("another E: %v", err)
	}
	r.E--
	r.Threshold = 10
	if err := r.Check(); !errors.Is(err, ErrRecord) {
		t.Errorf("another threshold: %v", err)
	}
}

func TestARecordSaysWhatItSays(t *testing.T) {
	cell := NewCell(7, 5000)
	for key := range Key(5) {
		cell.Count(Errors, key, 7, Modern)
	}
	for i := range 40 {
		cell.Link(Errors, fmt.Sprintf("%032x-%016x", i, i))
	}
	guards := []Guard{{Metric: Errors}, {Metric: Timeouts}, {Metric: Slow}, {Metric: Mismatches, Basis: ByRate, Rate: 0.001}}
	records := cell.Judge("eu", guards, Budget{Alpha: 0.001, Test: 2}, false)
	r, ok := Strongest(records)
	if !ok || r.Metric != Errors || !r.Trips() || len(r.Spans) != SpanLimit {
		t.Fatalf("the strongest record is %+v", r)
	}
	if want := 4 / (0.001 * 6 / (math.Pi * math.Pi) / 4); math.Abs(r.Threshold-want) > 1e-6 {
		t.Errorf("threshold %v, want K/α_k = %v", r.Threshold, want)
	}
	rate := cell.Judge("", []Guard{{Metric: Mismatches, Basis: ByRate, Rate: 0.001}}, Budget{Alpha: 0.01, Test: 1}, false)[0]
	if text := rate.String(); !strings.HasPrefix(text, "mismatches: 0 of 0 people got one, and a share of 0.001 may; E = 1,") {
		t.Errorf("it says %q", text)
	}
	if text := r.String(); !strings.HasPrefix(text, "eu: errors: 5 of 5 on the service at w = 0.05; E = ") || !strings.HasSuffix(text, "threshold 2.632e+04: trips") {
		t.Error(text)
	}
	if _, ok := Strongest(nil); ok {
		t.Error("there is a strongest of none")
	}
}

func TestAGridThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{`0`, `-1`, `"nan"`, `"Inf"`, `null1`, `{}`, `1e999`} {
		var o Odds
		if err := json.Unmarshal([]byte(text), &o); err == nil {
			t.Errorf("odds %s are read as %v", text, o)
		}
	}
	if _, err := json.Marshal(Odds(math.NaN())); err == nil {
		t.Error("odds that are no number are written")
	}
}

func TestBudget(t *testing.T) {
	if got := (Budget{Alpha: 0.001}).Threshold(); math.Abs(got-math.Pi*math.Pi/6*1000) > 1e-6 {
		t.Errorf("the first test of one metric has the threshold %v", got)
	}
	for _, none := range []float64{0, -1, math.NaN()} {
		b := Budget{Alpha: none, Test: 1, Metrics: 1}
		if r := (Record{E: Most, Threshold: b.Threshold()}); r.Trips() {
			t.Errorf("α = %v trips at the threshold %v", none, r.Threshold)
		}
	}
	sum := 0.0
	for k := 1; k <= 100_000; k++ {
		sum += Budget{Alpha: 0.01, Test: k}.Level()
	}
	if sum > 0.01 || sum < 0.0099 {
		t.Errorf("all tests together spend %v of 0.01", sum)
	}
	if got := Spent(0.01, 100_000); math.Abs(got-sum) > 1e-9 {
		t.Errorf("Spent says %v, want %v", got, sum)
	}
	if Spent(0, 3) != 0 || Spent(0.1, 0) != 0 || Spent(0.1, math.MaxInt) > 0.1 {
		t.Error("Spent strays")
	}
	if got := FalseAlarms(0.001, 0.01, -1, math.NaN()); got != 0.011 {
		t.Errorf("two migrations have a budget of %v", got)
	}
	if FalseAlarms(0.7, 0.7) != 1 {
		t.Error("a chance above 1")
	}
}

// Merged counts and every gateway's own together spend no more than one
// gateway alone would.
func TestSeveralGatewaysShareAlpha(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Budget{Alpha: rapid.Float64Range(0, 1).Draw(t, "α"), Test: rapid.IntRange(1, 9).Draw(t, "k")}
		alone := b.Level()
		b.Gateways = rapid.IntRange(2, 100).Draw(t, "gateways")
		sum := b.Level()
		b.Own = true
		sum += float64(b.Gateways) * b.Level()
		if math.Abs(sum-alone) > 1e-12 {
			t.Fatalf("%d gateways spend %v, one %v", b.Gateways, sum, alone)
		}
	})
	merged := time.Unix(1000, 0)
	if IsStale(merged, merged.Add(Stale)) || !IsStale(merged, merged.Add(Stale+1)) {
		t.Error("counts go stale after three seconds")
	}
}
