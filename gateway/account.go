package gateway

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Indexes of linked.
const (
	metricErrors = iota
	metricTimeouts
	metricSlow
	metricClass
)

// account counts a finished request of a migration, and decides whether a
// decision may link to its trace. It returns what the request says.
func (rec *record) account() facts {
	if rec.cell == nil {
		return 0
	}
	b := rec.cell.book
	b.tally.count(rec)
	f, slow := rec.says()
	if f == 0 {
		return 0
	}
	n := line{
		cell: rec.cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), at: rec.Start.Add(rec.Total).UnixNano(),
		took: rec.took, whole: rec.whole, facts: f, class: rec.class, slow: slow, method: rec.Method, target: rec.Target, pattern: rec.Pattern,
		pair: rec.pair,
	}
	if rec.late {
		n.facts |= tooLate
	}
	if f&(healed|harmed) != 0 && rec.mayBeRestart() {
		n.facts |= restarting
	}
	if f&(placed|onModern) == placed|onModern && (n.slow&tail != 0 || rec.class != evidence.ClassOK) {
		metric := metricClass
		switch {
		case f&failed != 0:
			metric = metricErrors
		case f&timedOut != 0:
			metric = metricTimeouts
		case n.slow&tail != 0:
			metric = metricSlow
		}
		if rec.cell.links.take(metric) {
			rec.linked, n.span = true, rec.trace.Reference()
		}
	}
	rec.cell.hurts.see(&n)
	b.ledger.write(&n)
	return f
}

// tail are the latencies, a bit for each, in which an answer that is slow is slow
// for its user. That half of all are slower than the p50 is no news.
var tail = func() (bits uint8) {
	for i, l := range evidence.Latencies {
		if !l.Central {
			bits |= 1 << i
		}
	}
	return bits
}()

// slowIn returns in which of [evidence.Latencies] the request was slow, a bit
// for each, without those that its timer has told already.
func (rec *record) slowIn() (slow uint8) {
	if rec.bothFailed || rec.cell.known().slowest == 0 {
		return 0
	}
	limits := rec.limits()
	for i := range limits {
		took := rec.took
		if evidence.Latencies[i].Whole {
			took = rec.whole
		}
		if limits[i] > 0 && (took > limits[i] || rec.late) {
			slow |= 1 << i
		}
	}
	if rec.barked {
		slow &^= rec.toldSlow
	}
	return slow
}

// mayBeRestart reports whether the service failed as one does that is being
// restarted: no application answered.
func (rec *record) mayBeRestart() bool {
	switch rec.class {
	case evidence.ClassBroken, evidence.ClassTimeout:
		return rec.firstErr != upstream.KindMalformed
	case evidence.ClassFailed:
		return rec.firstStatus >= 502 && rec.firstStatus <= 504
	}
	return false
}

// evidenceKey returns the key that the request counts under: a salted hash, of
// one that only the client vouches for together with its network (law 11).
func (rec *record) evidenceKey() evidence.Key {
	if rec.counted != 0 {
		return rec.counted
	}
	a := &rec.assignment
	key := evidence.Key(a.KeyHash)
	if !a.Verified && key != 0 {
		key = key.Within(network(rec.peer.client))
	}
	rec.counted = key
	return key
}

// network returns the prefix that one party is taken to have: 24 bits of an
// IPv4 address, 48 of another.
func network(a netip.Addr) (high, low uint64) {
	a = a.Unmap()
	b := a.As16()
	high, low = binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	if a.Is4() {
		return high, low &^ 0xff
	}
	return high &^ 0xffff, 0
}

func (rec *record) sideFact() facts {
	if rec.Side == migrations.Modern {
		return onModern
	}
	return 0
}

// A pairing is what the decision on an observation is counted by.
type pairing struct {
	cell    *cell
	key     evidence.Key // 0: not in the test
	network evidence.Network
	control migrations.Side
	pair    uint64 // of the request
	method  string
	target  string
	pattern string
}

// settled counts an observation when it is decided.
func (p *pairing) settled(v shadow.Verdict) {
	n := line{
		cell: p.cell, key: p.key, network: p.network, at: time.Now().UnixNano(), facts: compared, outcome: v.Outcome, span: v.Span,
		method: p.method, target: p.target, pattern: p.pattern, pair: p.pair,
	}
	service, monolith := v.CandidateBad, v.ControlBad
	if p.control == migrations.Modern {
		service, monolith = monolith, service
		n.facts |= onModern
	}
	// A control that breaks off or does not answer is not compared. So where the
	// monolith is the control, a service that does not answer makes no pair either:
	// the coin would not be fair. Where the service is, fallback shows both.
	if service && !(v.NoAnswer && p.control == migrations.Legacy) {
		n.facts |= serviceBad
	}
	if monolith {
		n.facts |= monolithBad
	}
	if v.Noise || monolith || p.control == migrations.Modern && v.CandidateFailed() {
		n.facts |= blameless
	}
	if v.FellBack {
		n.facts |= fellBack
	}
	if v.Restart && p.control == migrations.Legacy {
		n.facts |= restarting
	}
	p.cell.book.ledger.write(&n)
}
