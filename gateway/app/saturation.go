package app

import (
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/routes"
)

// peaks keeps how much of each upstream's capacity was in use of late, at its
// greatest: a moment of rest is no room.
type peaks struct {
	mu     sync.Mutex // guards byName
	byName map[string]*[peakSeconds]peak
}

// peakSeconds is for how long a peak counts.
const peakSeconds = 10

// A peak is the greatest share of the capacity in use within a second.
type peak struct {
	second int64
	load   float64
}

// see notes a share, and returns the greatest of late.
func (p *peaks) see(name string, load float64, now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byName == nil {
		p.byName = make(map[string]*[peakSeconds]peak)
	}
	ring := p.byName[name]
	if ring == nil {
		ring = new([peakSeconds]peak)
		p.byName[name] = ring
	}
	second := now.Unix()
	slot := &ring[second%peakSeconds]
	if slot.second != second {
		*slot = peak{second: second}
	}
	slot.load = max(slot.load, load)
	top := 0.0
	for _, s := range ring {
		if s.second > second-peakSeconds && s.second <= second {
			top = max(top, s.load)
		}
	}
	return top
}

// loadOf returns the share of an upstream's capacity that is in use, where it
// is greatest: of the connections that max_conns allows an endpoint. 0 if there
// is no such bound, so that it is not known.
func loadOf(u *upstream.Upstream) float64 {
	most := u.Definition().MaxConns
	if most <= 0 || u.Definition().Protocol == routes.HTTP2 { // a connection of HTTP/2 carries many
		return 0
	}
	top := 0.0
	for _, e := range u.Endpoints() {
		if e.Available() {
			top = max(top, float64(e.InFlight())/float64(most))
		}
	}
	return min(top, 1)
}
