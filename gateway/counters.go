package gateway

import (
	"math/rand/v2"
	"sync/atomic"
)

// counters is one number spread over cache lines, so that counting every
// request up and down is no place where all processors meet.
type counters [16]struct {
	n atomic.Int64
	_ [56]byte
}

// enter adds one and returns the slot to leave by.
func (c *counters) enter() int {
	i := int(rand.Uint32() % uint32(len(c)))
	c[i].n.Add(1)
	return i
}

func (c *counters) leave(i int) { c[i].n.Add(-1) }

func (c *counters) sum() (n int64) {
	for i := range c {
		n += c[i].n.Load()
	}
	return n
}
