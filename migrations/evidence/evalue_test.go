package evidence

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// shares of an epoch, with the awkward ones among them.
func ws() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(0, Buckets), func(b int) float64 { return float64(b) / Buckets }),
		rapid.SampledFrom([]float64{0, 1, 0.00001, 0.99999, 0.5, -1, 2, math.NaN(), math.Inf(1), math.SmallestNonzeroFloat64, math.Nextafter(1, 0)}),
	)
}

func samples() *rapid.Generator[[]Sample] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Sample {
		n := rapid.OneOf(rapid.Uint64Range(0, 50), rapid.Uint64Range(0, Limit), rapid.Uint64())
		return Sample{W: ws().Draw(t, "w"), Service: n.Draw(t, "service"), Legacy: n.Draw(t, "legacy")}
	}), 0, 4)
}

func margins() *rapid.Generator[float64] {
	return rapid.SampledFrom([]float64{0, 0.1, 0.2, 1, 1e9, 1e300, -0.5, math.NaN(), math.Inf(1)})
}

func TestEvidenceIsAlwaysANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, margin := samples().Draw(t, "samples"), margins().Draw(t, "margin")
		grid := rapid.SampledFrom([]Grid{Worse(), Either(), Paired(), nil, {Infinity}, {Odds(math.NaN()), -1, 0, 2}}).Draw(t, "grid")
		if e := E(s, grid, margin); math.IsNaN(e) || e < 0 || e > Most {
			t.Fatalf("E = %v", e)
		}
	})
}

func TestMoreErrorsOnTheServiceAreMoreEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := samples().Draw(t, "samples")
		for i := range s {
			s[i].Service, s[i].Legacy = s[i].Service%Limit, s[i].Legacy%Limit
		}
		if len(s) == 0 {
			return
		}
		margin := rapid.Float64Range(0, 2).Draw(t, "margin")
		i := rapid.IntRange(0, len(s)-1).Draw(t, "epoch")
		before := E(s, Worse(), margin)
		s[i].Service++
		if after := E(s, Worse(), margin); after < before*(1-1e-9) {
			t.Fatalf("one more error on the service: E falls from %v to %v", before, after)
		}
		s[i].Service--
		s[i].Legacy++
		if after := E(s, Worse(), margin); after > before*(1+1e-9) {
			t.Fatalf("one more error on the monolith: E rises from %v to %v", before, after)
		}
	})
}

func TestAMarginTakesEvidenceAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.001, 0.95).Draw(t, "w")
		// more than the share that the wider margin would explain, of few
		// enough for the candidates above the margin to matter
		s := []Sample{{W: w, Service: rapid.Uint64Range(1, 40).Draw(t, "n")}}
		narrow := rapid.Float64Range(0, 1).Draw(t, "narrow")
		wide := narrow + rapid.Float64Range(0, 1).Draw(t, "more")
		if a, b := E(s, Worse(), narrow), E(s, Worse(), wide); b > a*(1+1e-9) {
			t.Fatalf("E is %v with δ = %v, but %v with δ = %v", a, narrow, b, wide)
		}
	})
}

func TestEpochsWithoutAControlSayNothing(t *testing.T) {
	base := []Sample{{W: 0.05, Service: 3, Legacy: 1}}
	want := E(base, Worse(), 0)
	for _, w := range []float64{0, 1, -0.1, 1.1, math.NaN(), 1e-300} {
		with := append(slices.Clone(base), Sample{W: w, Service: 7, Legacy: 7})
		if got := E(with, Worse(), 0); got != want {
			t.Errorf("an epoch with w = %v changes E from %v to %v", w, want, got)
		}
	}
	if got := E([]Sample{{W: 0.3}}, Worse(), 0); got != 1 {
		t.Errorf("E without an event is %v, want 1", got)
	}
	if got := E(nil, Worse(), 0); got != 1 {
		t.Errorf("E without an epoch is %v, want 1", got)
	}
}

func TestInfiniteOddsEndWithTheFirstErrorOfTheMonolith(t *testing.T) {
	only := Grid{Infinity}
	if got := E([]Sample{{W: 0.25, Service: 3}, {W: 0.5, Service: 1}}, only, 0); got != 128 {
		t.Errorf("E = %v, want 4³·2 = 128", got)
	}
	if got := E([]Sample{{W: 0.25, Service: 3}, {W: 0.5, Legacy: 1}}, only, 0); got != 0 {
		t.Errorf("E = %v after an error of the monolith, want 0", got)
	}
}

