package gateway

import (
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A watchdog tells that a request is slow when τ has passed since it was sent
// to its end, not when the answer comes: a hang is seen then, and not at its
// time-out. It is used again with its record, which keeps the allocation of a
// timer off the request path.
type watchdog struct {
	limit time.Duration
	timer *time.Timer
	state atomic.Int32
	line  line            // what it tells; not written while the timer may run
	trace telemetry.Trace // of the request
}

// The states of a watchdog.
const (
	resting int32 = iota
	waiting
	barked     // it has told
	barkedKept // and a decision may link to the trace
)

// watch returns what waits for the side that is asked first, for its clock to
// start; nil if nothing is slow.
func (rec *record) watch() *watchdog {
	limits := rec.limits()
	limit := time.Duration(0)
	for i, l := range limits {
		if !evidence.Latencies[i].Whole {
			limit = max(limit, l)
		}
	}
	if limit <= 0 {
		return nil
	}
	w := rec.slow
	if w == nil {
		w = new(watchdog)
		rec.slow = w
	}
	w.trace = rec.trace
	w.limit = limit
	w.line = line{
		cell: rec.cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), facts: timer | rec.sideFact() | rec.standsFor(),
		method: rec.Method, target: rec.Target, pattern: rec.Pattern, slow: within(limits, limit),
	}
	rec.toldSlow = w.line.slow
	return w
}

// start begins the wait.
func (w *watchdog) start(now time.Time) {
	w.line.at = now.Add(w.limit).UnixNano()
	w.state.Store(waiting)
	if w.timer == nil {
		w.timer = time.AfterFunc(w.limit, w.bark)
	} else {
		w.timer.Reset(w.limit)
	}
}

// within returns the latencies whose limit has passed when the time given has.
func within(limits evidence.Taus, passed time.Duration) (slow uint8) {
	for i, l := range limits {
		if l > 0 && l <= passed {
			slow |= 1 << i
		}
	}
	return slow
}

// limits returns when the side that is asked first is slow, for each of
// [evidence.Latencies]; 0 is never. Where fallback gives the service up earlier,
// both sides are held to that, or the service would be judged more strictly; it
// gives up only what may be sent again.
func (rec *record) limits() evidence.Taus {
	known := rec.cell.known()
	limits := known.by[rec.sideFact().side()]
	f := rec.route.Fallback
	if f == nil || f.After == 0 || f.After >= known.slowest || !rec.repeatable(true) || rec.outgoing.Length > shadow.Cap {
		return limits
	}
	for i, l := range known.by[evidence.Modern] {
		if l > f.After {
			limits[i] = time.Duration(float64(limits[i]) * float64(f.After) / float64(l))
		}
	}
	return limits
}

// bark runs when the limit has passed.
func (w *watchdog) bark() {
	next, n := barked, w.line
	if n.facts&(placed|onModern) == placed|onModern && n.cell.links.take(metricSlow) {
		next, n.span = barkedKept, w.trace.Reference()
	}
	if w.state.CompareAndSwap(waiting, next) {
		n.cell.book.ledger.write(&n)
	}
}

// unwatch ends the wait. The clock has stopped before.
func (rec *record) unwatch() {
	w := rec.slow
	if w == nil || w.state.Load() == resting {
		return
	}
	if !w.timer.Stop() {
		rec.slow = nil // it may be about to bark still, so nobody else may have it
	}
	switch w.state.Swap(resting) {
	case barked:
		rec.barked = true
	case barkedKept:
		rec.barked, rec.linked = true, true
	}
}
