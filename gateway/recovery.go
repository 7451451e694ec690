package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Rollback is a rollback that has come into force at this gateway.
type Rollback struct {
	Seq       uint64 // of its event
	Migration string
	Cell      string          // that it concerns, by its name in the event; empty: all
	Because   uint64          // the event that it follows from; 0: none
	Metric    evidence.Metric // that decided; empty: none did
	FirstBad  time.Time       // by the clock of the gateway that saw it; zero: not known
	Decided   time.Time       // by the log's clock
	At        time.Time       // when it came into force here, by the log's clock
	Ahead     time.Duration   // by how much the log's clock is ahead of this machine's
	Started   bool            // the gateway began to run then, with the rollback in its state
	Partial   bool            // it is a part of a way back, and not the last
}

// recoveryMetrics measure rollbacks, by migration.
type recoveryMetrics struct{ detection, enforcement, recovery *telemetry.Histogram }

func newRecoveryMetrics(m *telemetry.Metrics) recoveryMetrics {
	return recoveryMetrics{
		m.Histogram("ficus_rollback_detection_seconds", "From the first bad request on the service to the decision to roll back.", "migration"),
		m.Histogram("ficus_rollback_enforcement_seconds", "From the decision to roll back until it was in force at this gateway.", "migration"),
		m.Histogram("ficus_rollback_recovery_seconds", "From the first bad request on the service to the last user of this gateway who was hurt, a minute after the rollback at most.", "migration"),
	}
}

// recoveries are the rollbacks of a migration, as this gateway acted upon them.
type recoveries struct {
	mu    sync.Mutex // of those who ask, of compiling a snapshot and of rollbacks; never of a request
	list  []*recovery
	hurts map[string]*hurts // by name of the cell
}

// A recovery is one of them, which is followed for a while.
type recovery struct {
	Rollback
	said  evidence.Enforcement
	over  bool     // it is not followed any more
	cells []*hurts // that it concerns, while it is followed
}

// of returns where the requests of a cell are noted.
func (rs *recoveries) of(cell string) *hurts {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	h := rs.hurts[cell]
	if h == nil {
		if rs.hurts == nil {
			rs.hurts = make(map[string]*hurts)
		}
		h = new(hurts)
		rs.hurts[cell] = h
	}
	return h
}

// InForce notes that a rollback is in force here, and has the requests followed
// that the service still has.
func (g *Gateway) InForce(r Rollback) {
	b := g.books.of(r.Migration)
	if !b.recoveries.add(g.books.name, r) || r.Started {
		return
	}
	m := g.recovery
	m.enforcement.Observe(r.Migration, r.At.Sub(r.Decided))
	if !r.FirstBad.IsZero() {
		m.detection.Observe(r.Migration, r.Decided.Sub(r.FirstBad))
	}
}

// Forward notes that a cell of a migration, or all of it if cell is empty, is
// about to move forward again: how its requests end from now on is no matter of
// a rollback before.
func (g *Gateway) Forward(migration, cell string) {
	g.books.of(migration).recoveries.end(cell, time.Now(), g.recovery.over)
}

// over counts a recovery that is not followed any more. The parts of a way back
// are counted once, with the last of them.
func (m recoveryMetrics) over(r Rollback, said evidence.Enforcement) {
	if !r.FirstBad.IsZero() && !r.Partial {
		m.recovery.Observe(r.Migration, said.Last().Sub(r.FirstBad))
	}
}

// add reports whether the rollback is new. What it follows from says what users
// suffered by.
func (rs *recoveries) add(name string, r Rollback) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, before := range rs.list {
		switch before.said.Seq {
		case r.Seq:
			return false
		case r.Because:
			r.Metric, r.FirstBad = before.Metric, before.FirstBad
		}
	}
	next := &recovery{Rollback: r, over: r.Started}
	next.said = evidence.Enforcement{Seq: r.Seq, Gateway: name, At: r.At.UTC().Round(0), Started: r.Started}
	for cell, h := range rs.hurts {
		if !r.Started && (r.Cell == "" || r.Cell == cell) {
			h.watched.Store(true)
			next.cells = append(next.cells, h)
		}
	}
	rs.list = append(rs.list, next)
	slices.SortFunc(rs.list, func(a, b *recovery) int { return int(int64(a.said.Seq) - int64(b.said.Seq)) })
	if n := len(rs.list) - evidence.EnforcementLimit; n > 0 {
		rs.list = slices.Delete(rs.list, 0, n)
	}
	return true
}

