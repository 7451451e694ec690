package evidence

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Window is the latency of the monolith over the last hour, by slots of five
// minutes, and over the last five minutes by slots of ten seconds, so that a
// guard need not wait for the long slot under way. It answers for the past
// only: τ must be known before the requests that it judges. The zero value is
// empty and ready.
type Window struct {
	Hour   Spans `json:"hour,omitempty"`
	Recent Spans `json:"recent,omitempty"`
}

// Spans are slots of a [Window], ascending.
type Spans []Span

// A Span is one slot.
type Span struct {
	At     int64   `json:"at"` // number of the slot since 1970
	Sketch *Sketch `json:"sketch"`
}

const (
	longSlot   = 5 * time.Minute
	longKept   = 12 + 1 // an hour, and the slot under way
	shortSlot  = 10 * time.Second
	shortKept  = int64(longSlot/shortSlot) + 1 // a long slot, and the short one under way
	shortsEach = int64(longSlot / shortSlot)
	lastSlot   = 1 << 40 // what lies beyond is no time
)

// Add counts one duration that ended at a time.
func (w *Window) Add(at time.Time, d time.Duration) {
	w.Hour.slot(slotOf(at, longSlot), longKept).Add(d)
	w.Recent.slot(slotOf(at, shortSlot), shortKept).Add(d)
}

// Merge adds what another gateway measured, which stays as it is.
func (w *Window) Merge(o Window) {
	w.Hour.merge(o.Hour, longKept)
	w.Recent.merge(o.Recent, shortKept)
}

// slot returns the sketch of a slot, and forgets those that are too old.
func (s *Spans) slot(at, keep int64) *Sketch {
	i, ok := slices.BinarySearchFunc(*s, at, func(x Span, t int64) int { return cmp.Compare(x.At, t) })
	if ok {
		return (*s)[i].Sketch
	}
	sketch := new(Sketch)
	*s = slices.Insert(*s, i, Span{at, sketch})
	oldest := (*s)[len(*s)-1].At - keep
	*s = slices.DeleteFunc(*s, func(x Span) bool { return x.At <= oldest })
	return sketch
}

func (s *Spans) merge(o Spans, keep int64) {
	for _, x := range o {
		if x.Sketch != nil && x.At >= 0 && x.At < lastSlot {
			s.slot(x.At, keep).Merge(x.Sketch)
		}
	}
}

// within adds the slots from one up to, not including, another to a sketch.
func (s Spans) within(from, to int64, into *Sketch) {
	for _, x := range s {
		if x.At >= from && x.At < to && x.Sketch != nil {
			into.Merge(x.Sketch)
		}
	}
}

// Tau returns the quantile q of the latencies in the slots that were over by a
// time, within the hour before, and whether there were enough of them: at least
// ten must lie beyond it.
func (w Window) Tau(q float64, by time.Time) (time.Duration, bool) {
	past := w.past(by)
	beyond := float64(past.Len()) * (1 - q)
	if !(beyond >= 10-1e-6) || math.IsInf(beyond, 0) {
		return 0, false
	}
	return past.Quantile(q), true
}

// past returns what the slots hold that were over by a time.
func (w Window) past(by time.Time) (past Sketch) {
	to := slotOf(by, longSlot)
	w.Hour.within(to-(longKept-1), to, &past)
	w.Recent.within(to*shortsEach, slotOf(by, shortSlot), &past)
	return past
}

// A Tolerance is by how much the service may be slower than τ.
type Tolerance struct {
	Tau     time.Duration // quantile of the monolith's latency in the past; 0: not known
	WorseBy float64       // how much slower the service may be: 0.2 is 20 %
}

// leastWorse is how much slower the service may be, however fast the monolith
// is: a hop through the network, or a busy processor, is no worsening.
const leastWorse = 2 * time.Millisecond

// Limit returns the time after which a response of a side is slow: τ for the
// monolith; for the service (1+δ)τ, at least 2 ms more. The share w of the test
// is not changed by this margin. It is 0 if τ is not known.
func (t Tolerance) Limit(s Side) time.Duration {
	if s == Modern && t.Tau > 0 {
		return t.Tau + max(time.Duration(float64(t.Tau)*max(t.WorseBy, 0)), leastWorse)
	}
	return t.Tau
}
