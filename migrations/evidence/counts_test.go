package evidence

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// text is the canonical text of counts: equal texts, equal counts.
func text(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheOrderOfMergingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := counts().Draw(t, "a"), counts().Draw(t, "b"), counts().Draw(t, "c")
		before := text(t, []Counts{a, b, c})
		all := text(t, Merge(a, b, c))
		if got := text(t, Merge(c, a, b)); got != all {
			t.Fatalf("not commutative:\n%s\n%s", all, got)
		}
		if got := text(t, Merge(Merge(a, b), c)); got != all {
			t.Fatalf("not associative to the left:\n%s\n%s", all, got)
		}
		if got := text(t, Merge(a, Merge(b, c))); got != all {
			t.Fatalf("not associative to the right:\n%s\n%s", all, got)
		}
		if text(t, []Counts{a, b, c}) != before {
			t.Fatal("merging has changed what was merged")
		}
	})
}

// Sets and streaks may be merged again and again.
func TestSetsAreIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := cells(t), cells(t)
		once := mergeCells(a, b)
		twice := mergeCells(once, a)
		if once.Test == a.Test {
			for m, keys := range once.Bad {
				if text(t, keys) != text(t, twice.Bad[m]) {
					t.Fatalf("the keys of %s have changed", m)
				}
			}
		}
		for name, pair := range map[string][2]any{
			"seen": {once.Seen, twice.Seen}, "active": {once.Active, twice.Active},
			"spans": {once.Spans, twice.Spans}, "streaks": {once.Streaks, twice.Streaks},
			"first": {once.First, twice.First},
		} {
			if text(t, pair[0]) != text(t, pair[1]) {
				t.Fatalf("%s has changed: %s, %s", name, text(t, pair[0]), text(t, pair[1]))
			}
		}
	})
}

func TestCountsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := counts().Draw(t, "counts")
		written := text(t, c)
		var back Counts
		if err := json.Unmarshal([]byte(written), &back); err != nil {
			t.Fatal(err)
		}
		if got := text(t, back); got != written {
			t.Fatalf("written %s\nread    %s", written, got)
		}
		if got := text(t, c.Clone()); got != written {
			t.Fatalf("counts  %s\nclone   %s", written, got)
		}
	})
}

// A key that fails on two gateways is one person, and a person who is counted
// in two epochs belongs to the first.
func TestAKeyCountsOnceAcrossGateways(t *testing.T) {
	a, b := NewCell(1, 50_000), NewCell(1, 50_000)
	b.Begin(2, 60_000)
	a.Count(Errors, 7, 1, Modern)
	b.Count(Errors, 7, 2, Modern)
	b.Count(Errors, 8, 2, Legacy)
	merged := Merge(Counts{Cells: map[string]*Cell{"": a}}, Counts{Cells: map[string]*Cell{"": b}})
	keys := merged.Cells[""].Bad[Errors]
	if keys.Len() != 2 || keys.In(1) != (Sides{0, 1}) || keys.In(2) != (Sides{1, 0}) {
		t.Errorf("%d keys, %v in epoch 1, %v in epoch 2", keys.Len(), keys.In(1), keys.In(2))
	}
	if merged.Gateways != 2 {
		t.Errorf("%d gateways", merged.Gateways)
	}
}

// Evidence depends on who failed, not on the order or the gateway.
func TestEvidenceDependsOnlyOnCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Uint64(), 1, 60, rapid.ID).Draw(t, "keys")
		again := rapid.Permutation(keys).Draw(t, "again")
		parts := []Counts{}
		for range 3 {
			parts = append(parts, Counts{Cells: map[string]*Cell{"": NewCell(1, 30_000)}})
		}
		whole := NewCell(1, 30_000)
		for i := range keys {
			one, other := Key(keys[i]), Key(again[i])
			whole.Count(Errors, one, 1, sideOf(one, 30_000))
			parts[other%3].Cells[""].Count(Errors, other, 1, sideOf(other, 30_000))
		}
		guards, b := []Guard{{Metric: Errors}}, Budget{Alpha: 0.01, Test: 1}
		x, y := whole.Judge("", guards, b, false)[0], Merge(parts...).Cells[""].Judge("", guards, b, false)[0]
		if math.Float64bits(x.E) != math.Float64bits(y.E) {
			t.Fatalf("E is %v, or %v in another order", x.E, y.E)
		}
	})
}