// read returns what is known by now, and tells done of each that is over.
func (rs *recoveries) read(now time.Time, done func(Rollback, evidence.Enforcement)) []evidence.Enforcement {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var out []evidence.Enforcement
	for _, r := range rs.list {
		if !r.over {
			r.follow(now)
			if r.over {
				done(r.Rollback, r.said)
			}
		}
		out = append(out, r.said)
	}
	for _, h := range rs.hurts {
		if h.watched.Load() && !slices.ContainsFunc(rs.list, func(r *recovery) bool { return slices.Contains(r.cells, h) }) {
			h.watched.Store(false)
		}
	}
	return out
}

// end stops following what is followed of a cell, or of all if it is empty.
func (rs *recoveries) end(cell string, now time.Time, done func(Rollback, evidence.Enforcement)) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		if !r.over && (cell == "" || r.Cell == "" || cell == r.Cell) {
			r.follow(now)
			r.over, r.cells = true, nil
			done(r.Rollback, r.said)
		}
	}
}

// follow takes in what has become of requests since the rollback.
func (r *recovery) follow(now time.Time) {
	at := r.At.Add(-r.Ahead) // by this machine's clock, as what follows
	until := at.Add(evidence.FollowFor)
	since := at
	if !r.FirstBad.IsZero() {
		since = r.FirstBad
	} else if !r.Decided.IsZero() && r.Decided.Before(r.At) {
		since = r.Decided.Add(-r.Ahead)
	}
	for _, h := range r.cells {
		if ms := h.last(r.Metric); ms >= since.UnixMilli() && ms <= until.UnixMilli() {
			r.said.LastHurt = later(r.said.LastHurt, time.UnixMilli(ms).Add(r.Ahead))
		}
		if ms := h.asked.Load(); ms >= at.UnixMilli() && ms <= until.UnixMilli() {
			r.said.LastAsked = later(r.said.LastAsked, time.UnixMilli(ms).Add(r.Ahead))
		}
	}
	if now.After(until) {
		r.over, r.cells = true, nil
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a
}

// restore takes up what a process before this one has said.
func (rs *recoveries) restore(said []evidence.Enforcement) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.list) > 0 {
		return
	}
	for _, e := range evidence.MergeEnforced(nil, said) {
		rs.list = append(rs.list, &recovery{Rollback: Rollback{Seq: e.Seq, At: e.At}, said: e, over: true})
	}
}

// hurts are when requests on the service of one cell last ended badly for their
// users.
type hurts struct {
	watched atomic.Bool // a rollback is followed; every request reads it
	_       [63]byte
	bad     [len(metricOf)]atomic.Int64 // by class, in Unix milliseconds; that of [evidence.ClassOK] is of slow ones
	asked   atomic.Int64                // when a request on the service last ended, while a rollback is followed
}

// see notes a request that was asked of the service.
func (h *hurts) see(n *line) {
	if h == nil || n.facts&onModern == 0 {
		return
	}
	ms := n.at / int64(time.Millisecond)
	if h.watched.Load() {
		raise(&h.asked, ms)
	}
	switch {
	case n.facts&(healed|inVain) != 0: // the user got the monolith's answer, or would not have fared better there
	case n.facts&harmed != 0, n.class != evidence.ClassOK:
		raise(&h.bad[n.class], ms)
	case n.facts&(slow|told) != 0:
		raise(&h.bad[evidence.ClassOK], ms)
	}
}

// last returns when a user was last hurt, in Unix milliseconds: by a failure, or
// by what the metric counts.
func (h *hurts) last(m evidence.Metric) (ms int64) {
	for class := range h.bad {
		counts := evidence.Class(class).Failure() || metricOf[class] != "" && metricOf[class] == m
		if evidence.Class(class) == evidence.ClassOK {
			counts = evidence.IsLatency(m) >= 0 || m == evidence.Slow
		}
		if counts {
			ms = max(ms, h.bad[class].Load())
		}
	}
	return ms
}

func raise(a *atomic.Int64, to int64) {
	for have := a.Load(); have < to && !a.CompareAndSwap(have, to); have = a.Load() {
	}
}
