package evidence

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Intervals is what an application counted of one metric in the present test,
// ascending by time. Slots of which nothing is known are left out.
//
// Those of a monitoring system are polled: every gateway asks it about the same
// times and gets the same answer, so that a slot that two gateways know is one
// slot, never their sum. What the application posts comes to one gateway each
// time, and adds up.
type Intervals struct {
	Test   uint64     `json:"test"`             // seq of the event that began the test; a newer test's replace an older one's
	From   int64      `json:"from"`             // first slot that lies in the test with all of its time
	Polled bool       `json:"polled,omitempty"` // several gateways may know the same
	Slots  []Interval `json:"slots,omitempty"`  // of the newest block, see [IntervalLimit]
}

// IntervalLimit is the number of slots after which the evidence of a test
// begins again: a block. Block j counts with a weight of 6/(π²j²); the weights
// add up to 1, so that the evidence of a test stays valid without the slots of
// blocks that are over. At four slots a minute a block is two hours.
const IntervalLimit = 512

// SlotOf returns the slot that a time lies in.
func SlotOf(at time.Time, every time.Duration) int64 {
	return at.UnixMilli() / max(every.Milliseconds(), 1)
}

// SlotStart returns when a slot begins.
func SlotStart(slot int64, every time.Duration) time.Time {
	return time.UnixMilli(slot * max(every.Milliseconds(), 1))
}

// NewIntervals returns the intervals of a test that began at a time: the slot
// in which it did is not in it.
func NewIntervals(test uint64, began time.Time, every time.Duration, polled bool) *Intervals {
	return &Intervals{Test: test, From: SlotOf(began, every) + 1, Polled: polled}
}

// Put takes a slot, in place of what was known of it: for what is polled.
// Slots before the test, and of blocks that are over, are dropped.
func (s *Intervals) Put(x Interval) { s.take(x, Interval.newer) }

// Add adds to a slot: for what is posted.
func (s *Intervals) Add(x Interval) { s.take(x, Interval.plus) }

func (s *Intervals) take(x Interval, join func(Interval, Interval) Interval) {
	if x.At < s.From || len(s.Slots) > 0 && block(x.At) < block(s.Newest()) {
		return
	}
	i, known := slices.BinarySearchFunc(s.Slots, x.At, func(have Interval, at int64) int { return cmp.Compare(have.At, at) })
	if known {
		s.Slots[i] = join(s.Slots[i], x)
		return
	}
	s.Slots = trimmed(slices.Insert(s.Slots, i, x))
}

func block(at int64) int64 { return at / IntervalLimit }

// trimmed drops the slots of blocks that are over.
func trimmed(all []Interval) []Interval {
	if len(all) == 0 {
		return all
	}
	last := block(all[len(all)-1].At)
	return slices.DeleteFunc(all, func(x Interval) bool { return block(x.At) < last })
}

// plus adds what two gateways were told of one slot.
func (x Interval) plus(o Interval) Interval {
	return Interval{x.At, x.Bad.plus(o.Bad), x.Total.plus(o.Total)}
}

// newer returns the one of two answers about a slot that knows more: one may
// have been given before the last of the application had been scraped. It looks
// at totals first, which say nothing of who is worse.
func (x Interval) newer(o Interval) Interval {
	if cmp.Or(
		cmp.Compare(x.Total.Sum(), o.Total.Sum()), cmp.Compare(x.Total[Legacy], o.Total[Legacy]),
		cmp.Compare(x.Bad.Sum(), o.Bad.Sum()), cmp.Compare(x.Bad[Legacy], o.Bad[Legacy]),
	) < 0 {
		return o
	}
	return x
}

// Newest returns the last slot that is known; that before the test if none is.
func (s *Intervals) Newest() int64 {
	if n := len(s.Slots); n > 0 {
		return s.Slots[n-1].At
	}
	return s.From - 1
}

// intervalsLate is how many slots may pass without a word.
const intervalsLate = 3

// Late reports whether more than three slots have passed of which nothing is
// known: a ramp does not go forward on what it does not see.
func (s *Intervals) Late(now time.Time, every time.Duration) bool {
	return s == nil || SlotOf(now, every)-1-s.Newest() > intervalsLate
}

// Clone returns a copy that shares nothing with s.
func (s *Intervals) Clone() *Intervals {
	out := *s
	out.Slots = slices.Clone(s.Slots)
	return &out
}

// merged returns what two gateways know together, of the newer test if they
// differ. It is commutative and associative; of what is polled, idempotent too.
func (s *Intervals) merged(o *Intervals) *Intervals {
	switch {
	case s == nil || s.Test < o.Test:
		return o.Clone()
	case s.Test > o.Test:
		return s.Clone()
	}
	join := Interval.plus
	if s.Polled || o.Polled {
		join = Interval.newer
	}
	out := &Intervals{Test: s.Test, From: min(s.From, o.From), Polled: s.Polled || o.Polled}
	all := slices.Concat(s.Slots, o.Slots)
	slices.SortStableFunc(all, func(a, b Interval) int { return cmp.Compare(a.At, b.At) })
	for _, x := range all {
		if n := len(out.Slots); n > 0 && out.Slots[n-1].At == x.At {
			out.Slots[n-1] = join(out.Slots[n-1], x)
		} else {
			out.Slots = append(out.Slots, x)
		}
	}
	out.Slots = trimmed(out.Slots)
	return out
}

// MergeReported adds the metrics that another gateway knows to those of into,
// which may be nil, and returns it. What it adds shares nothing with more.
func MergeReported(into, more map[Metric]*Intervals) map[Metric]*Intervals {
	for m, s := range more {
		if s == nil {
			continue
		}
		if into == nil {
			into = make(map[Metric]*Intervals, len(more))
		}
		into[m] = into[m].merged(s)
	}
	return into
}

// UnmarshalJSON reads slots that ascend.
func (s *Intervals) UnmarshalJSON(text []byte) error {
	type plain Intervals
	var in plain
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if len(in.Slots) > IntervalLimit || !slices.IsSortedFunc(in.Slots, func(a, b Interval) int {
		return cmp.Or(cmp.Compare(a.At, b.At), -1) // the same twice does not ascend
	}) {
		return errors.New("the slots of intervals ascend, and are of one block")
	}
	*s = Intervals(in)
	return nil
}
