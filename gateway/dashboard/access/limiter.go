package access

import (
	"sync"
	"time"
)

// A limiter lets through a burst of ten and then one a second, so that nobody
// fills the disk with our own complaints about them.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	spent   int        // of the burst
	last    time.Time  // when spent was brought up to date
	skipped int        // since the last that went through
}

const burst = 10

// allow reports whether one more may pass, and how many did not since the last.
func (l *limiter) allow() (ok bool, skipped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if passed := int(now.Sub(l.last) / time.Second); passed > 0 {
		l.spent, l.last = max(0, l.spent-passed), now
	}
	if l.spent >= burst {
		l.skipped++
		return false, 0
	}
	l.spent++
	skipped, l.skipped = l.skipped, 0
	return true, skipped
}
