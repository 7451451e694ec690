package upstream

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

// ErrAborted is what a request's body fails with after AbortBody: the cause is elsewhere.
var ErrAborted = errors.New("nobody wants the body any more")

// A Request is what is asked of an upstream. Its header must not hold
// hop-by-hop fields; Upgrade and TE are fields of their own.
type Request struct {
	Method  string
	Target  string      // request target, sent byte for byte
	Host    string      // value of Host; empty: the endpoint's own
	Header  http.Header // sent as it is; Host, Connection and the framing fields in it are ignored
	Body    io.Reader   // nil: none; read by one goroutine until Response.Close returns
	Length  int64       // of Body; -1: unknown
	Upgrade string      // value of Upgrade; empty: none is asked for
	TE      bool        // send "TE: trailers"
	Expect  bool        // the client waits for 100 (Continue) before it sends Body
	Retry   bool        // the request may be sent again when it may have been received (RFC 9110, section 9.2.2)

	// Trailer returns the trailer fields: before the end of Body those that are
	// announced, after it those that came. Nil: there are none.
	Trailer func() http.Header
	// Informational is told of 1xx answers but 101, before Do returns. Nil: they are dropped.
	Informational func(status int, h http.Header)
	// AbortBody makes a blocked Read of Body return ErrAborted, and all that
	// follow. It must be set if Body is.
	AbortBody func()
	// Progress is told how far the sending has come. Nil: it is not wanted.
	Progress Progress
}

// A Progress is told how far the sending of a request has come, again for each
// sending. It is called by one goroutine at a time, which need not be that of
// Do, and never after Do has failed or Close has returned. It must not wait.
type Progress interface {
	// Sending says that there is a connection. Nothing has been written to it,
	// and nothing will be if the context ends now.
	Sending()
	// Sent says that all of the request has been read and its last byte is about
	// to be written. From now on the endpoint alone is waited for.
	Sent()
}

func (r *Request) sending() {
	if r.Progress != nil {
		r.Progress.Sending()
	}
}

func (r *Request) sent() {
	if r.Progress != nil {
		r.Progress.Sent()
	}
}

// trailerNames returns the names of the announced trailer fields, sorted.
func (r *Request) trailerNames() []string {
	if r.Trailer == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.Trailer()))
}

// A Response is the answer of an upstream. Close must be called.
type Response struct {
	Status   int
	Header   http.Header
	Length   int64 // of Body; -1: unknown
	Body     io.Reader
	Endpoint *Endpoint
	Attempts int           // sendings, this one included
	Reused   bool          // the connection had carried a request before
	Connect  time.Duration // time to get a connection, zero for a kept one
	Wait     time.Duration // from the request sent to the first byte of the answer

	trailer func() http.Header
	ready   func() int
	finish  func()
	tunnel  *Tunnel
}

// Trailer returns the trailer fields, complete once Body has ended; before, their announced names.
func (r *Response) Trailer() http.Header {
	if r.trailer == nil {
		return nil
	}
	return r.trailer()
}

// Buffered returns how many bytes have arrived that Body has not given out.
// Zero means that the next Read may wait.
func (r *Response) Buffered() int {
	if r.ready == nil {
		return 0
	}
	return r.ready()
}

// Close ends the exchange. The connection is kept if both sides have said all they meant to.
func (r *Response) Close() {
	if r.finish != nil {
		r.finish()
	}
}

// Tunnel returns the connection of an upgraded exchange, nil if the status
// is neither 101 nor that of a successful CONNECT. It is the caller's to close.
func (r *Response) Tunnel() *Tunnel { return r.tunnel }
