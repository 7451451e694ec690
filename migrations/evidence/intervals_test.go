package evidence

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func TestLean(t *testing.T) {
	for _, c := range []struct {
		name   string
		x      Interval
		margin float64
		want   float64
	}{
		{"nothing bad", Interval{Total: Sides{900, 100}}, 0, 0},
		{"nobody on the service", Interval{Bad: Sides{9, 0}, Total: Sides{900, 0}}, 0, 0},
		{"nobody on the monolith", Interval{Bad: Sides{0, 9}, Total: Sides{0, 100}}, 0, 0},
		{"all the bad on the service", Interval{Bad: Sides{0, 9}, Total: Sides{900, 100}}, 0, 1},
		{"as many on both", Interval{Bad: Sides{9, 9}, Total: Sides{100, 100}}, 0, 0},
		{"one more on the service", Interval{Bad: Sides{9, 10}, Total: Sides{100, 100}}, 0, 1},
		{"one bad on the larger monolith", Interval{Bad: Sides{1, 0}, Total: Sides{300, 100}}, 0, -1.0 / 3},
		{"all bad everywhere", Interval{Bad: Sides{300, 100}, Total: Sides{300, 100}}, 0, 0},
		{"more bad than there are", Interval{Bad: Sides{999, 999}, Total: Sides{300, 100}}, 0, 0},
		{"one bad, half of it forgiven", Interval{Bad: Sides{0, 1}, Total: Sides{300, 100}}, 1, 0.5},
		{"the larger service, all of it bad", Interval{Bad: Sides{0, 5}, Total: Sides{100, 300}}, 0, 0.25},
		{"the larger service, none of it bad", Interval{Bad: Sides{5, 0}, Total: Sides{100, 300}}, 0, -0.75},
		{"the larger service, its part", Interval{Bad: Sides{1, 3}, Total: Sides{100, 300}}, 0, 0},
		{"more than is reckoned one by one", Interval{Bad: Sides{0, math.MaxUint64}, Total: Sides{math.MaxUint64, math.MaxUint64}}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.x.lean(c.margin); math.Abs(got-c.want) > 1e-9 {
				t.Errorf("lean is %v, want %v", got, c.want)
			}
		})
	}
}

// Over all the ways in which one bad event in forty requests can fall, lean is fair.
func TestLeanIsFair(t *testing.T) {
	const n, bad, service = 40, 7, 10
	law, sum := thinned(bad, n, service), 0.0
	for i, p := range law.p {
		k := uint64(law.low + i)
		sum += p * Interval{Bad: Sides{bad - k, k}, Total: Sides{n - service, service}}.lean(0)
	}
	if sum > 1e-12 {
		t.Errorf("the expectation of lean is %v, above 0", sum)
	}
}

func intervalsOf(rng *rand.Rand, polled bool) *Intervals {
	s := NewIntervals(uint64(1+rng.IntN(2)), time.UnixMilli(99_000), time.Second, polled)
	for range rng.IntN(20) {
		x := Interval{int64(100 + rng.IntN(600)), Sides{rng.Uint64N(3), rng.Uint64N(3)}, Sides{rng.Uint64N(9), rng.Uint64N(9)}}
		if polled {
			s.Put(x)
		} else {
			s.Add(x)
		}
	}
	return s
}

func TestIntervalsMergeInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(40, 1))
	for i := range 500 {
		polled := i%2 == 0
		a, b, c := intervalsOf(rng, polled), intervalsOf(rng, polled), intervalsOf(rng, polled)
		if x, y := a.merged(b), b.merged(a); !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v and %+v make %+v, and the other way round %+v", a, b, x, y)
		}
		if x, y := a.merged(b).merged(c), a.merged(b.merged(c)); !reflect.DeepEqual(x, y) {
			t.Fatalf("the order of merging matters: %+v, %+v", x, y)
		}
		if polled && !reflect.DeepEqual(a.merged(a), a) {
			t.Fatalf("what is polled adds up with itself: %+v", a.merged(a))
		}
	}
}

func TestTheSameSlotOfTwoGateways(t *testing.T) {
	x := Interval{100, Sides{1, 2}, Sides{10, 20}}
	for _, polled := range []bool{true, false} {
		a := NewIntervals(7, time.UnixMilli(98_000), time.Second, polled)
		b := NewIntervals(7, time.UnixMilli(98_000), time.Second, polled)
		a.Put(x)
		b.Put(x)
		got := Merge(Counts{Reported: map[Metric]*Intervals{"app:a": a}}, Counts{Reported: map[Metric]*Intervals{"app:a": b}}).Reported["app:a"].Slots
		want := []Interval{x}
		if !polled {
			want[0] = Interval{100, Sides{2, 4}, Sides{20, 40}}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("polled %v: %v, want %v", polled, got, want)
		}
	}
}

