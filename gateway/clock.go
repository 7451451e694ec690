package gateway

import (
	"sync"
	"time"
)

// A clock measures the side that is asked first. It starts when the request
// has been sent to its end: however long a client takes to send it is not the
// side's doing. With it start the timer that tells that the side is slow and
// the one that gives the service up. It is an [upstream.Progress].
type clock struct {
	mu      sync.Mutex // guards what follows: a body is sent on a goroutine of its own
	running bool       // the side is being asked
	sent    time.Time  // when the request was sent to its end; zero: it was not
	slow    *watchdog  // nil: nothing is slow
	after   *firstByteTimer
}

// start begins to wait for the side.
func (c *clock) start(slow *watchdog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.sent, c.slow = true, time.Time{}, slow
}

// limit sets what gives the side up; nil is nothing.
func (c *clock) limit(t *firstByteTimer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = t
}

// Sending is called when there is a connection.
func (c *clock) Sending() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running && c.after != nil {
		c.after.connected()
	}
}

// Sent is called when the request is sent to its end. Where it is sent again,
// on another connection, the first time counts: the user has waited since.
func (c *clock) Sent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return
	}
	if c.sent.IsZero() {
		c.sent = time.Now()
		if c.slow != nil {
			c.slow.start(c.sent)
		}
	}
	if c.after != nil {
		c.after.sent()
	}
}

// stop ends the wait, and returns when the request had been sent to its end;
// zero if it has not been yet.
func (c *clock) stop() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.slow, c.after = false, nil, nil
	return c.sent
}

// processStart is what monotonic counts from.
var processStart = time.Now()

// monotonic returns the time since the process started. It is never 0.
func monotonic() int64 { return int64(time.Since(processStart)) | 1 }
