package gateway

import (
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// arrivals remember who has been here of late, so that people who ask again and
// again are noted once. To forget one costs a line, and nothing else.
type arrivals [1024]atomic.Uint64

// fresh reports whether a key is not known to have been here in a test, in the
// way that the facts say: whom a journey has kept may be placed later.
func (a *arrivals) fresh(key evidence.Key, test uint64, f facts) bool {
	mark := uint64(key) ^ test*0x9e3779b97f4a7c15 ^ uint64(f&journeying)
	slot := &a[uint64(key)%uint64(len(a))]
	return slot.Load() != mark && slot.Swap(mark) != mark
}

// arrive notes that somebody has come, when the side is chosen: if it waited for
// the answer, the side that is slower would seem to have fewer people than the
// split gives it.
func (rec *record) arrive() {
	c := rec.cell
	if c.test == 0 || rec.tripped {
		return
	}
	f := rec.standsFor()
	if f&(placed|journeying) == 0 {
		return
	}
	if key := rec.evidenceKey(); c.book.ledger.arrivals.fresh(key, c.test, f) {
		c.book.ledger.write(&line{cell: c, key: key, network: evidence.Network(rec.network()), at: time.Now().UnixNano(), facts: arrived | f | rec.sideFact()})
	}
}

// arrival counts a key for all that asks about the split.
func arrival(cell *evidence.Cell, n *line, v evidence.Vote) {
	if n.facts&journeying == 0 {
		cell.Meet(v)
		return
	}
	v.Side = evidence.Legacy
	if n.facts&givenModern != 0 {
		v.Side = evidence.Modern
	}
	cell.Kept(v)
}
