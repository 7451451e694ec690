package redislog

import (
	"sync/atomic"
	"time"
)

// A clock is that of Redis, as far as this gateway can tell.
type clock struct {
	ahead   atomic.Int64 // by how much Redis' clock was ahead of ours, in nanoseconds
	contact atomic.Int64 // when Redis last answered, by our clock, in Unix nanoseconds; 0: never
}

// heard notes what Redis' clock says.
func (c *clock) heard(now time.Time) {
	ours := time.Now()
	c.ahead.Store(int64(now.Sub(ours)))
	c.contact.Store(ours.UnixNano())
}

// Now returns the time by Redis' clock, which stamps the events; by that of
// this machine as long as Redis has never answered. It may run backwards when
// Redis changes its master.
func (l *Log) Now() time.Time { return time.Now().Add(time.Duration(l.clock.ahead.Load())) }

// Contact returns when Redis last answered a question of the log, by the clock
// of this machine; the zero time: never. While all is well that is at most
// about a second ago.
func (l *Log) Contact() time.Time {
	if at := l.clock.contact.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Skew returns by how much Redis' clock is ahead of this machine's.
func (l *Log) Skew() time.Duration { return time.Duration(l.clock.ahead.Load()) }
