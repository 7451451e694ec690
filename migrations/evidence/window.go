package evidence

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A Window is the latency of the monolith over the last hour, by slots of five
// minutes. It answers for the past only: τ must be known before the requests
// that it judges. The zero value is empty and ready.
type Window []Span

// A Span is one slot of a [Window].
type Span struct {
	At     int64   `json:"at"` // number of the slot since 1970
	Sketch *Sketch `json:"sketch"`
}

const (
	slotTime  = 5 * time.Minute
	slotsKept = 12 + 1  // an hour, and the slot under way
	lastSlot  = 1 << 40 // what lies beyond is no time
)

// Add counts one duration that ended at a time.
func (w *Window) Add(at time.Time, d time.Duration) {
	w.slot(slotOf(at, slotTime)).Add(d)
	w.trim()
}

func (w *Window) slot(at int64) *Sketch {
	i, ok := slices.BinarySearchFunc(*w, at, func(s Span, t int64) int { return cmp.Compare(s.At, t) })
	if !ok {
		*w = slices.Insert(*w, i, Span{at, new(Sketch)})
	}
	return (*w)[i].Sketch
}

func (w *Window) trim() {
	if n := len(*w); n > 0 {
		oldest := (*w)[n-1].At - slotsKept
		*w = slices.DeleteFunc(*w, func(s Span) bool { return s.At <= oldest })
	}
}

// Merge adds what another gateway measured, which stays as it is.
func (w *Window) Merge(o Window) {
	for _, s := range o {
		if s.Sketch != nil && s.At >= 0 && s.At < lastSlot {
			w.slot(s.At).Merge(s.Sketch)
		}
	}
	w.trim()
}

// Tau returns the quantile q of the latencies in the slots that were over by a
// time, within the hour before, and whether there were enough of them: at least
// ten must lie beyond it.
func (w Window) Tau(q float64, by time.Time) (time.Duration, bool) {
	var past Sketch
	to := slotOf(by, slotTime)
	for _, s := range w {
		if s.At < to && s.At >= to-(slotsKept-1) && s.Sketch != nil {
			past.Merge(s.Sketch)
		}
	}
	beyond := float64(past.Len()) * (1 - q)
	if !(beyond >= 10-1e-6) || math.IsInf(beyond, 0) {
		return 0, false
	}
	return past.Quantile(q), true
}

// A Tolerance is what counts as slow.
type Tolerance struct {
	Tau     time.Duration // quantile of the monolith's latency in the past
	WorseBy float64       // how much slower the service may be: 0.2 is 20 %
}

// Limit returns the time after which a response of a side is slow: τ for the
// monolith, (1+δ)τ for the service. The share w of the test is not changed by
// this margin. The event is counted when the timer passes the limit, so that a
// hang is seen then.
func (t Tolerance) Limit(s Side) time.Duration {
	if s == Modern && t.WorseBy > 0 {
		return t.Tau + time.Duration(float64(t.Tau)*t.WorseBy)
	}
	return t.Tau
}
