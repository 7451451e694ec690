package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The phases of an exchange, for [conn.begin].
const (
	phaseSend = iota + 1 // the request's body is being sent
	phaseWait            // all is sent, nothing has come
	phaseBody            // the answer's header is here
)

// lateUpload is how long the rest of a request's body may still be sent after
// the answer has ended; the connection is given up after it.
const lateUpload = time.Second

// An exchange is one request and its answer on an HTTP/1.1 connection.
type exchange struct {
	c        *conn
	r        *Request
	ctx      context.Context
	unhook   func() bool // false: the context has ended and closed the connection
	sender   *sender     // nil: the request has no body
	res      *http.Response
	eof      bool // the answer's body has been read to its end
	switched bool // the connection is a tunnel
	over     atomic.Bool
}

var errEarlySwitch = errors.New("it switches the protocol before the end of the request")

// errNothing is wrapped by failures before the first byte of an answer.
var errNothing = errors.New("the connection was closed without an answer")

// roundTrip sends r on c and reads the header of the answer. After an error
// the connection is closed and first says whether no byte had come back.
func (c *conn) roundTrip(ctx context.Context, r *Request, res *Response) (first bool, err error) {
	x := &exchange{c: c, r: r, ctx: ctx}
	x.unhook = context.AfterFunc(ctx, func() { c.Close() })
	limits := &c.endpoint.up.def.Timeouts
	r.sending()
	if ctx.Err() != nil {
		return true, x.fail(context.Cause(ctx), nil)
	}
	start := time.Now()
	c.writeHead(r)
	if limits.Idle > 0 {
		_ = c.SetWriteDeadline(start.Add(limits.Idle))
	}
	if r.Body == nil {
		r.sent()
	}
	if err := c.bw.Flush(); err != nil {
		return true, x.fail(err, nil)
	}
	if r.Body == nil {
		c.begin(phaseWait, limits.Response)
	} else {
		c.begin(phaseSend, 0)
		x.sender = &sender{c: c, r: r, limit: limits.Idle, goOn: make(chan bool, 1), stop: make(chan struct{}), done: make(chan struct{})}
		go x.sender.run(ctx, func() { c.begin(phaseWait, limits.Response) })
	}
	first = true
	for {
		c.room = maxHeader
		if _, err := c.br.Peek(1); err != nil {
			return first, x.fail(err, errNothing)
		}
		if first {
			res.Wait = time.Since(start)
			first = false
		}
		hr, err := http.ReadResponse(c.br, framingRequest(r.Method))
		if err != nil {
			if c.broke != nil {
				err = c.broke
			}
			return false, x.fail(discreet(err), nil)
		}
		if hr.StatusCode < 100 {
			return false, x.fail(fmt.Errorf("its status is %03d", hr.StatusCode), nil)
		}
		if hr.StatusCode >= 200 || hr.StatusCode == http.StatusSwitchingProtocols {
			c.room = -1
			x.res = hr
			break
		}
		if x.sender != nil && r.Expect && hr.StatusCode == http.StatusContinue {
			select {
			case x.sender.goOn <- true:
			default:
			} // reading the body makes the server say 100 to the client
			continue
		}
		if r.Informational != nil {
			r.Informational(hr.StatusCode, hr.Header)
		}
	}
	if x.sender != nil && r.Expect {
		select {
		case x.sender.goOn <- false: // answered without wanting the body
		default:
		}
	}
	c.begin(phaseBody, limits.Idle)
	return false, x.answer(res)
}

// fail ends the exchange after an error of reading. What the sending failed
// with comes first: it is the cause of the rest.
func (x *exchange) fail(err, nothing error) error {
	if errors.Is(err, io.EOF) && nothing != nil {
		err = nothing
	}
	ended := endOf(x.ctx)
	x.abandon()
	if x.sender != nil && x.sender.err != nil {
		err = x.sender.err
	}
	return &brokenError{err, ended}
}

