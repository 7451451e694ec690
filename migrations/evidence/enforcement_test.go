package evidence

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWhatGatewaysSayOfRollbacksUnites(t *testing.T) {
	lists := rapid.Custom(func(t *rapid.T) (out []Enforcement) {
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			out = append(out, enforcement(t))
		}
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := lists.Draw(t, "a"), lists.Draw(t, "b"), lists.Draw(t, "c")
		before := text(t, [][]Enforcement{a, b, c})
		all := MergeEnforced(MergeEnforced(a, b), c)
		for name, got := range map[string][]Enforcement{
			"commutative": MergeEnforced(c, MergeEnforced(b, a)), "associative": MergeEnforced(a, MergeEnforced(b, c)), "idempotent": MergeEnforced(all, MergeEnforced(a, all)),
		} {
			if text(t, got) != text(t, all) {
				t.Fatalf("not %s:\n%s\n%s", name, text(t, all), text(t, got))
			}
		}
		if text(t, [][]Enforcement{a, b, c}) != before {
			t.Fatal("merging has changed what was merged")
		}
		seqs := map[uint64]bool{}
		for _, e := range all {
			seqs[e.Seq] = true
		}
		if len(seqs) > EnforcementLimit {
			t.Fatalf("%d rollbacks are kept", len(seqs))
		}
	})
}

func TestTheNewestRollbacksAreKept(t *testing.T) {
	var all []Enforcement
	for seq := range uint64(100) {
		for g := range 300 {
			all = append(all, Enforcement{Seq: seq + 1, Gateway: fmt.Sprintf("%03d", g), At: noon})
		}
	}
	got := MergeEnforced(nil, all)
	if len(got) != EnforcementLimit*mostEnforcers || got[0].Seq != 85 || got[len(got)-1].Seq != 100 {
		t.Errorf("%d, from %d to %d", len(got), got[0].Seq, got[len(got)-1].Seq)
	}
}

func TestTheFirstBadEventOfATest(t *testing.T) {
	c := NewCell(3, 50_000)
	vote := func(m Metric, key Key, side Side, after time.Duration) {
		c.Vote(m, Vote{Key: key, Epoch: 3, Side: side, At: noon.Add(after)})
	}
	vote(Errors, 1, Legacy, 0)
	if at := c.FirstBad(Errors); !at.IsZero() {
		t.Errorf("the monolith's is taken for the service's: %s", at)
	}
	vote(Errors, 2, Modern, 3*time.Second)
	vote(Errors, 3, Modern, 2*time.Second) // lines may come out of order
	vote(Timeouts, 4, Modern, time.Second)
	for want, metrics := range map[time.Duration][]Metric{2 * time.Second: {Errors}, time.Second: {Errors, Timeouts}} {
		if at := c.FirstBad(metrics...); !at.Equal(noon.Add(want)) {
			t.Errorf("%v: %s", metrics, at)
		}
	}
	if at := c.FirstBad(Missing); !at.IsZero() {
		t.Errorf("what never happened was at %s", at)
	}
	if next := c.Next(9, 50_000, 0, 0, false); next.First != nil {
		t.Errorf("the next test begins with %v", next.First)
	}
}
