package gateway

import (
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A wrote remembers which side took a person's last write, for as long as the
// data of the other may lag behind, so that people read what they wrote. It is
// kept where data is synced. It is of a fixed size, and what does not fit is
// forgotten: then somebody may read what is as old as the data is behind.
// Gateways do not tell one another.
type wrote struct {
	sets [1 << 13]set // 512 KiB: some 50,000 writes within the lag
}

// A set is the slots in which one key may be.
type set [8]atomic.Uint64

// A slot holds, from the highest bit on: 28 bits of the key's hash that did not
// choose the set, 35 bits of the time until which it holds, in milliseconds
// since [wroteEpoch], and one that says that it was the service.
const (
	slotTag    = 28
	slotTime   = 63 - slotTag
	slotModern = 1
	tagMask    = (1<<slotTag - 1) << (64 - slotTag)
)

// wroteEpoch is when the times of slots begin: the process.
var wroteEpoch = time.Now()

func millis(at time.Time) uint64 {
	return uint64(max(at.Sub(wroteEpoch).Milliseconds(), 0)) & (1<<slotTime - 1)
}

func (w *wrote) of(key uint64) (s *set, tag uint64) {
	return &w.sets[key%uint64(len(w.sets))], key >> (64 - slotTag) << (64 - slotTag)
}

func until(slot uint64) uint64 { return slot << slotTag >> (slotTag + 1) }

// note remembers that a side took a write of a key, until a time.
func (w *wrote) note(key uint64, side migrations.Side, to time.Time) {
	s, tag := w.of(key)
	slot := tag | millis(to)<<1
	if side == migrations.Modern {
		slot |= slotModern
	}
	oldest, ends := 0, ^uint64(0)
	for i := range s {
		have := s[i].Load()
		if have != 0 && have&tagMask == tag {
			oldest = i
			break
		}
		if u := until(have); u < ends {
			oldest, ends = i, u
		}
	}
	s[oldest].Store(slot)
}

// side returns which side took the last write of a key; empty if there is none
// that matters any more.
func (w *wrote) side(key uint64, now time.Time) migrations.Side {
	s, tag := w.of(key)
	for i := range s {
		if have := s[i].Load(); have != 0 && have&tagMask == tag && until(have) > millis(now) {
			if have&slotModern != 0 {
				return migrations.Modern
			}
			return migrations.Legacy
		}
	}
	return ""
}

// noteWrite notes which side took a request that may have written.
func (rec *record) noteWrite() {
	if w := rec.route.wrote; w != nil && rec.input.Request != nil && !rec.input.Safe && rec.KeyHash != 0 && rec.Upstream != "" {
		w.note(rec.KeyHash, rec.answerer(), time.Now().Add(rec.route.plan.Synced.MaxLag))
	}
}

// readsBack returns the side for a request that is given one: that which has
// just taken a write of the same person. After a rollback nobody goes to the
// service for that, and at complete nobody to the monolith.
func (rec *record) readsBack(given migrations.Side) migrations.Side {
	w := rec.route.wrote
	if w == nil || !rec.input.Safe || rec.KeyHash == 0 || rec.Stage == migrations.Complete {
		return given
	}
	took := w.side(rec.KeyHash, rec.Start)
	if m := rec.cell.state; took == "" || took == given || took == migrations.Modern && (m == nil || m.RolledBack || m.Return != nil) {
		return given
	}
	if rec.stay.Placed == "" {
		rec.stay.Placed = given
	}
	if rec.stay.Broken && rec.stay.On() == took {
		rec.stay.Broken, rec.Fallback = false, ""
	}
	rec.stay.Side, rec.stay.Outside, rec.readBack = took, true, true
	return took
}

// Lags tells the gateway whether the data of a migration that is synced lags
// behind by more than it may, or by how much is not known: then the monolith
// does not answer in place of the service. It is so until it is told otherwise.
func (g *Gateway) Lags(migration string, behind bool) { g.books.of(migration).current.Store(!behind) }

// behind reports whether the data may be too old for the other side to answer.
func (rt *route) behind() bool {
	return rt.plan.Data == migrations.DataSynced && !rt.book.current.Load()
}
