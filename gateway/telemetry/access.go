package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// AccessOptions configures an [AccessLog].
type AccessOptions struct {
	Buffer int           // bytes that may wait for the sink; 0 means 1 MiB per processor, at least 4
	Every  time.Duration // longest time that a line waits; 0 means 100 ms
}

// An AccessLog writes one JSON line per request. Lines are collected in
// several buffers, so that requests share no lock, and one goroutine carries
// them to the sink. Lines of different requests may come out of order by as
// much as the wait.
//
// A request never waits for the sink: when the buffers are full its line is
// dropped and counted, and a line of the log says so. A nil AccessLog logs
// nothing.
type AccessLog struct {
	w       io.Writer
	shards  []shard // a power of two of them
	limit   int     // bytes of one shard
	dropped atomic.Uint64
	wake    chan struct{} // holds one: a shard is half full
	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed by the goroutine, which Close ends

	// Owned by the goroutine.
	spare  []byte // swapped with the buffer of a shard
	told   uint64 // dropped lines that a line has told of
	broken bool   // the last write ended within a line
	err    error  // of the first write that failed
}

// A shard is one of the buffers.
type shard struct {
	mu     sync.Mutex // held to copy a line in or swap the buffer, never to write; guards what follows
	buf    []byte     // whole lines
	closed bool
	_      [64]byte // keeps neighbours off the cache line
}

// linePool holds lines that are being written, by pointer to spare an
// allocation.
var linePool = sync.Pool{New: func() any { l := make(line, 0, 1024); return &l }}

// NewAccessLog returns a log that writes to w until it is closed.
func NewAccessLog(w io.Writer, o AccessOptions) *AccessLog {
	if o.Buffer <= 0 {
		o.Buffer = max(4, runtime.GOMAXPROCS(0)) << 20
	}
	if o.Every <= 0 {
		o.Every = 100 * time.Millisecond
	}
	n := 1
	for n < runtime.GOMAXPROCS(0) && n < 64 {
		n *= 2
	}
	a := &AccessLog{
		w: w, shards: make([]shard, n), limit: o.Buffer / (n + 1), // and the spare
		wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go a.run(o.Every)
	return a
}

// Log writes the line of a finished request. It does not block.
func (a *AccessLog) Log(tr *Trace, x *Exchange) {
	if a == nil {
		return
	}
	p := linePool.Get().(*line)
	l := (*p)[:0].appendRequest(tr, x)
	a.add(l)
	*p = l
	linePool.Put(p)
}

// Dropped returns how many lines have been lost: the buffers were full, the
// sink failed, or the log was closed.
func (a *AccessLog) Dropped() uint64 {
	if a == nil {
		return 0
	}
	return a.dropped.Load()
}

func (a *AccessLog) add(l line) {
	s := a.lock()
	full := s.closed || len(s.buf)+len(l) > a.limit
	if !full {
		s.buf = append(s.buf, l...)
	}
	half := len(s.buf) > a.limit/2
	s.mu.Unlock()
	if full {
		a.dropped.Add(1)
	}
	if half {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// lock returns a shard that nobody else holds, or waits for one while another
// line is copied.
func (a *AccessLog) lock() *shard {
	i := rand.Uint32()
	for range a.shards {
		if s := &a.shards[int(i)&(len(a.shards)-1)]; s.mu.TryLock() {
			return s
		}
		i++
	}
	s := &a.shards[int(i)&(len(a.shards)-1)]
	s.mu.Lock()
	return s
}

// run carries lines to the sink until Close.
func (a *AccessLog) run(every time.Duration) {
	defer close(a.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.flush(false)
		case <-a.wake:
			a.flush(false)
		case <-a.stop:
			a.flush(true)
			return
		}
	}
}

func (a *AccessLog) flush(last bool) {
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		s.buf, a.spare = a.spare[:0], s.buf
		s.closed = last
		s.mu.Unlock()
		left, err := a.write(a.spare)
		if err != nil {
			a.dropped.Add(uint64(bytes.Count(left, []byte("\n"))))
			if a.err == nil {
				a.err = fmt.Errorf("access log: %w", err)
			}
		}
	}
	if n := a.dropped.Load(); n > a.told {
		if _, err := a.write(line(nil).appendDropped(time.Now(), n-a.told)); err == nil {
			a.told = n
		}
	}
}

// write hands lines to the sink and returns what it did not take. Lines after
// one that was cut short begin on a line of their own.
func (a *AccessLog) write(lines []byte) (left []byte, err error) {
	if len(lines) == 0 {
		return nil, nil
	}
	if a.broken {
		if _, err := a.w.Write([]byte("\n")); err != nil {
			return lines, err
		}
		a.broken = false
	}
	n, err := a.w.Write(lines)
	if err == nil {
		return nil, nil
	}
	n = min(max(n, 0), len(lines))
	a.broken = n > 0 && lines[n-1] != '\n'
	return lines[n:], err
}

// Close writes what is left and ends the log; lines that come later are
// dropped. It returns the first error of the sink, or ctx's when the sink does
// not take the rest in time. It must be called once.
func (a *AccessLog) Close(ctx context.Context) error {
	if a == nil {
		return nil
	}
	close(a.stop)
	select {
	case <-a.stopped:
		return a.err
	case <-ctx.Done():
		return errors.Join(errors.New("access log: the sink did not take the last lines"), ctx.Err())
	}
}
