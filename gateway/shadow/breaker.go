package shadow

import (
	"sync"
	"time"
)

// A breaker keeps a candidate that fails from being asked each time. While it
// is open one question in a while is let through; what it keeps back is
// counted as dropped, so that the failures that are seen stay a fair sample.
type breaker struct {
	mu       sync.Mutex // guards what follows; held by workers and for a moment by End
	failures int        // in a row
	until    time.Time  // nothing passes before; zero: closed
	wait     time.Duration
}

const (
	breakAfter = 10 // failures in a row
	breakFirst = 250 * time.Millisecond
	breakLast  = 5 * time.Second
)

// allow reports whether a question may be asked now. An open breaker lets one
// through whenever its wait is over.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(b.wait)
	return true
}

func (b *breaker) report(ok bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures, b.until, b.wait = 0, time.Time{}, 0
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.wait = min(max(2*b.wait, breakFirst), breakLast)
		b.until = now.Add(b.wait)
	}
}

func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero()
}
