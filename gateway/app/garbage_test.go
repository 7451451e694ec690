package app

import (
	"testing"
	"testing/quick"
)

func TestTheHeapMayGrowToItsLeastAndNoFurtherThanTwice(t *testing.T) {
	for live, want := range map[uint64]int64{0: 3200, 1 << 20: 3200, 4 << 20: 800, 30 << 20: 100, 64 << 20: 100, 8 << 30: 100} {
		if p := collectAt(live); p != want {
			t.Errorf("with %d MiB alive GOGC is %d, want %d", live>>20, p, want)
		}
	}
	bounded := func(live uint32) bool {
		heap := uint64(live) * uint64(100+collectAt(uint64(live))) / 100
		return heap <= max(leastHeap, 2*uint64(live))
	}
	if err := quick.Check(bounded, nil); err != nil {
		t.Error(err)
	}
}
