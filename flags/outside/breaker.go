package outside

import (
	"sync"
	"sync/atomic"
	"time"
)

// The breaker opens after so many failures in a row, for the first time for
// firstRest, and for twice as long each time, up to lastRest. Longer than that
// no attempt to find out whether the provider is back is waited for either.
const (
	mostFailures = 10
	firstRest    = time.Second
	lastRest     = 30 * time.Second
)

// A breaker leaves a provider alone that has failed again and again.
type breaker struct {
	fails atomic.Int64 // in a row
	shut  atomic.Bool  // it is open: requests look no further while it is false

	mu    sync.Mutex // guards what follows, and the setting of shut
	rest  time.Duration
	until time.Time // open until then, and until somebody has found out
	tried time.Time // when somebody began to find out; zero: nobody is at it
}

// open reports whether the provider is left alone; try is true for the one
// evaluation that is to ask it nevertheless, in the background.
func (b *breaker) open(now time.Time) (open, try bool) {
	if !b.shut.Load() {
		return false, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.shut.Load() {
		return false, false
	}
	if now.Before(b.until) || !b.tried.IsZero() && now.Sub(b.tried) < lastRest {
		return true, false
	}
	b.tried = now
	return true, true
}

// succeeded notes an answer in time, and reports whether that closes the
// breaker.
func (b *breaker) succeeded() (closed bool) {
	if b.fails.Load() == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	closed = b.shut.Swap(false)
	b.fails.Store(0)
	b.rest, b.until, b.tried = 0, time.Time{}, time.Time{}
	return closed
}

// failed notes a failure, and reports whether that opens the breaker.
func (b *breaker) failed(now time.Time) (opened bool) {
	if b.fails.Add(1) < mostFailures {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	opened = !b.shut.Load()
	if opened || !b.tried.IsZero() {
		b.rest = min(max(2*b.rest, firstRest), lastRest)
		b.until, b.tried = now.Add(b.rest), time.Time{}
	}
	b.shut.Store(true)
	return opened
}
