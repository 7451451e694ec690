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
	PerUpstream int           // questions to one candidate at a time; 0: 64
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
		o.PerUpstream = 64
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

func (s *Shadow) laneTo(upstream string) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[upstream]
	if l == nil {
		l = newLane(s)
		s.lanes[upstream] = l
	}
	return l
}
