package telemetry

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Flow is what was counted of the requests of one route on one side since it
// was first seen. It never decreases while the route lives.
type Flow struct {
	Route, Migration string
	Side             migrations.Side // empty: the route has no migration
	Requests         uint64
	Broken           uint64            // of them without an answer, with one of 500 and above, or answered by the other side instead
	Slow             [Latencies]uint64 // requests by latency: at most the bound of the same index, the last beyond all
}

// Latencies is the number of latencies that are told apart.
const Latencies = len(bounds) + 1

// LatencyBounds returns the upper bounds of the latencies of a [Flow], but for
// the last, which has none.
func LatencyBounds() []time.Duration {
	out := make([]time.Duration, len(bounds))
	for i, n := range boundsNano {
		out[i] = time.Duration(n)
	}
	return out
}

// Flows calls yield with what every route has seen so far, by side. It reads
// atomics that requests add to; no request waits for it.
func (m *Metrics) Flows(yield func(Flow)) {
	m.mu.Lock()
	routes := make([]*RouteMetrics, 0, len(m.routes)+1)
	for _, r := range m.routes {
		routes = append(routes, r)
	}
	m.mu.Unlock()
	for _, r := range append(routes, m.other) {
		for side := range sides {
			f := Flow{Route: r.key.route, Migration: r.key.migration, Side: sides[side]}
			for stage := range r.cells {
				if c := r.cells[stage][side].Load(); c != nil {
					c.flow(&f)
				}
			}
			if f.Requests > 0 {
				yield(f)
			}
		}
	}
}

func (c *cell) flow(f *Flow) {
	for i := range c.classes {
		f.Requests += c.classes[i].Load()
	}
	f.Broken += c.classes[0].Load() + c.classes[len(classes)-1].Load() + c.fallbacks.Load() // a client that went away has a status of 499
	for i := range c.buckets {
		f.Slow[i] += c.buckets[i].Load()
	}
}
