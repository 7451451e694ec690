package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// leastHeap is how large the heap may grow before its garbage is collected,
// in bytes. A gateway lives on a few MiB, and by the default of Go it would
// collect dozens of times a second under load, each time at the cost of those
// whose requests are under way.
const leastHeap = 64 << 20

// collectLate lets the heap of the process grow to leastHeap before it is
// collected, and to twice of what is alive where that is more, as ever. Where
// GOGC or GOMEMLIMIT is set, that holds instead.
func collectLate() {
	for _, name := range [...]string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	c := new(collection)
	c.collected(&cycle{c})
}

// A collection adapts itself to what is alive after each cycle.
type collection struct {
	percent atomic.Int64
}

// A cycle is garbage at once, so that its finalizer runs after each collection.
type cycle struct{ of *collection }

// collected sets when the next collection begins.
func (c *collection) collected(again *cycle) {
	sample := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample[:])
	if p := collectAt(sample[0].Value.Uint64()); p != c.percent.Swap(p) {
		debug.SetGCPercent(int(p))
	}
	runtime.SetFinalizer(again, c.collected)
}

// collectAt returns the GOGC by which a heap of which so many bytes are alive
// may grow to leastHeap. It is rounded, so that it seldom changes: to change
// it stops the world for a moment.
func collectAt(live uint64) int64 {
	const most = 3200
	p := int64(100)
	for p < most && (uint64(p)*2+100)*max(live, 1)/100 <= leastHeap {
		p *= 2
	}
	return p
}
