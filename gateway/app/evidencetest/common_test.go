package evidencetest

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// A fault that both sides have in common, such as a database that fails and
// comes back.
type common struct{ down atomic.Bool }

func (c *common) with(d defect) defect {
	return when(func(*http.Request) bool { return c.down.Load() }, d)
}

// comesAndGoes has the fault so often, for so long each time.
func (c *common) comesAndGoes(times int, down, up time.Duration) func(context.Context, *trial) {
	return func(ctx context.Context, _ *trial) {
		for range times {
			if !pause(ctx, up) {
				return
			}
			c.down.Store(true)
			if !pause(ctx, down) {
				return
			}
			c.down.Store(false)
		}
	}
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
