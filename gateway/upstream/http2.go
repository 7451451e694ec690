package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// transport makes the HTTP/2 side of an endpoint: ALPN h2 on TLS, prior
// knowledge without.
func (e *Endpoint) transport() *http.Transport {
	t := &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dialH2(ctx) },
		DialTLSContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dialH2(ctx) },
		ResponseHeaderTimeout:  e.up.def.Timeouts.Response,
		ExpectContinueTimeout:  continueWait,
		IdleConnTimeout:        e.up.def.Timeouts.Keep,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
	if e.tls != nil {
		t.Protocols.SetHTTP2(true)
	} else {
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// dialH2 opens a connection for HTTP/2, TLS included, within Timeouts.Connect.
func (e *Endpoint) dialH2(ctx context.Context) (net.Conn, error) {
	if limit := e.up.def.Timeouts.Connect; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	c, err := e.connect(ctx)
	if err != nil {
		return nil, &dialFailure{err}
	}
	if e.tls == nil {
		return c, nil
	}
	t := tls.Client(c, e.tls)
	if err = t.HandshakeContext(ctx); err == nil && t.ConnectionState().NegotiatedProtocol != "h2" {
		err = errors.New("it does not offer HTTP/2")
	}
	if err != nil {
		c.Close()
		return nil, &dialFailure{err}
	}
	return t, nil
}

// A dialFailure tells a connection that was never made from one that broke.
type dialFailure struct{ error }

func (d *dialFailure) Unwrap() error { return d.error }

// doH2 makes one attempt over HTTP/2.
func (e *Endpoint) doH2(outer context.Context, r *Request, res *Response) (again bool, _ *Error) {
	ctx, cancel := context.WithCancelCause(outer)
	hear := &hearing{to: r.Informational}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: hear.got,
		GotConn: func(i httptrace.GotConnInfo) { // before RoundTrip returns
			res.Reused = i.Reused
			r.sending()
			if r.Body == nil {
				r.sent()
			}
		},
	})
	req, sent := e.requestH2(ctx, r)
	start := time.Now()
	sent.ctx = outer
	sent.watch(e.up.def.Timeouts.Idle, cancel)
	hr, err := e.h2.RoundTrip(req)
	sent.unwatch()
	ended := sent.roundTripped()
	hear.end()
	if err != nil {
		cancel(nil)
		sent.end()
		if sent.err != nil {
			err = sent.err
		}
		err = &brokenError{err, ended}
		f := &Error{Kind: kindOf(outer, err, KindReset), Endpoint: e.String(), Sent: true, Err: err}
		if errors.Is(context.Cause(ctx), errSilence) && sent.err == nil {
			f.Kind, f.Err = KindTimeout, errSilence
		}
		var df *dialFailure
		if errors.As(err, &df) {
			return true, e.dialError(outer, df.error)
		}
		if strings.Contains(err.Error(), "timeout awaiting response headers") {
			f.Kind = KindTimeout
		}
		return r.Retry && r.Body == nil && f.Kind == KindReset, f
	}
	e.connected()
	res.Wait = time.Since(start)
	res.Status, res.Header, res.Length = hr.StatusCode, hr.Header, hr.ContentLength
	b := &watchedBody{rc: hr.Body, ctx: ctx, limit: e.up.def.Timeouts.Idle, cancel: cancel}
	res.Body = b
	res.trailer = func() http.Header { return hr.Trailer }
	res.finish = func() {
		b.stop()
		hr.Body.Close()
		cancel(nil)
		sent.end()
	}
	return false, nil
}

// requestH2 makes net/http's request of ours.
func (e *Endpoint) requestH2(ctx context.Context, r *Request) (*http.Request, *sentBody) {
	h := make(http.Header, len(r.Header)+2)
	for name, values := range r.Header {
		if !framing(name) {
			h[name] = values
		}
	}
	if r.TE {
		h["Te"] = []string{"trailers"}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // none: not the library's own
	}
	req := (&http.Request{Method: r.Method, URL: e.urlH2(r), Host: r.Host, Header: h, Proto: "HTTP/2.0", ProtoMajor: 2}).WithContext(ctx)
	sent := &sentBody{r: r}
	if r.Body == nil {
		return req, sent
	}
	req.Body, req.ContentLength = sent, r.Length
	if names := r.trailerNames(); len(names) > 0 {
		sent.trailer = make(http.Header, len(names))
		for _, name := range names {
			sent.trailer[name] = nil
		}
		req.Trailer = sent.trailer
	}
	return req, sent
}