// abandon closes the connection and waits for the sender.
func (x *exchange) abandon() {
	if x.over.Swap(true) {
		return
	}
	x.unhook()
	x.c.Close()
	x.joinSender(0)
}

// joinSender waits for the sender to end, for a while by itself, and then by force.
func (x *exchange) joinSender(patience time.Duration) {
	s := x.sender
	if s == nil {
		return
	}
	if patience > 0 {
		select {
		case <-s.done:
			return
		default:
		}
		t := time.NewTimer(patience)
		defer t.Stop()
		select {
		case <-s.done:
			return
		case <-t.C:
		}
	}
	s.halt.Do(func() { close(s.stop) }) // it may have been told before, in vain
	x.c.Close()
	select {
	case <-s.done:
		return
	default:
	}
	x.r.AbortBody()
	<-s.done
}

// answer fills res with what has been read.
func (x *exchange) answer(res *Response) error {
	hr := x.res
	res.Status, res.Header, res.Length = hr.StatusCode, hr.Header, hr.ContentLength
	res.finish = x.finish
	if hr.StatusCode == http.StatusSwitchingProtocols || x.r.Method == http.MethodConnect && hr.StatusCode/100 == 2 {
		if x.sender != nil { // what follows the request's body is the new protocol's
			if x.joinSender(lateUpload); !x.sender.complete {
				return x.fail(errEarlySwitch, nil)
			}
		}
		res.tunnel = x.tunnel()
		res.Body = http.NoBody
		return nil
	}
	res.Body = (*body)(x)
	res.ready = x.buffered
	if hr.Body == http.NoBody || hr.ContentLength == 0 {
		res.Body = http.NoBody
		res.ready = nil
	}
	if hr.Trailer != nil || hr.ContentLength < 0 {
		res.trailer = func() http.Header { return hr.Trailer }
	}
	return nil
}

// smallChunk is how much of a chunked answer may have arrived, in bytes,
// without holding any data: the line that begins a chunk is seldom longer.
const smallChunk = 16

// buffered returns how much can be read of the answer's body without waiting.
func (x *exchange) buffered() int {
	n := x.c.br.Buffered()
	if n < smallChunk && len(x.res.TransferEncoding) > 0 {
		return 0
	}
	return n
}

// A body reads the answer's body and watches its silence.
type body exchange

func (b *body) Read(p []byte) (int, error) {
	b.c.extend(b.c.endpoint.up.def.Timeouts.Idle) // now, since how long the caller took to come back is not the endpoint's silence
	n, err := b.res.Body.Read(p)
	if err == io.EOF {
		b.eof = true
	}
	return n, discreet(err)
}

// finish ends the exchange: the connection goes back to the pool if the
// answer was read to its end, the request was sent to its end, and the
// endpoint did not ask to close.
func (x *exchange) finish() {
	if x.over.Swap(true) {
		return
	}
	whole := (x.eof || x.res.Body == http.NoBody) && !x.switched
	if !whole {
		x.unhook()
		x.c.Close()
		x.joinSender(0)
		return
	}
	if x.sender != nil {
		x.joinSender(lateUpload)
		whole = x.sender.complete
	}
	if !x.unhook() || !whole || x.res.Close || x.c.br.Buffered() > 0 || x.c.closed.Load() {
		x.c.Close()
		return
	}
	x.c.keep = keepFor(x.res.Header, x.c.endpoint.up.def.Timeouts.Keep)
	x.c.endpoint.put(x.c)
}

// keepFor returns how long a connection may lie idle: the limit, or a second
// less than what the endpoint says it keeps connections for, since a request
// sent on a connection that is being closed is lost.
func keepFor(h http.Header, limit time.Duration) time.Duration {
	for _, value := range h["Keep-Alive"] {
		for part := range strings.SplitSeq(value, ",") {
			name, text, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(name, "timeout") {
				continue
			}
			if s, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && s >= 0 {
				limit = min(limit, time.Duration(s)*time.Second-time.Second)
			}
		}
	}
	return limit
}
