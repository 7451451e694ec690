package load

import (
	"context"
	"sync"
	"time"
)

// A pacer holds many to one rate.
type pacer struct {
	every time.Duration // 0: as fast as they come

	mu   sync.Mutex // guards next
	next time.Time  // that nobody has taken yet
}

func newPacer(rate float64) *pacer {
	if rate == 0 {
		return &pacer{}
	}
	return &pacer{every: time.Duration(float64(time.Second) / rate)}
}

// wait waits for the caller's turn. It reports whether ctx still goes on.
func (p *pacer) wait(ctx context.Context) bool {
	if p.every == 0 {
		return ctx.Err() == nil
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now // turns not taken are lost, so that a pause is followed by no burst
	}
	turn := p.next.Sub(now)
	p.next = p.next.Add(p.every)
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(turn):
		return ctx.Err() == nil
	}
}
