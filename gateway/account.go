package gateway

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Indexes of linked.
const (
	metricErrors = iota
	metricTimeouts
	metricSlow
)

// account counts a finished request of a migration, and decides whether a
// decision may link to its trace.
func (rec *record) account() {
	if rec.cell == nil {
		return
	}
	b := rec.cell.book
	b.tally.count(rec)
	f := rec.facts()
	if f == 0 {
		return
	}
	n := line{cell: rec.cell, key: rec.evidenceKey(), at: rec.Start.Add(rec.Total).UnixNano(), took: rec.took, facts: f}
	if f&(placed|onModern) == placed|onModern && f&(failed|timedOut|slow) != 0 {
		metric := metricSlow
		switch {
		case f&failed != 0:
			metric = metricErrors
		case f&timedOut != 0:
			metric = metricTimeouts
		}
		if rec.cell.links.take(metric) {
			rec.linked, n.span = true, rec.trace.Reference()
		}
	}
	b.ledger.write(n)
}

// evidenceKey returns the key that the request counts under: a salted hash, of
// one that only the client vouches for together with its network (law 11).
func (rec *record) evidenceKey() evidence.Key {
	a := &rec.assignment
	key := evidence.Key(a.KeyHash)
	if a.Verified || key == 0 {
		return key
	}
	return key.Within(network(rec.peer.client))
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

// settled counts an observation when it is decided.
func (c *cell) settled(key evidence.Key, control migrations.Side, v shadow.Verdict) {
	n := line{cell: c, key: key, at: time.Now().UnixNano(), facts: compared, outcome: v.Outcome, span: v.Span}
	switch v.Pair {
	case shadow.CandidateAlone:
		n.facts |= candidateAlone
	case shadow.ControlAlone:
		n.facts |= controlAlone
	}
	if v.Probed || control == migrations.Modern && v.CandidateFailed() {
		n.facts |= blameless
	}
	c.book.ledger.write(n)
}
