package gateway

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A ledger takes in what became of the requests of one migration. A request
// writes one short line into a shard of it; whoever asks for the evidence adds
// the lines up, so that no request ever waits for that.
type ledger struct {
	shards   [8]shard
	arrivals arrivals
	lost     atomic.Uint64 // lines that found no room: nobody has asked for long
	alarms   chan<- struct{}

	mu     sync.Mutex // guards what follows: of those who ask, and of compiling a snapshot
	count  count
	budget map[string]*links // by name of the cell
}

// shardLines bounds the lines of a shard that wait to be added up: at 100,000
// requests a second they are a quarter of a second's.
const shardLines = 4096

// A shard is a part of the lines, on a cache line of its own.
type shard struct {
	mu    sync.Mutex // guards lines; held to append one, or to take them all
	lines []line
	_     [32]byte
}

// A line is what became of one request, or of one comparison.
type line struct {
	cell    *cell
	key     evidence.Key
	network evidence.Network // of the client
	at      int64            // Unix nanoseconds
	took    time.Duration    // from the request sent to its end until the first byte; 0: not known
	whole   time.Duration    // until the last byte; 0: not known
	span    string           // span context, of those that a decision links to; empty: not kept
	method  string
	target  string // as the client sent it
	pattern string // of the route's path
	pair    uint64 // tells requests apart that are compared; 0: it is not
	facts   facts
	class   evidence.Class  // of the side that was asked first
	first   bool            // the key's first answer in the test; set when it is counted
	slow    uint8           // in which of [evidence.Latencies] it was slow, a bit for each
	outcome compare.Outcome // of a comparison
	metric  evidence.Metric // of the application, with reported
}

// alarming reports whether nobody should wait to decide: something bad has
// happened on the service.
func (n *line) alarming() bool {
	if n.facts&compared != 0 {
		return n.outcome != compare.Match && n.outcome != compare.Dropped
	}
	return n.facts&onModern != 0 && (n.facts&(failed|timedOut|harmed|reported) != 0 || n.slow&tail != 0 || n.class != evidence.ClassOK)
}

func (l *ledger) init(name string, alarms chan<- struct{}) {
	l.alarms = alarms
	l.count.name = name
	l.count.endpoints.absorbed = l.count.absorb
	l.budget = make(map[string]*links)
}

// write adds a line. It waits for nothing but another line being written.
func (l *ledger) write(n *line) {
	i := uint64(n.key)
	if i == 0 {
		i = rand.Uint64()
	}
	kept := false
	for j := range uint64(len(l.shards)) { // the next one, where a very busy key has filled its own
		s := &l.shards[(i+j)%uint64(len(l.shards))]
		s.mu.Lock()
		if kept = len(s.lines) < shardLines; kept {
			s.lines = append(s.lines, *n)
		}
		s.mu.Unlock()
		if kept {
			break
		}
	}
	if !kept {
		l.lost.Add(1)
	}
	if n.alarming() {
		select {
		case l.alarms <- struct{}{}:
		default:
		}
	}
}

// take returns the lines written since it was last called. It needs l.mu.
func (l *ledger) take(into []line) []line {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		into = append(into, s.lines...)
		clear(s.lines)
		s.lines = s.lines[:0]
		s.mu.Unlock()
	}
	return into
}

// read adds up what was written and returns what is known by now, for nobody
// to change.
func (l *ledger) read(s *standing, now time.Time) evidence.Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range s.cells {
		l.count.begin(&s.cells[i], now)
	}
	l.count.lines = l.take(l.count.lines[:0])
	l.count.add()
	l.count.settle(now)
	for i := range s.cells {
		l.count.learn(&s.cells[i], now)
	}
	l.count.last = l.count.all.CloneAfter(l.count.last)
	out := l.count.last
	out.At = now
	return out
}

// restore makes counts of a process before this one the beginning, if nothing
// has been counted yet.
func (l *ledger) restore(c evidence.Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count.all.Cells == nil && l.count.all.Latency.Hour == nil {
		l.count.all = c.Clone()
	}
}

// links is the room for span contexts of one test: that many requests may ask
// for their traces to be kept. And it is what the test learns of latency.
type links struct {
	test    uint64
	taken   [len(linked)]atomic.Uint32 // by metric
	learned atomic.Pointer[limits]
}

// linked are the kinds of metrics whose requests a decision links to.
var linked = [...]string{metricErrors: "errors", metricTimeouts: "timeouts", metricSlow: "latency", metricClass: "outcome"}

// linksOf returns the room of a cell's test.
func (l *ledger) linksOf(cell string, test uint64) *links {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.budget[cell]
	if have == nil || have.test != test {
		have = &links{test: test}
		l.budget[cell] = have
	}
	return have
}

// take reports whether there is room for one more.
func (l *links) take(metric int) bool {
	t := &l.taken[metric]
	return t.Load() < evidence.SpanLimit && t.Add(1) <= evidence.SpanLimit
}
