package shadow

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// aside is how long an observation waits before anybody looks at it: the
// moment at which it comes is the one at which the user's answer goes out,
// and what the gateway has of processors is the user's then.
const aside = time.Millisecond

// A lane is the way to one candidate: a bounded queue and a bounded number of
// workers, of which there are no more than are needed to keep up. The fewer
// they are, the less of them is at work when the next user comes.
type lane struct {
	shadow  *Shadow
	breaker breaker
	timer   *time.Timer // starts workers, one at a time

	mu      sync.Mutex // guards what follows; held for a moment only
	waiting []*Observation
	first   int // in waiting, which is a ring
	workers int
	armed   bool // the timer runs
	closed  bool

	count atomic.Int32 // of those waiting; written under mu
}

func newLane(s *Shadow) *lane {
	l := &lane{shadow: s, waiting: make([]*Observation, s.Waiting)}
	l.timer = time.AfterFunc(time.Hour, l.help)
	l.timer.Stop()
	return l
}

// refuses says why an observation that begins now will be dropped at its end,
// as far as can be told; empty if it will not. It costs a request next to
// nothing, and spares it the copies.
func (l *lane) refuses(now time.Time) Reason {
	switch {
	case l.breaker.bars(now):
		return BreakerOpen
	case int(l.count.Load()) == len(l.waiting):
		return Busy
	}
	return ""
}

// offer puts an observation into the queue if there is room. It wakes nobody:
// that would be paid for by the user.
func (l *lane) offer(o *Observation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := int(l.count.Load())
	if l.closed || count == len(l.waiting) {
		return false
	}
	l.waiting[(l.first+count)%len(l.waiting)] = o
	l.count.Add(1)
	l.arm()
	return true
}

// arm has a worker started in a while, if there may be one more.
func (l *lane) arm() {
	if !l.armed && !l.closed && l.workers < l.shadow.PerUpstream {
		l.armed = true
		l.timer.Reset(aside)
	}
}

// help starts a worker if something waits that the others have not got to.
func (l *lane) help() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	if l.count.Load() == 0 || l.closed {
		return
	}
	l.workers++
	l.shadow.work.Go(l.run)
	l.arm()
}

// take returns the observation that has waited longest; nil ends a worker.
func (l *lane) take() *Observation {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.pop()
	if o == nil {
		l.workers--
	}
	return o
}

// pop is take for who holds the lock.
func (l *lane) pop() *Observation {
	if l.count.Load() == 0 {
		return nil
	}
	o := l.waiting[l.first]
	l.waiting[l.first] = nil
	l.first = (l.first + 1) % len(l.waiting)
	l.count.Add(-1)
	return o
}

// run is one worker. Before each of its steps it lets those go first who are
// ready to run: users are among them.
func (l *lane) run() {
	for o := l.take(); o != nil; o = l.take() {
		runtime.Gosched()
		if l.shadow.closed.Load() {
			o.discard(Closing)
		} else {
			o.settle(l)
		}
	}
}

// close lets nothing more in and drops what waits; workers end by themselves.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.timer.Stop()
	var rest []*Observation
	for o := l.pop(); o != nil; o = l.pop() {
		rest = append(rest, o)
	}
	l.mu.Unlock()
	for _, o := range rest {
		o.discard(Closing)
	}
}

// enqueue hands an observation to its candidate's lane.
func (s *Shadow) enqueue(o *Observation) {
	l := o.watch.lane(o.input.Control)
	switch {
	case s.closed.Load():
		o.discard(Closing)
	case !l.breaker.allow(time.Now()):
		o.discard(BreakerOpen)
	case !l.offer(o):
		o.discard(Busy)
	}
}
