package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

// A desk stands before the admin API while another process takes over. Until
// that is decided, requests wait; then they are served here, or by the other:
// nobody at the admin listener notices which process their connection led to.
type desk struct {
	mu       sync.Mutex    // guards what follows
	decision chan struct{} // closed when it is decided; nil: there is nothing to decide
	gone     bool          // another process serves
	changes  int           // requests under way that may change something
	quiet    chan struct{} // closed when there are none; nil: nobody waits for that
}

// before returns the handler of a listener, whose own handler is here.
func (d *desk) before(here http.Handler, ln net.Addr, secure bool) http.Handler {
	there := forward(ln, secure)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gone, done, err := d.enter(r)
		if err != nil {
			return // its client is gone
		}
		defer done()
		if gone {
			there.ServeHTTP(w, r)
			return
		}
		here.ServeHTTP(w, r)
	})
}

// enter waits until it is decided who serves. Done is to be called at the end.
func (d *desk) enter(r *http.Request) (gone bool, done func(), err error) {
	for {
		d.mu.Lock()
		decision := d.decision
		if d.gone || decision == nil || isProbe(r) {
			break
		}
		d.mu.Unlock()
		select {
		case <-r.Context().Done():
			return false, nil, r.Context().Err()
		case <-decision:
		}
	}
	defer d.mu.Unlock()
	if d.gone || !mayChange(r) {
		return d.gone, func() {}, nil
	}
	d.changes++
	return false, d.done, nil
}

func (d *desk) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes--; d.changes == 0 && d.quiet != nil {
		close(d.quiet)
		d.quiet = nil
	}
}

// isProbe reports whether somebody asks whether the process lives.
func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// mayChange reports whether a request may change something. Who signs in with
// an identity provider does so by a GET.
func mayChange(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/login")
}

// close has requests wait, and returns when those that may change something
// have ended.
func (d *desk) close(ctx context.Context) error {
	d.mu.Lock()
	d.decision = make(chan struct{})
	quiet := make(chan struct{})
	if d.changes == 0 {
		close(quiet)
	} else {
		d.quiet = quiet
	}
	d.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// open decides that this process serves.
func (d *desk) open() { d.decide(false) }

// leave decides that another process serves.
func (d *desk) leave() { d.decide(true) }

func (d *desk) decide(gone bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.decision != nil {
		close(d.decision)
	}
	d.decision, d.quiet, d.gone = nil, nil, gone
}

// forward returns a handler that asks whoever listens at an address of this
// process by now, and has clients open another connection for the next request.
func forward(ln net.Addr, secure bool) http.Handler {
	address, scheme := ln.String(), "http"
	if at, ok := ln.(*net.TCPAddr); ok && at.IP.IsUnspecified() {
		address = net.JoinHostPort("localhost", strings.TrimPrefix(address[strings.LastIndexByte(address, ':'):], ":"))
	}
	if secure {
		scheme = "https"
	}
	return &httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				d := net.Dialer{Timeout: 5 * time.Second}
				return d.DialContext(ctx, ln.Network(), address)
			},
			// Whoever listens there has got the socket from this process, which keeps
			// it open as well: nobody else can.
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = scheme, p.In.Host, p.In.Host
			for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := p.In.Header[name]; ok {
					p.Out.Header[name] = values
				}
			}
		},
		ModifyResponse: func(res *http.Response) error {
			res.Header.Set("Connection", "close")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Retry-After", "1")
			http.Error(w, errElsewhere.Error()+": "+err.Error(), http.StatusServiceUnavailable)
		},
	}
}
