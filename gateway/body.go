package gateway

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
)

// lateBody is how long the rest of a request's body is waited for when the
// request has been answered: a connection that is closed with bytes unread
// may take the answer with it.
const lateBody = time.Second

// A clientBody is a request's body as the client sends it: counted, bounded
// in size, and in silence. It is read by one goroutine.
type clientBody struct {
	rc      io.Reader // nil: there is no body
	control *http.ResponseController
	max     int64 // bytes; 0: no limit
	n       int64 // bytes read
	whole   atomic.Bool

	since  atomic.Int64 // when the read that is under way began, see monotonic; 0: there is none
	waited atomic.Int64 // time spent in reads before, in nanoseconds
	pause  atomic.Int64 // of that, in the read that was aborted; 0: none was

	mu      sync.Mutex    // guards the following, and the order of read deadlines
	limit   time.Duration // between two reads; 0: none
	until   time.Time     // of the read deadline
	aborted bool
	broken  bool // the connection's reads were made to fail: no request can follow on it
}

// Read reads what the client sends.
func (b *clientBody) Read(p []byte) (int, error) {
	if !b.arm() {
		return 0, upstream.ErrAborted
	}
	began := monotonic()
	b.since.Store(began)
	n, err := b.rc.Read(p)
	took := monotonic() - began
	b.waited.Add(took)
	if b.n += int64(n); b.max > 0 && b.n > b.max {
		b.since.Store(0)
		return 0, &http.MaxBytesError{Limit: b.max}
	}
	if err != nil {
		if isTimeout(err) && !b.silent() {
			err = upstream.ErrAborted
			b.pause.Store(max(took, 1))
		}
		b.whole.Store(err == io.EOF)
		b.unbound() // what comes next is not this body
	}
	b.since.Store(0)
	return n, err
}

// took returns how long the client has been waited for.
func (b *clientBody) took() time.Duration {
	d := b.waited.Load()
	if since := b.since.Load(); since != 0 {
		d += monotonic() - since
	}
	return time.Duration(d)
}

// stalled returns for how long the client has been silent that is waited for,
// or was when the upstream ended the exchange; 0 if it is not waited for.
func (b *clientBody) stalled() time.Duration {
	if since := b.since.Load(); since != 0 {
		return time.Duration(max(monotonic()-since, 1))
	}
	return time.Duration(b.pause.Load())
}

// arm bounds the next read, and reports whether there may be one.
func (b *clientBody) arm() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit > 0 && !b.aborted {
		if now := time.Now(); b.until.Sub(now) < b.limit {
			b.until = now.Add(b.limit + b.limit/4)
			_ = b.control.SetReadDeadline(b.until)
		}
	}
	return !b.aborted
}

// silent reports whether the client has been silent for too long. If not, a
// read that timed out was aborted.
func (b *clientBody) silent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero() && !time.Now().Before(b.until)
}

// unbound lets reads take as long as they want. When the upstream has begun to
// answer, the client's silence is the upstream's to judge: both may have
// agreed to speak by turns.
func (b *clientBody) unbound() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit > 0 && !b.aborted && !b.until.IsZero() {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	b.limit, b.until = 0, time.Time{}
}

// abort makes a blocked Read return, and all that follow.
func (b *clientBody) abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aborted = true
	if b.whole.Load() {
		return // nothing is being read, and what comes next is another request
	}
	b.broken = true
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
}

// spent reports whether the body has been read to its end and the connection
// can take another request.
func (b *clientBody) spent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.whole.Load() && !b.broken
}

// pending reports whether bytes of the body may still be on their way, so that
// what follows on an HTTP/1.1 connection can't be told from them.
func (rec *record) pending(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.ContentLength != 0 && !rec.Upgraded && !rec.body.spent()
}

// leave bounds the time that net/http takes to read the rest of a body.
func (rec *record) leave(r *http.Request) {
	if rec.pending(r) {
		_ = rec.writer.control.SetReadDeadline(time.Now().Add(lateBody))
	}
}
