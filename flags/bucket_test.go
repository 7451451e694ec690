package flags

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/flags/internal/murmur3"
	"github.com/ficus-gateway/ficus/migrations"
)

// fractional is flagd's rule, written from its description: the first variant
// whose cumulative weight exceeds the scaled hash.
func fractional(hash uint32, split migrations.Split) migrations.Stage {
	var end uint64
	for _, share := range split {
		end += uint64(share.Buckets)
		if uint64(hash)*migrations.Buckets < end<<32 {
			return share.Stage
		}
	}
	return ""
}

func TestBucketsAgreeWithFlagd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		split := splits(t, "split")
		hash := rapid.Uint32().Draw(t, "hash")
		if got, want := split.At(scale(hash)), fractional(hash, split); got != want {
			t.Fatalf("hash %#x in %s: %s, flagd says %s", hash, split, got, want)
		}
	})
}

func TestBucketsReachFromZeroToTheLast(t *testing.T) {
	for _, c := range []struct {
		hash uint32
		want int
	}{{0, 0}, {42949, 0}, {42950, 1}, {1 << 31, 50_000}, {1<<32 - 42950, 99_998}, {1<<32 - 42949, 99_999}, {1<<32 - 1, 99_999}} {
		if got := scale(c.hash); got != c.want {
			t.Errorf("scale(%d) = %d, want %d", c.hash, got, c.want)
		}
	}
}

func TestBucketHashesFlagAndKeyTogether(t *testing.T) {
	if got, want := bucket("header", "Color"), scale(murmur3.Sum32([]byte("headerColor"))); got != want {
		t.Errorf("bucket = %d, want %d", got, want)
	}
	if bucket("orders", "4711") == bucket("billing", "4711") {
		t.Error("the same people are first in every migration")
	}
}

func TestBucketAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { bucket("orders", "0123456789abcdef0123456789abcdef") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// splits draws a split whose shares often lie at the edges.
func splits(t *rapid.T, name string) migrations.Split {
	edges := rapid.SampledFrom([]int{0, 1, 99, 999, 50_000, 99_999, 100_000})
	var shares []migrations.Share
	left := migrations.Buckets
	for _, stage := range rapid.Permutation(migrations.Stages).Draw(t, name+" order") {
		n := min(left, rapid.OneOf(edges, rapid.IntRange(0, migrations.Buckets)).Draw(t, name+" "+string(stage)))
		shares = append(shares, migrations.Share{Stage: stage, Buckets: n})
		left -= n
	}
	split, err := migrations.NewSplit(shares...)
	if err != nil {
		t.Fatal(err)
	}
	return split
}

// Raising a share never moves anyone back, whatever stages lie below it.
func TestRaisingAShareMovesNobodyBack(t *testing.T) {
	edges := []int{0, 1, 99, 999, 100_000}
	rapid.Check(t, func(t *rapid.T) {
		stage := rapid.SampledFrom(migrations.Stages[1:]).Draw(t, "stage")
		below := rapid.SampledFrom(migrations.Stages[:stage.Rank()]).Draw(t, "below")
		share := rapid.OneOf(rapid.SampledFrom(edges), rapid.IntRange(0, migrations.Buckets))
		from, to := share.Draw(t, "from"), share.Draw(t, "to")
		if from > to {
			from, to = to, from
		}
		key := rapid.OneOf(rapid.IntRange(0, 1<<20), rapid.Int()).Draw(t, "key")
		f := facts{bucket: bucket("orders", fmt.Sprint(key))}
		stageAt := func(n int) migrations.Stage {
			split, err := migrations.NewSplit(migrations.Share{Stage: stage, Buckets: n}, migrations.Share{Stage: below, Buckets: migrations.Buckets - n})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := decide(&migrations.Plan{ID: "orders"}, &migrations.Migration{Split: split}, f)
			return got
		}
		if before, after := stageAt(from), stageAt(to); after.Rank() < before.Rank() {
			t.Fatalf("key %d, bucket %d: %s at %d, but %s at %d", key, f.bucket, before, from, after, to)
		}
	})
}

// At every edge exactly the buckets below it are in: none at 0, all at 100,000.
func TestAShareIsExact(t *testing.T) {
	for _, n := range []int{0, 1, 99, 999, 99_999, 100_000} {
		split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: n})
		if err != nil {
			t.Fatal(err)
		}
		in := 0
		for b := range migrations.Buckets {
			stage, _ := decide(&migrations.Plan{}, &migrations.Migration{Split: split}, facts{bucket: b})
			if (stage == migrations.Live) != (b < n) {
				t.Fatalf("share %d: bucket %d is at %s", n, b, stage)
			}
			if stage == migrations.Live {
				in++
			}
		}
		if in != n {
			t.Errorf("share %d: %d buckets", n, in)
		}
	}
}

// Keys of the usual makes spread evenly: chi-square over 100 cells, 99 degrees
// of freedom, whose 99.99 % quantile is 160.1.
func TestKeysSpreadEvenly(t *testing.T) {
	const cells, n = 100, 200_000
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, key := range map[string]func(i int) string{
		"numbers":   func(i int) string { return fmt.Sprint(i) },
		"addresses": func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) },
		"ids":       func(int) string { return fmt.Sprintf("%016x%016x", rnd.Uint64(), rnd.Uint64()) },
		"mail":      func(i int) string { return fmt.Sprintf("person%d@example.com", i) },
	} {
		var count [cells]float64
		for i := range n {
			count[bucket("orders", key(i))*cells/migrations.Buckets]++
		}
		chi := 0.0
		for _, c := range count {
			chi += (c - n/cells) * (c - n/cells) / (n / cells)
		}
		if chi > 160.1 {
			t.Errorf("%s: chi-square %.1f", name, chi)
		}
	}
}
