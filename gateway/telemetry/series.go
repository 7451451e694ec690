package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// bounds are the upper bounds of the latency buckets, in seconds.
var bounds = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// boundsNano are the same in nanoseconds.
var boundsNano = func() (n [len(bounds)]int64) {
	for i, b := range bounds {
		n[i] = int64(b * float64(time.Second))
	}
	return n
}()

// classes are the values of code_class. A request that was never answered has
// the first.
var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

var (
	sides  = [...]migrations.Side{"", migrations.Legacy, migrations.Modern}
	stages = append([]migrations.Stage{""}, migrations.Stages...)
)

const maxStages = 7 // the six, and none

// RouteMetrics counts the requests of one route, by stage and side. Its
// methods may be called at any time from anywhere; a nil one counts nothing.
type RouteMetrics struct {
	key   routeKey
	kinds *kinds
	start time.Time
	cells [maxStages][len(sides)]atomic.Pointer[cell]
}

// A cell is what is counted for one stage and side of a route. It is made by
// the first such request and its atomics are only ever added to.
type cell struct {
	classes   [len(classes)]atomic.Uint64
	buckets   [len(bounds) + 1]atomic.Uint64
	nanos     atomic.Uint64 // sum of the latencies
	attempts  atomic.Uint64
	bytesIn   atomic.Uint64
	bytesOut  atomic.Uint64
	fallbacks atomic.Uint64
	journeys  atomic.Uint64           // broken
	errors    [maxKinds]atomic.Uint64 // by the index of kinds
}

// Observe counts one finished request. It takes no lock and, but for the first
// request of each stage and side, allocates nothing.
func (r *RouteMetrics) Observe(x *Exchange) {
	if r == nil {
		return
	}
	slot := &r.cells[x.Stage.Rank()+1][sideIndex(x.Side)]
	c := slot.Load()
	if c == nil {
		slot.CompareAndSwap(nil, new(cell))
		c = slot.Load()
	}
	c.classes[classIndex(x.Status)].Add(1)
	latency := int64(max(x.latency(), 0))
	c.buckets[bucketIndex(latency)].Add(1)
	c.nanos.Add(uint64(latency))
	add(&c.attempts, int64(x.Attempts))
	add(&c.bytesIn, x.BytesIn)
	add(&c.bytesOut, x.BytesOut)
	switch x.Fallback {
	case "":
	case BrokenJourney:
		c.journeys.Add(1)
	default:
		c.fallbacks.Add(1)
	}
	if x.ErrKind != "" {
		c.errors[r.kinds.index(x.ErrKind)].Add(1)
	}
}

func add(a *atomic.Uint64, n int64) {
	if n > 0 {
		a.Add(uint64(n))
	}
}

func sideIndex(s migrations.Side) int {
	switch s {
	case migrations.Legacy:
		return 1
	case migrations.Modern:
		return 2
	}
	return 0
}

func classIndex(status int) int {
	if c := status / 100; c >= 1 && c < len(classes) {
		return c
	}
	return 0
}

func bucketIndex(nanos int64) int {
	for i, b := range boundsNano {
		if nanos <= b {
			return i
		}
	}
	return len(boundsNano)
}
