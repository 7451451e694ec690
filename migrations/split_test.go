package migrations

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestControlNeedsTheMonolith(t *testing.T) {
	for text, want := range map[string]bool{"off": true, "shadow": true, "live=95% off=5%": true, "live=95.001% off=4.999%": false, "live=90% rampdown=6% off=4%": false, "complete": false} {
		if got := split(t, text).Control(); got != want {
			t.Errorf("%s leaves a control: %v", text, got)
		}
	}
}

func TestSplitAddsUpAndIsOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		sum := 0
		for i, share := range split {
			sum += share.Buckets
			if share.Buckets <= 0 {
				t.Fatalf("%v has an empty share", split)
			}
			if i > 0 && split[i-1].Stage.Rank() <= share.Stage.Rank() {
				t.Fatalf("%v is not ordered from the most advanced stage", split)
			}
		}
		if sum != Buckets {
			t.Fatalf("%v adds up to %d", split, sum)
		}
	})
}

func TestEveryBucketHasTheStageOfItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		edge := 0
		for _, share := range split {
			for _, bucket := range []int{edge, edge + share.Buckets - 1} {
				if got := split.At(bucket); got != share.Stage {
					t.Fatalf("%v: bucket %d is at %s, want %s", split, bucket, got, share.Stage)
				}
			}
			edge += share.Buckets
			if split.Share(share.Stage) != share.Buckets {
				t.Fatalf("%v: share of %s is %d", split, share.Stage, split.Share(share.Stage))
			}
		}
		for _, bucket := range []int{-1, Buckets, Buckets + 1} {
			if got := split.At(bucket); got != Off {
				t.Fatalf("bucket %d, which does not exist, is at %s", bucket, got)
			}
		}
	})
}

// edges are the buckets at which something could go wrong.
func edges(splits ...Split) []int {
	at := []int{0, 1, 99, 999, 5000, Buckets - 1}
	for _, split := range splits {
		sum := 0
		for _, share := range split {
			sum += share.Buckets
			at = append(at, max(sum-1, 0), min(sum, Buckets-1))
		}
	}
	return at
}

func TestRaisingAShareMovesNobodyBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		stage := rapid.SampledFrom(Stages[1:]).Draw(t, "stage")
		below := 0
		for _, other := range Stages[:stage.Rank()] {
			below += split.Share(other)
		}
		raised := split.Share(stage) + rapid.IntRange(0, below).Draw(t, "more")
		next, err := split.With(Share{stage, raised})
		if err != nil {
			t.Fatal(err)
		}
		for _, bucket := range edges(split, next) {
			if next.At(bucket).Rank() < split.At(bucket).Rank() {
				t.Fatalf("%v, %s=%d: bucket %d moves back from %s to %s", split, stage, raised, bucket, split.At(bucket), next.At(bucket))
			}
			if next.At(bucket) != split.At(bucket) && next.At(bucket).Rank() > stage.Rank() {
				t.Fatalf("%v, %s=%d: bucket %d moves beyond that stage, to %s", split, stage, raised, bucket, next.At(bucket))
			}
		}
		if split.Beyond(next) {
			t.Fatalf("%v is beyond %v", split, next)
		}
	})
}

func TestLoweringAShareMovesNobodyForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		stage := rapid.SampledFrom(Stages[1:]).Draw(t, "stage")
		lowered := rapid.IntRange(0, split.Share(stage)).Draw(t, "share")
		next, err := split.With(Share{stage, lowered})
		if err != nil {
			t.Fatal(err)
		}
		for _, bucket := range edges(split, next) {
			if next.At(bucket).Rank() > split.At(bucket).Rank() {
				t.Fatalf("%v, %s=%d: bucket %d moves forward from %s to %s", split, stage, lowered, bucket, split.At(bucket), next.At(bucket))
			}
		}
		if next.Beyond(split) {
			t.Fatalf("%v is beyond %v", next, split)
		}
	})
}

func TestWithSetsWhatIsNamedAndKeepsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		named := shares(t, Stages)
		next, err := split.With(named...)
		if err != nil {
			if !strings.Contains(err.Error(), "say where the other") {
				t.Fatal(err)
			}
			return
		}
		sum := 0
		for _, share := range next {
			sum += share.Buckets
		}
		if sum != Buckets {
			t.Fatalf("%v adds up to %d", next, sum)
		}
		for _, n := range named {
			if next.Share(n.Stage) != n.Buckets {
				t.Fatalf("%v with %v is %v", split, named, next)
			}
		}
		again, err := next.With(named...)
		if err != nil || !again.Equal(next) {
			t.Fatalf("set twice, %v becomes %v (%v)", next, again, err)
		}
	})
}

