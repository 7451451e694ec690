package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// An Endpoint is one address of an upstream, with its connections.
type Endpoint struct {
	def      routes.Endpoint
	up       *Upstream
	tls      *tls.Config // nil: plain text
	h2       *http.Transport
	inflight atomic.Int64
	slots    chan struct{} // one per connection; nil: no limit
	waiting  atomic.Int32  // requests that wait for a slot
	handover chan *conn    // from those that end to those that wait

	down     atomic.Int64 // unix nanoseconds until which the endpoint is left out after failures to connect
	failures atomic.Int32 // to connect, in a row
	keeps    atomic.Bool  // connections outlive their first answer
	sick     atomic.Bool  // by the health check

	idle [idleShards]idleShard
}

// idleShards spreads the idle connections, so that no lock is shared by all requests.
const idleShards = 8

type idleShard struct {
	mu    sync.Mutex // guards conns
	conns []*conn    // most recently used last
	_     [32]byte   // keeps neighbours out of the cache line
}

// String returns the address: host:port or the path of the socket.
func (e *Endpoint) String() string {
	if e.def.Socket != "" {
		return e.def.Socket
	}
	return e.def.Host
}

// Host returns what the endpoint is called in a Host field.
func (e *Endpoint) Host() string { return e.def.Host }

// Scheme returns "http" or "https".
func (e *Endpoint) Scheme() string { return e.def.Scheme }

// InFlight returns the number of exchanges under way.
func (e *Endpoint) InFlight() int64 { return e.inflight.Load() }

// Available reports whether the endpoint is neither sick nor resting after failures.
func (e *Endpoint) Available() bool {
	return !e.sick.Load() && time.Now().UnixNano() >= e.down.Load()
}

// load is what the balancer compares.
func (e *Endpoint) load() float64 {
	return float64(e.inflight.Load()+1) / float64(max(e.def.Weight, 1))
}

// take returns an idle connection that is still open, or nil. One for a
// request that must not be sent twice is steady as well.
func (e *Endpoint) take(twice bool) *conn {
	start := rand.IntN(idleShards)
	for i := range idleShards {
		s := &e.idle[(start+i)%idleShards]
		for {
			c := s.pop(twice)
			if c == nil {
				break
			}
			if time.Since(c.idleSince) < c.keep {
				open := c.usable()
				if c.learn(open); open {
					return c
				}
			}
			c.Close()
		}
	}
	return nil
}

// pop takes out the connection that was used last, or nil.
func (s *idleShard) pop(twice bool) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.conns) - 1; i >= 0; i-- {
		if c := s.conns[i]; twice || c.steady() {
			s.conns = slices.Delete(s.conns, i, i+1)
			return c
		}
	}
	return nil
}

// put keeps a connection for the next exchange, or closes it. One that is
// pinned belongs to somebody.
func (e *Endpoint) put(c *conn) {
	c.rest()
	if c.pinned {
		return
	}
	if c.keep <= 0 || e.up.closed.Load() {
		c.Close()
		return
	}
	if e.waiting.Load() > 0 {
		select {
		case e.handover <- c:
		default:
			c.Close() // for its slot
		}
		return
	}
	s := &e.idle[rand.IntN(idleShards)]
	limit := max(e.up.def.MaxIdle/idleShards, 1)
	s.mu.Lock()
	var old *conn
	if len(s.conns) >= limit {
		old = s.conns[0]
		s.conns = append(s.conns[:0], s.conns[1:]...)
	}
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	if old != nil {
		old.Close()
	}
	if e.up.closed.Load() { // closed meanwhile: nobody else would
		e.prune(0)
	}
}

// prune closes the connections that have lain idle for longer than they may,
// or, with zero, all.
func (e *Endpoint) prune(limit time.Duration) {
	for i := range e.idle {
		s := &e.idle[i]
		var old []*conn
		s.mu.Lock()
		kept := s.conns[:0]
		for _, c := range s.conns {
			if limit == 0 || time.Since(c.idleSince) >= c.keep {
				old = append(old, c)
			} else {
				kept = append(kept, c)
			}
		}
		clear(s.conns[len(kept):])
		s.conns = kept
		s.mu.Unlock()
		for _, c := range old {
			c.Close()
		}
	}
}

var errNoSlot = errors.New("all connections that max_conns allows are in use")

// acquire waits for a slot, if connections are limited, or for a connection
// that another request has done with and that is wanted.
func (e *Endpoint) acquire(ctx context.Context, wanted func(*conn) bool) (*conn, error) {
	if e.slots == nil {
		return nil, nil
	}
	select {
	case e.slots <- struct{}{}:
		return nil, nil
	default:
	}
	e.waiting.Add(1)
	defer e.waiting.Add(-1)
	e.prune(0) // idle connections hold slots that this request may not have wanted
	var timeout <-chan time.Time
	if limit := e.up.def.Timeouts.Connect; limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		timeout = t.C
	}
	for {
		select {
		case e.slots <- struct{}{}:
			return nil, nil
		case c := <-e.handover:
			if wanted(c) && c.usable() {
				return c, nil
			}
			c.Close()
		case <-timeout:
			return nil, errNoSlot
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (e *Endpoint) release() {
	if e.slots != nil {
		<-e.slots
	}
}

// obtain opens a connection, or, where they are limited, may return one that
// has just become free; twice is as for take.
func (e *Endpoint) obtain(ctx context.Context, twice bool) (*conn, error) {
	c, err := e.acquire(ctx, func(c *conn) bool { return twice || c.steady() })
	if c != nil || err != nil {
		return c, err
	}
	return e.open(ctx)
}

// dial opens a connection that nobody has used.
func (e *Endpoint) dial(ctx context.Context) (*conn, error) {
	if _, err := e.acquire(ctx, func(*conn) bool { return false }); err != nil {
		return nil, err
	}
	return e.open(ctx)
}

// open opens a connection, TLS included, within Timeouts.Connect. It owns the
// caller's slot.
func (e *Endpoint) open(ctx context.Context) (*conn, error) {
	if limit := e.up.def.Timeouts.Connect; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	c, err := e.connect(ctx)
	if err == nil && e.tls != nil {
		t := tls.Client(c, e.tls)
		if err = t.HandshakeContext(ctx); err != nil {
			c.Close()
		}
		c = t
	}
	if err != nil {
		e.release()
		return nil, err
	}
	return newConn(c, e), nil
}

func (e *Endpoint) connect(ctx context.Context) (net.Conn, error) {
	if e.def.Socket != "" {
		return e.up.dialer.DialContext(ctx, "unix", e.def.Socket)
	}
	return e.up.dialer.DialContext(ctx, "tcp", e.def.Host)
}

// connected and refused keep the passive health: an endpoint that refuses
// connections rests for a while that doubles up to ten seconds.
func (e *Endpoint) connected() {
	if e.failures.Load() != 0 {
		e.failures.Store(0)
		e.down.Store(0)
	}
}

func (e *Endpoint) refused() {
	n := e.failures.Add(1)
	rest := min(250*time.Millisecond<<min(n-1, 6), 10*time.Second)
	e.down.Store(time.Now().Add(rest).UnixNano())
}
