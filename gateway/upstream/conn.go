package upstream

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxHeader bounds the header of an answer, in bytes. No server that browsers
// can talk to comes near.
const maxHeader = 1 << 20

var errHeaderTooLarge = errors.New("the header of the answer is larger than 1 MiB")

// A conn is one connection to an endpoint. Between exchanges it lies in the
// endpoint's pool; during one it belongs to that exchange.
type conn struct {
	net.Conn
	endpoint *Endpoint
	br       *bufio.Reader // reads through conn.Read
	bw       *bufio.Writer
	keys     []string // reused to sort header names

	// Owned by whoever puts the connection away and takes it out.
	uses      int // exchanges carried
	idleSince time.Time
	keep      time.Duration // how long it may lie idle
	pinned    bool          // it stays with who has it after the exchange

	// Owned by the goroutine that reads.
	room  int   // bytes of header that may still come; negative: no header is being read
	broke error // what the last read failed with; parsers tell of half a line only that it is none

	wrote  atomic.Bool // bytes of this exchange's request were given to the kernel
	closed atomic.Bool
	peek   func(fd uintptr) bool
	alive  bool // answer of peek
	raw    syscall.RawConn

	silence silence
}

// A silence bounds the waits of one exchange. The deadlines it sets measure
// from the last sign of life; a deadline is moved only when less than the
// limit is left of it, so that a busy stream seldom pays for one, and the
// limit is exceeded by a quarter at most.
type silence struct {
	mu    sync.Mutex // guards what follows: the reader and the sender of a body both set deadlines
	until time.Time  // of the read deadline; zero: none
	phase int        // of the exchange; an older phase may not set a deadline
}

func newConn(c net.Conn, e *Endpoint) *conn {
	nc := &conn{Conn: c, endpoint: e, room: -1}
	nc.br = bufio.NewReaderSize(nc, 4096)
	nc.bw = bufio.NewWriterSize(writeMarker{nc}, 4096)
	under := c
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		under = t.NetConn()
	}
	if sc, ok := under.(syscall.Conn); ok {
		nc.raw, _ = sc.SyscallConn()
	}
	nc.peek = nc.peekFD
	return nc
}

// writeMarker notes that bytes were given to the kernel.
type writeMarker struct{ c *conn }

func (w writeMarker) Write(p []byte) (int, error) {
	w.c.wrote.Store(true)
	return w.c.Conn.Write(p)
}

// Read reads from the connection, within the bound for headers.
func (c *conn) Read(p []byte) (int, error) {
	if c.room == 0 {
		c.broke = errHeaderTooLarge
		return 0, c.broke
	}
	if c.room > 0 && len(p) > c.room {
		p = p[:c.room]
	}
	n, err := c.Conn.Read(p)
	if c.room > 0 {
		c.room -= n
	}
	c.broke = err
	return n, err
}

// Close closes the connection once.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.endpoint.release()
	return c.Conn.Close()
}

// steady reports whether the endpoint is unlikely to close the connection at
// this very moment: it closes neither after every answer without saying so
// nor, as far as can be known, connections that have been idle so shortly.
func (c *conn) steady() bool {
	idle := time.Since(c.idleSince)
	return idle <= freshEnough && (c.uses > 1 || idle >= settled || c.endpoint.keeps.Load())
}

// learn notes whether the endpoint keeps connections, when one is taken out.
func (c *conn) learn(open bool) {
	idle := time.Since(c.idleSince)
	switch keeps := c.endpoint.keeps.Load(); {
	case open && !keeps && (c.uses > 1 || idle >= settled):
		c.endpoint.keeps.Store(true)
	case !open && keeps && c.uses == 1 && idle < settled:
		c.endpoint.keeps.Store(false)
	}
}

// usable reports whether an idle connection is still open and has nothing to
// say: bytes that nobody asked for belong to no request.
func (c *conn) usable() bool {
	if c.raw == nil {
		return true
	}
	c.alive = false
	if err := c.raw.Read(c.peek); err != nil {
		return false
	}
	return c.alive
}

func (c *conn) peekFD(fd uintptr) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.alive = n <= 0 && (err == syscall.EAGAIN || err == syscall.EWOULDBLOCK)
	return true // never wait
}

// begin starts a phase of the exchange and gives it limit until the next sign
// of life; zero means no limit.
func (c *conn) begin(phase int, limit time.Duration) {
	c.silence.mu.Lock()
	defer c.silence.mu.Unlock()
	if phase < c.silence.phase {
		return
	}
	c.silence.phase = phase
	c.setUntil(limit)
}

// extend moves the read deadline after a sign of life.
func (c *conn) extend(limit time.Duration) {
	if limit == 0 {
		return
	}
	c.silence.mu.Lock()
	defer c.silence.mu.Unlock()
	if time.Until(c.silence.until) < limit {
		c.setUntil(limit)
	}
}

func (c *conn) setUntil(limit time.Duration) {
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit + limit/4)
	}
	if until.IsZero() && c.silence.until.IsZero() {
		return
	}
	c.silence.until = until
	_ = c.SetReadDeadline(until) // fails on a closed connection only, and then so does the read
}

// rest makes the connection ready for the pool.
func (c *conn) rest() {
	c.room = -1
	c.uses++
	c.wrote.Store(false)
	c.idleSince = time.Now()
	c.silence.mu.Lock()
	c.silence.phase = 0
	c.setUntil(0)
	c.silence.mu.Unlock()
}
