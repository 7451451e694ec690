package evidencetest

import (
	"slices"
	"testing"
	"time"
)

var (
	bad       = slices.Concat(badStatuses, badBodies, badParts, badCalls, badLatencies)
	innocents = slices.Concat(spared, attacked)
)

// TestABadServiceIsFound holds the guard to find every kind of bad service,
// and in time.
func TestABadServiceIsFound(t *testing.T) {
	t.Cleanup(func() { guessed.check(t) })
	runAll(t, bad, 40, 12)
}

// TestWhatIsNotTheServicesFaultRollsNothingBack holds it to leave all others
// alone.
func TestWhatIsNotTheServicesFaultRollsNothingBack(t *testing.T) { runAll(t, innocents, 20, 8) }

func runAll(t *testing.T, cases []fault, kinds, quick int) {
	names := make(map[string]bool)
	n := 0
	for i := range cases {
		f := cases[i]
		if names[f.name] {
			t.Errorf("two cases are called %q", f.name)
		}
		names[f.name] = true
		if f.quick {
			n++
		}
		f.visits.seed = uint64(i + 1)
		t.Run(f.name, func(t *testing.T) {
			if !all && !f.quick {
				t.Skip("run make evidence")
			}
			if f.warm == 0 { // nothing is timed, and most of it is waiting
				t.Parallel()
			}
			began := time.Now()
			f.run(t)
			t.Logf("in %s", time.Since(began).Round(time.Millisecond))
		})
	}
	if len(cases) < kinds || n < quick {
		t.Errorf("%d kinds, of which %d run with every go test; there should be %d and %d", len(cases), n, kinds, quick)
	}
}
