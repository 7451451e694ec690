package shadow

import "sync/atomic"

// A Budget bounds the bytes that copies of requests and answers may take.
type Budget struct {
	limit int64
	used  atomic.Int64
	peak  atomic.Int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Used returns the bytes that are taken.
func (b *Budget) Used() int64 { return b.used.Load() }

// Peak returns the most that was ever taken.
func (b *Budget) Peak() int64 { return b.peak.Load() }

// reserve takes n bytes, or none and reports false.
func (b *Budget) reserve(n int64) bool {
	used := b.used.Add(n)
	if used > b.limit {
		b.used.Add(-n)
		return false
	}
	for {
		peak := b.peak.Load()
		if used <= peak || b.peak.CompareAndSwap(peak, used) {
			return true
		}
	}
}

func (b *Budget) release(n int64) { b.used.Add(-n) }
