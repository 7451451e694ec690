package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// transport makes the HTTP/2 side of an endpoint: ALPN h2 on TLS, prior
// knowledge without.
func (e *Endpoint) transport() *http.Transport {
	t := &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return e.connect(ctx) },
		TLSClientConfig:        nil,
		TLSHandshakeTimeout:    e.up.def.Timeouts.Connect,
		ResponseHeaderTimeout:  e.up.def.Timeouts.Response,
		IdleConnTimeout:        e.up.def.Timeouts.Keep,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
	if e.tls != nil {
		t.TLSClientConfig = e.tls.Clone()
		t.TLSClientConfig.NextProtos = nil
		t.Protocols.SetHTTP2(true)
	} else {
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	if limit := e.up.def.Timeouts.Connect; limit > 0 {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			c, err := e.connect(ctx)
			if err != nil {
				return nil, &dialFailure{err}
			}
			return c, nil
		}
	}
	return t
}

// A dialFailure tells a connection that was never made from one that broke.
type dialFailure struct{ error }

func (d *dialFailure) Unwrap() error { return d.error }

// doH2 makes one attempt over HTTP/2.
func (e *Endpoint) doH2(ctx context.Context, r *Request, res *Response) (again bool, _ *Error) {
	path, query, hasQuery := strings.Cut(r.Target, "?")
	u := &url.URL{Scheme: e.def.Scheme, Host: e.def.Host, Opaque: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
	if strings.HasPrefix(path, "//") { // Opaque would become part of an absolute URL
		u.Opaque, u.Path, u.RawPath = "", pathOf(path), path
	}
	ctx, cancel := context.WithCancelCause(ctx)
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
	req := (&http.Request{Method: r.Method, URL: u, Host: r.Host, Header: h, Proto: "HTTP/2.0", ProtoMajor: 2}).WithContext(ctx)
	var sent atomic.Bool
	if r.Body != nil {
		req.Body = &markedBody{r.Body, &sent}
		req.ContentLength = r.Length
		req.Trailer = r.Trailer
	}
	start := time.Now()
	hr, err := e.h2.RoundTrip(req)
	if err != nil {
		cancel(nil)
		f := &Error{Kind: kindOf(ctx, err, KindReset), Endpoint: e.String(), Sent: true, Err: err}
		var df *dialFailure
		if errors.As(err, &df) {
			f = e.dialError(ctx, df.error)
			return true, f
		}
		if strings.Contains(err.Error(), "timeout awaiting response headers") {
			f.Kind = KindTimeout
		}
		return r.Retry && !sent.Load() && r.Body == nil && f.Kind == KindReset, f
	}
	e.connected()
	res.Wait = time.Since(start)
	res.Status, res.Header, res.Length = hr.StatusCode, hr.Header, hr.ContentLength
	b := &watchedBody{rc: hr.Body, limit: e.up.def.Timeouts.Idle, cancel: cancel}
	res.Body = b
	res.trailer = func() http.Header { return hr.Trailer }
	res.finish = func() {
		b.stop()
		hr.Body.Close()
		cancel(nil)
	}
	return false, nil
}

func pathOf(raw string) string {
	if p, err := url.PathUnescape(raw); err == nil {
		return p
	}
	return raw
}

type markedBody struct {
	io.Reader
	read *atomic.Bool
}

func (b *markedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.Reader.Read(p)
}

func (b *markedBody) Close() error { return nil }

// A watchedBody ends the exchange when the answer's body is silent for too long.
type watchedBody struct {
	rc     io.ReadCloser
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
	return n, err
}

func (b *watchedBody) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

var errSilence = timeoutError("the answer stopped coming")

type timeoutError string

func (e timeoutError) Error() string { return string(e) }
func (e timeoutError) Timeout() bool { return true }
