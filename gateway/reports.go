package gateway

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// reports are what the application counts by side, by metric, in the present
// test of a migration. The zero value is ready.
type reports struct {
	mu       sync.Mutex // guards byMetric; never held for a request of a user
	byMetric map[evidence.Metric]*evidence.Intervals
}

// of returns the intervals of a metric in the test of a cell. It needs mu.
func (r *reports) of(c *cell, m migrations.GuardMetric, now time.Time) *evidence.Intervals {
	have := r.byMetric[m.Metric()]
	if have == nil || have.Test < c.test {
		have = evidence.NewIntervals(c.test, now, every(m), m.Prometheus != nil)
		if r.byMetric == nil {
			r.byMetric = make(map[evidence.Metric]*evidence.Intervals)
		}
		r.byMetric[m.Metric()] = have
	}
	return have
}

// add adds what was posted to the slot of now: what comes late is counted when
// it comes, since that moment has been decided upon.
func (r *reports) add(c *cell, m migrations.GuardMetric, x evidence.Interval, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x.At = evidence.SlotOf(now, every(m))
	r.of(c, m, now).Add(x)
}

// read returns what is known of the metrics of a plan, and forgets the others.
func (r *reports) read(p *migrations.Plan, test uint64) map[evidence.Metric]*evidence.Intervals {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out map[evidence.Metric]*evidence.Intervals
	for metric, s := range r.byMetric {
		if s.Test < test || !watches(p, metric) {
			delete(r.byMetric, metric)
			continue
		}
		if out == nil {
			out = make(map[evidence.Metric]*evidence.Intervals)
		}
		out[metric] = s.Clone()
	}
	return out
}

func watches(p *migrations.Plan, metric evidence.Metric) bool {
	for _, m := range p.Guard.Metrics {
		if m.Metric() == metric && m.By == migrations.BySides {
			return true
		}
	}
	return false
}

// restore takes up what an earlier process knew.
func (r *reports) restore(known map[evidence.Metric]*evidence.Intervals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byMetric == nil {
		r.byMetric = evidence.MergeReported(nil, known)
	}
}

// Testing reports whether a test of a migration runs.
func (g *Gateway) Testing(migration string) bool {
	snap := g.snapshot.Load()
	for i, p := range snap.plan.migrations {
		if p.ID == migration {
			return snap.standings[i].test() != 0
		}
	}
	return false
}

// Polled takes what a monitoring system says of a metric in one slot, which is
// the same at every gateway. It reports whether a test runs that the slot is
// in with all of its time.
func (g *Gateway) Polled(migration string, m migrations.GuardMetric, x evidence.Interval, now time.Time) bool {
	snap := g.snapshot.Load()
	for i, p := range snap.plan.migrations {
		if p.ID != migration {
			continue
		}
		cells := snap.standings[i].cells
		c := &cells[len(cells)-1]
		if c.test == 0 {
			return false
		}
		r := &c.book.reports
		r.mu.Lock()
		defer r.mu.Unlock()
		s := r.of(c, m, now)
		s.Put(x)
		return x.At >= s.From
	}
	return false
}

// outcomeIDs bounds the ids that are remembered.
const outcomeIDs = 1 << 16

// outcomes are the ids of what applications have told. Only a hash of each is
// kept, so that they may be long.
type outcomes struct {
	mu    sync.Mutex // guards what follows
	seed  maphash.Seed
	known map[uint64]time.Time // when it came
	ring  []uint64             // the same, by when they came; made when the first comes
	next  int
}

// first reports whether an id is new, and remembers it: the last 65,536 of
// them, for ten minutes.
func (o *outcomes) first(migration, id string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.seed, o.known = maphash.MakeSeed(), make(map[uint64]time.Time)
		o.ring = make([]uint64, outcomeIDs)
	}
	var h maphash.Hash
	h.SetSeed(o.seed)
	_, _ = h.WriteString(migration)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(id)
	sum := h.Sum64()
	if came, ok := o.known[sum]; ok && now.Sub(came) <= outcomeLate {
		return false
	}
	delete(o.known, o.ring[o.next])
	o.known[sum], o.ring[o.next] = now, sum
	o.next = (o.next + 1) % outcomeIDs
	return true
}
