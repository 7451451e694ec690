package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A record is all that is known of one request. It belongs to the request's
// goroutine and is used again after it.
type record struct {
	telemetry.Exchange
	trace       telemetry.Trace
	snap        *Snapshot
	route       *route
	peer        peer
	cell        *cell // nil: a plain route
	input       flags.Input
	assignment  flags.Assignment
	from        uint32              // network of the client, once that was asked; 0: it was not
	counted     evidence.Key        // what it counts under, once that was asked; 0: it was not
	stay        flags.Stay          // what a journey made of it
	kept        shadow.Buffer       // of the request's body, for fallback
	keptEnd     atomic.Bool         // all of the body is in kept, and nobody writes there any more
	keeps       bool                // kept is in use
	release     func()              // ends the context of the answer; nil: there is none of its own
	readBack    bool                // it goes where its person has just written
	tripped     bool                // a trip has turned it to the monolith
	late        bool                // the service had not begun to answer when fallback gave it up
	barked      bool                // its watchdog has told that it is slow
	toldSlow    uint8               // the latencies in which it has told that
	pair        uint64              // tells the request from others that are compared; 0: it is not
	linked      bool                // a decision may link to its trace, which is kept
	slow        *watchdog           // tells that it is slow; nil: never used
	firstByte   *firstByteTimer     // gives the service up; nil: never used
	clock       clock               // of the side asked first
	allowed     time.Duration       // for the request as a whole; 0: as long as it takes
	observation *shadow.Observation // nil: the request is not compared
	header      http.Header         // for the upstream
	outgoing    upstream.Request
	body        clientBody
	writer      clientWriter

	// What the side that was asked first has made of it, see outcome.go.
	asked         bool               // a side was asked
	first         *upstream.Response // its answer; nil: there is none
	firstStatus   int                // 0: it did not answer
	firstEndpoint string             // address of the endpoint that was asked; empty: none was reached
	firstErr      upstream.Kind      // why it did not, or not to the end; empty: it did
	class         evidence.Class
	took          time.Duration // from the request sent to its end to the head of the answer; 0: not known, as where the answer began before
	whole         time.Duration // to the last byte, without the time that the client took to take it; 0: not known, as of bodies above evidenceBody
	waited        time.Duration // for the answer's body
	excused       bool          // the client's doing, or a call that it cancelled: it says nothing of the side
	healed        bool          // the service failed, and the monolith answered in its stead
	bothFailed    bool          // the service failed, and the monolith as well
}

var records = sync.Pool{New: func() any { return &record{header: make(http.Header, 24)} }}

// recycle gives the record back; nothing may use it any more.
func (rec *record) recycle() {
	h, w, t := rec.header, rec.slow, rec.firstByte
	clear(h)
	*rec = record{header: h, slow: w, firstByte: t}
	records.Put(rec)
}

// begin notes what the client sent.
func (rec *record) begin(snap *Snapshot, w http.ResponseWriter, r *http.Request) {
	rec.snap = snap
	rec.Start = time.Now()
	rec.Method, rec.Host, rec.Target, rec.Proto = r.Method, r.Host, r.RequestURI, r.Proto
	rec.Peer = r.RemoteAddr
	rec.UserAgent = first(r.Header["User-Agent"])
	rec.RequestID = first(r.Header["X-Request-Id"])
	rec.peer = peerOf(r, snap.Table.Trusted)
	rec.Scheme = rec.peer.scheme
	if rec.peer.client.IsValid() {
		rec.ClientAddr = rec.peer.client.String()
	}
	rec.writer = clientWriter{w: w, control: http.NewResponseController(w), limit: snap.Table.Limits.BodySilence, strict: r.ProtoMajor > 1}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// fail notes why the upstream did not answer.
func (rec *record) fail(f failure) {
	rec.Status, rec.ErrKind = f.status, f.kind
	if f.err != nil {
		rec.Err = f.err.Error()
	}
}

// A clientWriter writes to the client, which must take what it is given
// within a bounded time.
type clientWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration // for the client to take what is written; 0: none
	until   time.Time     // of the write deadline
	strict  bool          // HTTP/2: the deadline ends the stream even when nothing is being written
	n       int64
}

func (c *clientWriter) arm() {
	if c.limit == 0 {
		return
	}
	if now := time.Now(); c.until.Sub(now) < c.limit {
		c.until = now.Add(c.limit + c.limit/4)
		_ = c.control.SetWriteDeadline(c.until)
	}
}

func (c *clientWriter) write(p []byte) error {
	c.arm()
	n, err := c.w.Write(p)
	c.n += int64(n)
	return err
}

func (c *clientWriter) flush() error {
	c.arm()
	err := c.control.Flush()
	c.rest()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// rest lifts the deadline before a wait for something else.
func (c *clientWriter) rest() {
	if c.strict && !c.until.IsZero() {
		c.until = time.Time{}
		_ = c.control.SetWriteDeadline(c.until)
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// isGone reports whether the client's connection broke.
func isGone(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, http.ErrAbortHandler) || isConnError(err)
}

// freeKept gives back what was kept for fallback.
func (rec *record) freeKept() {
	if rec.keeps {
		rec.kept.Free()
	}
	if rec.release != nil {
		rec.release()
	}
}