func TestIntervalsKeepOneBlock(t *testing.T) {
	s := NewIntervals(1, time.UnixMilli(99_500), time.Second, true)
	for at := int64(0); at < 3*IntervalLimit+5; at++ {
		s.Put(Interval{at, Sides{0, 1}, Sides{1, 1}})
	}
	if len(s.Slots) != 5 || s.Slots[0].At != 3*IntervalLimit || s.From != 100 {
		t.Fatalf("%d slots from %d, the test from %d", len(s.Slots), s.Slots[0].At, s.From)
	}
	s.Put(Interval{At: 3*IntervalLimit - 1})
	if len(s.Slots) != 5 {
		t.Error("a slot of a block that is over came back")
	}
	r := s.Judge("", IntervalGuard{Metric: "app:a", Every: time.Second}, Budget{Alpha: 0.01}, time.UnixMilli(1e12))
	first := NewIntervals(1, SlotStart(3*IntervalLimit-1, time.Second), time.Second, true)
	first.Slots = s.Slots
	if one := first.Judge("", IntervalGuard{Metric: "app:a", Every: time.Second}, Budget{Alpha: 0.01}, time.UnixMilli(1e12)); math.Abs(one.E/r.E-16) > 1e-9 {
		t.Errorf("the fourth block counts 1/%v of the first, want 1/16", one.E/r.E)
	}
}

func TestIntervalsAreLate(t *testing.T) {
	at := func(slot int64) time.Time { return SlotStart(slot, time.Minute).Add(30 * time.Second) }
	s := NewIntervals(1, at(99), time.Minute, true)
	for _, c := range []struct {
		name string
		put  int64
		now  int64
		want bool
	}{
		{"the test has just begun", 0, 100, false},
		{"three slots without a word", 0, 103, false},
		{"four", 0, 104, true},
		{"it spoke", 103, 104, false},
		{"and fell silent", 0, 108, true},
	} {
		if c.put != 0 {
			s.Put(Interval{At: c.put})
		}
		if got := s.Late(at(c.now), time.Minute); got != c.want {
			t.Errorf("%s: late is %v", c.name, got)
		}
	}
	if !(*Intervals)(nil).Late(at(1), time.Minute) {
		t.Error("nothing is not late")
	}
}

func TestAnIntervalRecordIsRecomputedToTheBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 1))
	x := newWeather(rng, "deploys", 0.25, 3)
	s := NewIntervals(5, time.UnixMilli(0), time.Second, false)
	for range 200 {
		s.Add(x.next())
	}
	g := IntervalGuard{Metric: App("lost_orders"), Margin: IntervalMargin, Every: time.Second}
	r := s.Judge("eu", g, Budget{Alpha: 0.001, Test: 2, Metrics: 5}, time.UnixMilli(1e9))
	if len(r.Slots) != 200 || r.E < 1 {
		t.Fatalf("%v", r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back IntervalRecord
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, r) || back.Check() != nil {
		t.Errorf("%v came back as %v: %v", r, back, back.Check())
	}
	if open := s.Judge("eu", g, Budget{Alpha: 0.001}, SlotStart(200, time.Second).Add(settle)); len(open.Slots) != 199 {
		t.Errorf("%d slots are judged before the last is over", len(open.Slots))
	}
	back.Slots[3].Bad[Modern]++
	if back.Check() == nil {
		t.Error("a record that was altered passes")
	}
}

// The evidence of a fixed series: what one processor says, every other must.
func TestGoldenIntervals(t *testing.T) {
	r := IntervalRecord{From: 0, Bets: UsualBets(), Margin: 0.5, Slots: []Interval{
		{1, Sides{3, 2}, Sides{900, 100}}, {2, Sides{0, 1}, Sides{800, 90}}, {3, Sides{40, 12}, Sides{1000, 110}}, {4, Sides{2, 9}, Sides{100, 300}},
	}}
	if got, want := math.Float64bits(r.Recompute()), uint64(goldenIntervals); got != want {
		t.Errorf("E is %v, bits %#x, want %#x", r.Recompute(), got, want)
	}
}

const goldenIntervals = 0x3ffb22f0f75822ca

// Whatever numbers are told, lean is a number from −1 to 1, and soon.
func TestLeanOfAnyNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 1))
	any64 := func() uint64 { return rng.Uint64() >> rng.IntN(64) }
	for range runs(3000, 100_000) {
		x := Interval{Bad: Sides{any64(), any64()}, Total: Sides{any64(), any64()}}
		margin := []float64{0, 0.5, 10, -1}[rng.IntN(4)]
		start := time.Now()
		if lean := x.lean(margin); !(lean >= -1 && lean <= 1) {
			t.Fatalf("lean of %+v is %v", x, lean)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("lean of %+v took %v", x, took)
		}
	}
}

func BenchmarkJudgeIntervals(b *testing.B) {
	rng := rand.New(rand.NewPCG(43, 1))
	x := newWeather(rng, "steady", 0.25, 1)
	x.requests, x.rate = 2000, 0.01
	s := NewIntervals(1, time.UnixMilli(-1000), time.Second, true)
	for range IntervalLimit - 1 {
		s.Put(x.next())
	}
	g := IntervalGuard{Metric: "app:a", Margin: IntervalMargin, Every: time.Second}
	for b.Loop() {
		s.Judge("", g, Budget{Alpha: 0.001}, time.UnixMilli(1e9))
	}
}