// urlH2 makes a URL of which net/http makes the request target again, byte for byte.
func (e *Endpoint) urlH2(r *Request) *url.URL {
	target := r.Target
	if !strings.HasPrefix(target, "/") {
		if _, rest, ok := strings.Cut(target, "://"); ok { // HTTP/2 has no absolute form
			_, path, _ := strings.Cut(rest, "/")
			if target = "/" + path; path == "" && strings.Contains(rest, "?") {
				target = "/" + rest[strings.IndexByte(rest, '?'):]
			}
		}
	}
	path, query, hasQuery := strings.Cut(target, "?")
	u := &url.URL{Scheme: e.def.Scheme, Host: e.def.Host, Opaque: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
	if strings.HasPrefix(path, "//") { // or it would be taken for an authority; net/http cuts this one off again
		host := r.Host
		if host == "" {
			host = e.def.Host
		}
		u.Opaque = "//" + host + path
	}
	return u
}

// A hearing passes 1xx answers on until the exchange is over; they come from
// a goroutine of the library's.
type hearing struct {
	to func(status int, h http.Header)

	mu   sync.Mutex // guards over, and is held while to runs
	over bool
}

func (h *hearing) got(status int, header textproto.MIMEHeader) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over && h.to != nil && status > http.StatusContinue {
		h.to(status, http.Header(header))
	}
	return nil
}

func (h *hearing) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
}

// A sentBody gives the client's body to the library, which may go on reading
// after the exchange: it must not.
type sentBody struct {
	r       *Request
	trailer http.Header // announced names; gets its values at the end of the body

	mu   sync.Mutex // guards the following, and is held while the client's body is read
	over bool
	err  error // what the client's body failed with

	timer *time.Timer   // ends the exchange when nothing of the body is taken; nil: it is not watched
	limit time.Duration // of that

	ctx      context.Context // of who asks
	ending   sync.Mutex      // guards the following
	returned bool            // RoundTrip has
	cut      *time.Timer     // aborts the body when the endpoint has ended the exchange; nil: it has not
	aborted  bool
	ended    error // why ctx had ended by then
}

// watch ends the exchange when the endpoint takes nothing of the body for too
// long before it answers: flow control, unlike a full socket, has no deadline.
func (b *sentBody) watch(limit time.Duration, cancel context.CancelCauseFunc) {
	if limit > 0 && b.r.Body != nil {
		b.limit = limit
		b.timer = time.AfterFunc(limit, func() { cancel(errSilence) })
	}
}

func (b *sentBody) unwatch() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

var errOver = errors.New("the exchange is over")

func (b *sentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, errOver
	}
	if b.timer != nil { // while the client is silent, its own limit counts
		b.timer.Stop()
	}
	n, err := b.r.Body.Read(p)
	if err == io.EOF {
		b.r.sent()
	}
	if b.timer != nil && err == nil {
		b.timer.Reset(b.limit)
	}
	switch {
	case err == io.EOF && b.trailer != nil:
		for name, values := range b.r.Trailer() {
			if _, announced := b.trailer[name]; announced {
				b.trailer[name] = values
			}
		}
	case err != nil && err != io.EOF && !errors.Is(err, ErrAborted):
		b.err = &ErrClientBody{err}
	}
	return n, err
}

// lateEnd is how long an exchange that the endpoint has ended may wait for the
// client before its body is aborted.
const lateEnd = 50 * time.Millisecond

// Close is called by the library when it wants no more of the body. If the
// endpoint has ended the exchange without an answer, RoundTrip does not return
// before a read that is under way does, which the client may never let it. If
// there is an answer, RoundTrip returns now, and the client may go on.
func (b *sentBody) Close() error {
	b.ending.Lock()
	defer b.ending.Unlock()
	if !b.returned && b.cut == nil && b.r.Body != nil {
		b.cut = time.AfterFunc(lateEnd, b.abort)
	}
	return nil
}

func (b *sentBody) abort() {
	b.ending.Lock()
	defer b.ending.Unlock()
	if b.returned {
		return
	}
	if b.mu.TryLock() { // nothing is being read
		b.mu.Unlock()
		return
	}
	b.aborted, b.ended = true, endOf(b.ctx)
	b.r.AbortBody()
}

// roundTripped notes that RoundTrip has returned, and returns why the context had
// ended before the body was aborted, if it was.
func (b *sentBody) roundTripped() error {
	b.ending.Lock()
	defer b.ending.Unlock()
	b.returned = true
	if b.cut != nil {
		b.cut.Stop()
	}
	if b.aborted {
		return b.ended
	}
	return endOf(b.ctx)
}

// end waits until the client's body is not read any more, and makes it so.
func (b *sentBody) end() {
	if !b.mu.TryLock() {
		b.r.AbortBody()
		b.mu.Lock()
	}
	b.over = true
	b.mu.Unlock()
}

// A watchedBody ends the exchange when the answer's body is silent for too long.
type watchedBody struct {
	rc     io.ReadCloser
	ctx    context.Context
	limit  time.Duration
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if b.limit > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.limit, func() { b.cancel(errSilence) })
		} else {
			b.timer.Reset(b.limit)
		}
	}
	n, err := b.rc.Read(p)
	b.stop()
	if err != nil && err != io.EOF && errors.Is(context.Cause(b.ctx), errSilence) {
		err = errSilence
	}
	return n, err
}

func (b *watchedBody) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

var errSilence = fmt.Errorf("the answer stopped coming: %w", os.ErrDeadlineExceeded)
