package app

import (
	"context"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway/takeover"
)

// handed says who has taken over from this process.
type handed struct {
	taken chan struct{} // closed when somebody has
	let   time.Time     // when this process began to let go; used by one takeover at a time

	mu   sync.Mutex // guards the following
	by   takeover.Process
	used map[int]bool // which of the sockets
}

func newHanded() *handed { return &handed{taken: make(chan struct{})} }

// over notes who has taken over.
func (h *handed) over(by takeover.Process, used []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by, h.used = by, make(map[int]bool, len(used))
	for _, i := range used {
		h.used[i] = true
	}
	close(h.taken)
}

// done reports whether somebody has taken over.
func (h *handed) done() bool {
	select {
	case <-h.taken:
		return true
	default:
		return false
	}
}

// has reports whether the process that has taken over uses a socket.
func (h *handed) has(i int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.used[i]
}

// to returns who has taken over.
func (h *handed) to() takeover.Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.by
}

// until returns a context that ends with ctx, or when somebody has taken over.
func (h *handed) until(ctx context.Context) context.Context {
	ctx, end := context.WithCancel(ctx)
	go func() {
		defer end()
		select {
		case <-h.taken:
		case <-ctx.Done():
		}
	}()
	return ctx
}

// TakenOver yields when another process has taken over: it accepts the
// connections from now on, and this one should be shut down.
func (p *Process) TakenOver() <-chan struct{} { return p.handed.taken }
