package shadow

import (
	"sync"
	"sync/atomic"
	"time"
)

// A breaker keeps a candidate that fails from being asked each time. While it
// is open one question in a while is let through; what it keeps back is
// counted as dropped, so that the failures that are seen stay a fair sample.
type breaker struct {
	mu       sync.Mutex // guards what follows; held by workers and for a moment by End
	failures int        // in a row
	wait     time.Duration

	until atomic.Int64 // nothing passes before, in Unix nanoseconds; 0: closed. Written under mu
}

const (
	breakAfter = 10 // failures in a row
	breakFirst = 250 * time.Millisecond
	breakLast  = 5 * time.Second
)

// bars reports whether a question that is asked now would not pass. It takes
// nothing that is let through.
func (b *breaker) bars(now time.Time) bool {
	until := b.until.Load()
	return until != 0 && now.UnixNano() < until
}

// allow reports whether a question may be asked now. An open breaker lets one
// through whenever its wait is over.
func (b *breaker) allow(now time.Time) bool {
	if b.until.Load() == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bars(now) {
		return false
	}
	if b.until.Load() != 0 {
		b.until.Store(now.Add(b.wait).UnixNano())
	}
	return true
}

func (b *breaker) report(ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures, b.wait = 0, 0
		b.until.Store(0)
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.wait = min(max(2*b.wait, breakFirst), breakLast)
		b.until.Store(now.Add(b.wait).UnixNano())
	}
}

func (b *breaker) open() bool { return b.until.Load() != 0 }