// The formula as the specification writes it, in logarithms.
func TestEvidenceIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s []Sample
		for range rapid.IntRange(1, 3).Draw(t, "epochs") {
			s = append(s, Sample{
				W:       float64(rapid.IntRange(1, Buckets-1).Draw(t, "share")) / Buckets,
				Service: rapid.Uint64Range(0, 60).Draw(t, "n_c"),
				Legacy:  rapid.Uint64Range(0, 60).Draw(t, "n_l"),
			})
		}
		sum := 0.0
		for _, theta := range Worse() {
			log := 0.0
			for _, e := range s {
				q := e.W * float64(theta) / (e.W*float64(theta) + 1 - e.W)
				if theta == Infinity {
					q = 1
				}
				log += float64(e.Service) * math.Log(q/e.W)
				if e.Legacy > 0 {
					log += float64(e.Legacy) * math.Log((1-q)/(1-e.W))
				}
			}
			sum += math.Exp(log)
		}
		if want, got := min(sum/8, Most), E(s, Worse(), 0); math.Abs(got-want) > 1e-7*want {
			t.Fatalf("E = %v, want %v", got, want)
		}
	})
}

// These bits must never change: events of the past are recomputed.
func TestEvidenceIsTheSameToTheBitEverywhere(t *testing.T) {
	for _, c := range []struct {
		s      []Sample
		grid   Grid
		margin float64
		want   uint64
	}{
		{[]Sample{{W: 0.05, Service: 3}}, Worse(), 0, 0x40a37ab956ae1f15},
		{[]Sample{{W: 0.05, Service: 9, Legacy: 20}, {W: 0.25, Service: 40, Legacy: 31}}, Worse(), 0.2, 0x417ade9e1feb12eb},
		{[]Sample{{W: 0.01, Service: 1000, Legacy: 65_000}}, Worse(), 0, 0x43076fa758529b94},
		{[]Sample{{W: 0.33333, Service: 1234, Legacy: 2700}}, Either(), 0, 0x400c97b79588c5c5},
		{[]Sample{{W: 0.5, Service: 11, Legacy: 1}}, Paired(), 0, 0x405d1f6066db9b1c},
	} {
		if got := E(c.s, c.grid, c.margin); math.Float64bits(got) != c.want {
			t.Errorf("E(%v) = %v, bits %#x, want %#x", c.s, got, math.Float64bits(got), c.want)
		}
	}
}

func TestElevenOneSidedPairsPassAThousand(t *testing.T) {
	if e := E([]Sample{{W: 0.5, Service: 11}}, Paired(), 0); e < 1000 {
		t.Errorf("E = %v after eleven, want at least 1,000", e)
	}
	if e := E([]Sample{{W: 0.5, Service: 10}}, Paired(), 0); e >= 1000 {
		t.Errorf("E = %v after ten, want less than 1,000", e)
	}
	product := 1.0 // Π(1+λs), as the specification writes it
	for _, s := range []float64{1, 1, -1, 1, 1, 1, -1, 1} {
		product *= 1 + 0.9*s
	}
	if e := E([]Sample{{W: 0.5, Service: 6, Legacy: 2}}, Paired(), 0); math.Abs(e-product) > 1e-12 {
		t.Errorf("E = %v, want %v", e, product)
	}
}

func TestMismatchesAreHeldAgainstAnAllowedRate(t *testing.T) {
	cell := NewCell(1, 0) // in shadow: nobody is on the service
	guard := Guard{Metric: Mismatches, Basis: ByRate, Rate: 0.001}
	judge := func() Record { return cell.Judge("", []Guard{guard}, Budget{Alpha: 0.001, Test: 1}, false)[0] }
	for key := range Key(2000) { // one in a thousand, as allowed
		side := Legacy
		if key%1000 == 7 {
			side = Modern
		}
		cell.Count(Mismatches, key, 1, side)
	}
	if r := judge(); r.Trips() {
		t.Errorf("the allowed rate trips: %v", r)
	}
	for key := Key(2000); key < 2400; key++ { // then one in twenty
		side := Legacy
		if key%20 == 0 {
			side = Modern
		}
		cell.Count(Mismatches, key, 1, side)
	}
	if r := judge(); !r.Trips() {
		t.Errorf("fifty times the allowed rate does not trip: %v", r)
	}
}

func BenchmarkJudge(b *testing.B) {
	guards := []Guard{{Metric: Errors}, {Metric: Timeouts, Margin: 0.2}, {Metric: Slow}, {Metric: Mismatches, Basis: ByRate, Rate: 0.001}}
	cell := NewCell(1, 1000)
	for epoch := uint64(2); epoch <= 5; epoch++ {
		cell.Begin(epoch, int(epoch)*5000)
	}
	for key := range Key(2000) {
		cell.Count(guards[key%4].Metric, key, uint64(1+key%5), Side(key/8%2))
	}
	b.ReportAllocs()
	for b.Loop() {
		cell.Judge("", guards, Budget{Alpha: 0.001, Test: 3}, false)
	}
}

func BenchmarkE(b *testing.B) {
	s := []Sample{{W: 0.01, Service: 1100, Legacy: 40}, {W: 0.05, Service: 11, Legacy: 120}, {W: 0.25, Service: 60, Legacy: 150}}
	b.ReportAllocs()
	for b.Loop() {
		E(s, Worse(), 0)
	}
}