func TestWithLeavesTheRestWhereItWas(t *testing.T) {
	for _, test := range []struct{ was, named, want string }{
		{"shadow", "live=5%", "live=5% shadow=95%"},
		{"live=50% shadow=50%", "live=5%", "live=5% shadow=95%"},
		{"live=10% shadow=90%", "off=20%", "live=10% shadow=70% off=20%"},
		{"off", "live=5%", "live=5% off=95%"},
		{"off", "live=5% shadow=95%", "live=5% shadow=95%"},
		{"live=50% shadow=50%", "live=5% shadow=10%", "live=5% shadow=10% off=85%"},
		{"live=50% shadow=50%", "live=5% shadow=95%", "live=5% shadow=95%"},
		{"live=50% shadow=50%", "shadow=20%", "live=50% shadow=20% off=30%"},
		{"live=10% shadow=70% off=20%", "off=5%", "live=10% shadow=85% off=5%"},
		{"complete=10% shadow=60% off=30%", "live=20%", "complete=10% live=20% shadow=40% off=30%"},
		{"complete=10% live=50% shadow=40%", "live=5%", "complete=10% live=5% shadow=85%"},
		{"shadow=50% off=50%", "live=60%", "live=60% off=40%"},
		{"live=10% shadow=90%", "shadow=95%", "live=5% shadow=95%"},
		{"live", "live=40% off=60%", "live=40% off=60%"},
		{"live=5% shadow=95%", "complete", "complete=100%"},
		{"live=5% shadow=95%", "off", "off=100%"},
		{"complete", "complete=0%", "off=100%"},
	} {
		was, named := parse(t, test.was), parse(t, test.named)
		split, err := NewSplit(was...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := split.With(named...); err != nil || got.String() != test.want {
			t.Errorf("%s, then %s: %s (%v), want %s", test.was, test.named, got, err, test.want)
		}
	}
}

func parse(t *testing.T, text string) []Share {
	t.Helper()
	parsed, err := ParseShares(strings.Fields(text)...)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestWithRefusesWhatDoesNotAddUp(t *testing.T) {
	for _, test := range []struct{ was, named, want string }{
		{"live", "live=5% off=20%", "the shares add up to 25%; say where the other 75% goes"},
		{"off", "off=20%", "the shares add up to 20%; say where the other 80% goes"},
		{"off", "live=60% shadow=41%", "the shares add up to 101%, more than 100%"},
		{"off", "live=1% live=2%", "live is given twice"},
	} {
		split, err := NewSplit(parse(t, test.was)...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := split.With(parse(t, test.named)...); err == nil || err.Error() != test.want {
			t.Errorf("%s, then %s: %s, %v; want error %q", test.was, test.named, got, err, test.want)
		}
	}
}

func TestSplitIsReadAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits().Draw(t, "split")
		parsed, err := ParseShares(strings.Fields(split.String())...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewSplit(parsed...)
		if err != nil || !again.Equal(split) {
			t.Fatalf("%v is read as %v (%v)", split, again, err)
		}
	})
}

func TestPercentIsReadAsItIsWritten(t *testing.T) {
	for n := range Buckets + 1 {
		if got, err := ParsePercent(Percent(n)); err != nil || got != n {
			t.Fatalf("%d buckets are written %s and read as %d (%v)", n, Percent(n), got, err)
		}
	}
}

func TestPercentRefusesWhatIsNone(t *testing.T) {
	for _, text := range []string{"", "%", "5", "-1%", "+1%", "1e1%", "5,5%", "1_0%", ".5%", "0x5%", "0.0001%", "100.001%", "101%", "99999999999999999999%", "5%%", "NaN%", "5.-1%"} {
		if n, err := ParsePercent(text); err == nil {
			t.Errorf("%q is read as %d buckets", text, n)
		}
	}
	for text, want := range map[string]int{"5%": 5000, " 5 % ": 5000, "0%": 0, "100.000%": Buckets, "0.001%": 1, "33.3330%": 33333, "007%": 7000} {
		if n, err := ParsePercent(text); err != nil || n != want {
			t.Errorf("%q is read as %d buckets (%v), want %d", text, n, err, want)
		}
	}
}

func TestNilSplitIsAllOff(t *testing.T) {
	var none Split
	if none.At(7) != Off || none.Share(Off) != Buckets || none.String() != "off=100%" || !none.Equal(All(Off)) || none.Beyond(All(Off)) || none.Modern() != 0 {
		t.Errorf("the nil split is not all off: %s", none)
	}
	if got, err := none.With(Share{Live, 1}); err != nil || got.String() != "live=0.001% off=99.999%" {
		t.Errorf("the nil split with one live bucket is %s (%v)", got, err)
	}
}

func TestPlaceFollowsTheTableOfStages(t *testing.T) {
	for _, data := range []Data{"", DataShared} {
		for _, w := range []Writes{"", WritesMonolith, WritesFollow, WritesRehearse, WritesDual} {
			p := &Plan{Writes: w, Data: data}
			follow := w == WritesFollow || data != "" && (w == WritesRehearse || w == WritesDual)
			for _, stage := range append([]Stage{"", "odd"}, Stages...) {
				safe, unsafe := Legacy, Legacy
				if stage.Rank() >= Live.Rank() {
					safe = Modern
				}
				if stage == Complete || safe == Modern && follow {
					unsafe = Modern
				}
				if p.Place(stage, true) != safe || p.Place(stage, false) != unsafe {
					t.Errorf("at %q with writes %q and data %q: %s and %s, want %s and %s", stage, w, data, p.Place(stage, true), p.Place(stage, false), safe, unsafe)
				}
			}
		}
	}
}