func TestOutcomesOfAnotherTestDoNotCount(t *testing.T) {
	old := NewCell(3, 1000)
	old.Count(Errors, 1, 3, Modern)
	old.Streaks = Streaks{"a": {Healed: 4, Since: 1, Last: 2}}
	now := old.Next(9, 5000, 0, 0, false)
	if now.Count(Errors, 2, 3, Modern) || len(now.Bad) != 0 {
		t.Error("an outcome of the last test counts in this one")
	}
	now.Saw(2, 3, Modern)
	if now.Seen.Len() != 0 {
		t.Error("a key of the last test counts in this one")
	}
	if !now.Count(Errors, 1, 9, Modern) {
		t.Error("a key of the last test does not count again")
	}
	if now.Streaks["a"].Healed != 4 {
		t.Error("the streak ended with the test")
	}
	merged := mergeCells(old, now)
	if merged.Test != 9 || merged.Epoch(3) != nil || merged.Bad[Errors].Len() != 1 {
		t.Errorf("an older test was merged: %+v", merged)
	}
}

func TestATestEndsWhenItsKeysAreFull(t *testing.T) {
	cell := NewCell(1, 50_000)
	for key := range Key(Limit) {
		if cell.Full() {
			t.Fatalf("full after %d keys", key)
		}
		cell.Count(Errors, Key(mix(uint64(key))), 1, Side(key%2))
	}
	if !cell.Full() || cell.Count(Errors, Key(mix(Limit)), 1, Modern) {
		t.Errorf("not full after %d keys", Limit)
	}
	if r := cell.Judge("", []Guard{{Metric: Errors}}, Budget{Alpha: 0.5, Test: 1}, false)[0]; r.Trips() {
		t.Errorf("as many on either side trip: %v", r)
	}
	text, err := json.Marshal(cell)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a full cell takes %d bytes", len(text))
}

func TestFewActiveKeysAreSaid(t *testing.T) {
	cell := NewCell(1, 50_000)
	for key := range Key(1000) {
		if few := cell.Active.Len() < 10; cell.Few(false) != few {
			t.Fatalf("%d keys are few: %v", cell.Active.Len(), cell.Few(false))
		}
		cell.Saw(key, 1, Side(key%2))
	}
	if cell.Active.Len() != ActiveLimit || cell.Seen.Len() != 1000 {
		t.Errorf("%d active, %d seen", cell.Active.Len(), cell.Seen.Len())
	}
}

func TestABrokenAssignmentIsFound(t *testing.T) {
	right, wrong := NewCell(1, 20_000), NewCell(1, 20_000)
	for key := range Key(3000) {
		right.Saw(key, 1, sideOf(key, 20_000))
		wrong.Saw(key, 1, sideOf(key, 26_000))
	}
	if r := right.RatioCheck("", 1, false); r.Trips() {
		t.Errorf("a right assignment is called wrong: %v", r)
	}
	if r := wrong.RatioCheck("", 1, false); !r.Trips() {
		t.Errorf("26 %% in place of 20 %% goes unseen: %v", r)
	}
}

func TestCohortsAndTheKeylessAreCountedApart(t *testing.T) {
	cell := NewCell(1, 50_000)
	e := cell.Epoch(1)
	e.Requests, e.Clean = Sides{100, 100}, Sides{100, 90}
	e.Bad = map[Metric]Sides{Errors: {0, 10}}
	e.Cohort, e.Keyless = Sides{0, 40}, 7
	if cell.Requests() != (Sides{100, 100}) || cell.Clean() != 90 || e.Rate(Errors, Modern) != 0.1 || e.Rate(Slow, Legacy) != 0 {
		t.Errorf("requests %v, clean %d, rate %v", cell.Requests(), cell.Clean(), e.Rate(Errors, Modern))
	}
	if got := (Epoch{}).Rate(Errors, Modern); got != 0 {
		t.Errorf("the rate of none is %v", got)
	}
}

func TestCloneAfterIsAClone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell, last := NewCell(1, 50_000), (*Cell)(nil)
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			key, side := Key(rapid.IntRange(1, 300).Draw(t, "key")), Side(rapid.IntRange(0, 1).Draw(t, "side"))
			cell.Saw(key, 1, side)
			cell.Epoch(1).Requests[side]++
			if rapid.Bool().Draw(t, "bad") {
				cell.Count(Errors, key, 1, side)
			}
			if rapid.IntRange(0, 20).Draw(t, "next test") == 0 {
				cell = cell.Next(cell.Test+1, 50_000, 0, 0, false)
				cell.Begin(1, 50_000)
			}
			want := cell.Clone()
			last = cell.CloneAfter(last)
			if d := want.Seen.Len() - last.Seen.Len(); d < 0 || d > want.Seen.Len()/64 {
				t.Fatalf("%d keys are missing of %d", d, want.Seen.Len())
			}
			want.Seen = last.Seen
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(last)
			if string(a) != string(b) {
				t.Fatalf("%s\nis not\n%s", b, a)
			}
		}
	})
}
