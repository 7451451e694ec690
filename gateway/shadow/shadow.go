package shadow

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the bounds of a [Shadow]. Zero values mean the defaults.
type Options struct {
	Budget      int64         // bytes of copies, waiting and being compared; 0: 64 MiB
	PerUpstream int           // questions to one candidate at a time; 0: 16
	Waiting     int           // observations that wait for one candidate; 0: 256
	Timeout     time.Duration // for a candidate's answer to be whole; 0: 10 s
	MaskKey     []byte        // key of the marks that stand for values in examples; empty: none stand
	Logger      *slog.Logger  // nil: silent
}

// A Shadow compares. It is safe for concurrent use.
type Shadow struct {
	Options
	budget *Budget
	log    *slog.Logger
	ctx    context.Context // of everything that is asked; ends with Close
	stop   context.CancelFunc

	mu      sync.Mutex // guards what follows; taken when tables are compiled, never for a request
	watches map[string]*Watch
	lanes   map[string]*lane
	before  map[string]keptStudy // of earlier runs, by migration
	closed  atomic.Bool
	work    sync.WaitGroup // of the lanes' workers
}

// New returns a shadow without migrations to watch.
func New(o Options) *Shadow {
	if o.Budget == 0 {
		o.Budget = 64 << 20
	}
	if o.PerUpstream == 0 {
		o.PerUpstream = 16
	}
	if o.Waiting == 0 {
		o.Waiting = 256
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Shadow{Options: o, budget: NewBudget(o.Budget), log: o.Logger, watches: make(map[string]*Watch), lanes: make(map[string]*lane)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends what is under way: what waits is dropped, what is being asked is
// cut off. It waits for the workers.
func (s *Shadow) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.stop()
	s.mu.Lock()
	for _, l := range s.lanes {
		l.close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// Budget returns the memory of the copies.
func (s *Shadow) Budget() *Budget { return s.budget }

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

// A lane is the way to one candidate: a bounded queue and a bounded number of
// workers, which are started as they are needed and end with the shadow.
type lane struct {
	shadow  *Shadow
	name    string
	queue   chan *Observation
	breaker breaker

	mu      sync.Mutex // guards what follows; held for a moment only
	workers int
	idle    int
	closed  bool
}

func (s *Shadow) laneTo(upstream string) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[upstream]
	if l == nil {
		l = &lane{shadow: s, name: upstream, queue: make(chan *Observation, s.Waiting)}
		s.lanes[upstream] = l
	}
	return l
}

// offer puts an observation into the queue if there is room.
func (l *lane) offer(o *Observation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.queue <- o:
	default:
		return false
	}
	if l.idle == 0 && l.workers < l.shadow.PerUpstream {
		l.workers++
		l.shadow.work.Go(l.run)
	}
	return true
}

// close ends the workers and drops what waits.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.queue)
}

// lingering is how long a worker without work stays.
const lingering = 5 * time.Second

// run is one worker.
func (l *lane) run() {
	timer := time.NewTimer(lingering)
	defer timer.Stop()
	for {
		l.mu.Lock()
		l.idle++
		l.mu.Unlock()
		timer.Reset(lingering)
		var o *Observation
		var ok, late bool
		select {
		case o, ok = <-l.queue:
		case <-timer.C:
			late = true
		}
		l.mu.Lock()
		l.idle--
		if late && len(l.queue) == 0 || !late && !ok {
			l.workers--
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		switch {
		case late:
		case l.shadow.closed.Load():
			o.discard(Closing)
		default:
			o.settle(l)
		}
	}
}
