package gateway

import "time"

// A pending holds failures of the service until it is known what the monolith
// made of the same request: what both fail speaks against neither (law 12).
type pending struct {
	lines  map[uint64]line
	order  []uint64            // oldest first
	healed map[uint64]struct{} // requests whose failure a blip keeps aside, until they are compared
}

const (
	// mostPending bounds the failures that wait. Those beyond it count at once.
	mostPending = 1024
	// longestPending is how long a failure waits. A monolith that has not answered by
	// then has not shown that it fails.
	longestPending = 2 * time.Second
)

// wait keeps a failure, and reports whether there was room.
func (p *pending) wait(n *line) bool {
	if len(p.lines) >= mostPending {
		return false
	}
	if p.lines == nil {
		p.lines = make(map[uint64]line)
	}
	if _, taken := p.lines[n.pair]; taken {
		return false
	}
	p.lines[n.pair] = *n
	p.order = append(p.order, n.pair)
	return true
}

// take returns the failure of a request, if it waits.
func (p *pending) take(pair uint64) (line, bool) {
	n, ok := p.lines[pair]
	delete(p.lines, pair)
	return n, ok
}

// overdue returns those that have waited for too long.
func (p *pending) overdue(now time.Time) (out []line) {
	for len(p.order) > 0 {
		n, ok := p.lines[p.order[0]]
		if ok {
			if now.Sub(time.Unix(0, n.at)) < longestPending {
				return out
			}
			out = append(out, n)
			delete(p.lines, p.order[0])
		}
		p.order = p.order[1:]
	}
	return out
}

// keepAside notes that the failure of a request may be that of a restart.
func (p *pending) keepAside(pair uint64) {
	if pair == 0 {
		return
	}
	if p.healed == nil || len(p.healed) >= mostPending {
		p.healed = make(map[uint64]struct{})
	}
	p.healed[pair] = struct{}{}
}

// aside reports whether the failure of a request may be that of a restart, once.
func (p *pending) aside(pair uint64) bool {
	_, ok := p.healed[pair]
	delete(p.healed, pair)
	return ok
}
