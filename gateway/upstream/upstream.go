package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// freshEnough is how long a connection may have lain idle to carry a request
// that must not be sent twice: the longer it lies, the likelier the endpoint
// closes it at the very moment.
const freshEnough = 2 * time.Second

// settled is how long a connection must have outlived its first answer to show
// that its endpoint keeps connections: some close after each answer and don't
// say so. Until that is shown they carry no request that must not be sent twice.
const settled = time.Second

// An Upstream is a named group of endpoints with live connections. It is safe
// for concurrent use; exchanges under way when it is closed run to their end.
type Upstream struct {
	def       routes.Upstream
	endpoints []*Endpoint
	dialer    net.Dialer
	closed    atomic.Bool
	stop      context.CancelFunc
	done      chan struct{}
}

// New makes an upstream of its definition. It fails if certificate files
// can't be read; it doesn't connect to anything.
func New(def routes.Upstream) (*Upstream, error) {
	u := &Upstream{def: def, done: make(chan struct{})}
	for _, d := range def.Endpoints {
		e := &Endpoint{def: d, up: u}
		if def.MaxConns > 0 {
			e.slots, e.handover = make(chan struct{}, def.MaxConns), make(chan *conn)
		}
		if d.Scheme == "https" {
			var err error
			if e.tls, err = clientTLS(def, d); err != nil {
				return nil, fmt.Errorf("upstream %s: %w", def.Name, err)
			}
		}
		if def.Protocol == routes.HTTP2 {
			if e.tls != nil {
				e.tls.NextProtos = []string{"h2"}
			}
			e.h2 = e.transport()
		}
		u.endpoints = append(u.endpoints, e)
	}
	if len(u.endpoints) == 0 {
		return nil, fmt.Errorf("upstream %s has no endpoint", def.Name)
	}
	ctx, stop := context.WithCancel(context.Background())
	u.stop = stop
	go u.tend(ctx)
	return u, nil
}

// Definition returns what the upstream was made of.
func (u *Upstream) Definition() routes.Upstream { return u.def }

// Endpoints returns the endpoints in the order of the definition.
func (u *Upstream) Endpoints() []*Endpoint { return u.endpoints }

// Close closes all idle connections and ends the health checks.
func (u *Upstream) Close() {
	if u.closed.Swap(true) {
		return
	}
	u.stop()
	<-u.done
	for _, e := range u.endpoints {
		e.prune(0)
		if e.h2 != nil {
			e.h2.CloseIdleConnections()
		}
	}
}

// tend closes stale connections and runs the health checks, until Close.
func (u *Upstream) tend(ctx context.Context) {
	defer close(u.done)
	var checks sync.WaitGroup
	defer checks.Wait()
	if h := u.def.Health; h != nil {
		for _, e := range u.endpoints {
			checks.Go(func() { e.check(ctx, h) })
		}
	}
	t := time.NewTicker(max(u.def.Timeouts.Keep/4, time.Second))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			for _, e := range u.endpoints {
				e.prune(1)
			}
		}
	}
}

// pick chooses an endpoint by the power of two choices: of two drawn at
// random, the one with fewer exchanges under way. Endpoints that are not
// available are passed over as long as there are others, tried ones as well.
func (u *Upstream) pick(tried []*Endpoint) *Endpoint {
	if len(u.endpoints) == 1 {
		return u.endpoints[0]
	}
	a, b := rand.IntN(len(u.endpoints)), rand.IntN(len(u.endpoints)-1)
	if b >= a {
		b++
	}
	var best *Endpoint
	for _, i := range [2]int{a, b} {
		e := u.endpoints[i]
		if e.Available() && !has(tried, e) && (best == nil || e.load() < best.load()) {
			best = e
		}
	}
	if best != nil {
		return best
	}
	for _, e := range u.endpoints { // both draws were bad: look at all
		if e.Available() && !has(tried, e) && (best == nil || e.load() < best.load()) {
			best = e
		}
	}
	if best != nil {
		return best
	}
	for _, i := range rand.Perm(len(u.endpoints)) { // better a doubtful one than none
		if e := u.endpoints[i]; !has(tried, e) {
			return e
		}
	}
	return u.endpoints[a]
}

func has(list []*Endpoint, e *Endpoint) bool {
	for _, x := range list {
		if x == e {
			return true
		}
	}
	return false
}

// Do sends a request and returns the answer once its header is here. Every
// error is an [*Error]. A request is sent again, on another connection or to
// another endpoint, only while nothing of it can have been received, or when
// r.Retry allows it and nothing of its body has been read.
func (u *Upstream) Do(ctx context.Context, r *Request) (*Response, error) {
	var tried [4]*Endpoint
	n, sendings := 0, 0
	for {
		e := u.pick(tried[:n])
		res := &Response{Endpoint: e}
		e.inflight.Add(1)
		again, err := e.do(ctx, r, res, sendings > 0)
		sendings++
		res.Attempts = sendings
		if err == nil {
			finish := res.finish
			var once atomic.Bool
			res.finish = func() {
				if once.Swap(true) {
					return
				}
				if finish != nil {
					finish()
				}
				e.inflight.Add(-1)
			}
			return res, nil
		}
		e.inflight.Add(-1)
		err.Attempts = sendings
		refused := err.Kind == KindConnect || err.Kind == KindConnectTimeout || err.Kind == KindUnavailable
		if refused && n < len(tried) {
			tried[n] = e
			n++
		}
		switch {
		case ctx.Err() != nil, !again:
			return nil, err
		case refused && n >= min(len(u.endpoints), len(tried)):
			return nil, err
		case sendings > 2+len(tried):
			return nil, err
		}
	}
}

// do makes one attempt at an endpoint. again says whether another may follow.
func (e *Endpoint) do(ctx context.Context, r *Request, res *Response, fresh bool) (again bool, _ *Error) {
	if e.h2 != nil {
		return e.doH2(ctx, r, res)
	}
	var c *conn
	if !fresh {
		c = e.take(r.Retry)
	}
	if c == nil {
		start := time.Now()
		var err error
		if c, err = e.obtain(ctx, r.Retry); err != nil {
			return true, e.dialError(ctx, err)
		}
		e.connected()
		res.Connect = time.Since(start)
	}
	res.Reused = c.uses > 0
	first, err := c.roundTrip(ctx, r, res)
	if err == nil {
		return false, nil
	}
	failure := &Error{Kind: kindOf(ctx, err, KindReset), Endpoint: e.String(), Sent: c.wrote.Load(), Err: err}
	if !first && failure.Kind == KindReset && !isBroken(err) {
		failure.Kind = KindMalformed
	}
	// Sent again: what never left, and on a kept connection that turned out
	// dead what may be repeated.
	again = !failure.Sent || c.uses > 0 && first && failure.Kind == KindReset && r.Retry && r.Body == nil
	return again, failure
}

func (e *Endpoint) dialError(ctx context.Context, err error) *Error {
	f := &Error{Kind: KindConnect, Endpoint: e.String(), Err: fmt.Errorf("connect: %w", err)}
	switch {
	case errors.Is(err, errNoSlot):
		f.Kind = KindUnavailable
		return f
	case ctx.Err() != nil:
		f.Kind = kindOf(ctx, err, KindClient)
		return f
	case isTimeout(err) || errors.Is(err, context.DeadlineExceeded):
		f.Kind = KindConnectTimeout
	}
	e.refused()
	return f
}

var noTime time.Time

// Retryable reports whether a request of this method may be sent again when
// it is not known whether it was received (RFC 9110, section 9.2.2).
func Retryable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
