package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// framing names the fields that this package writes itself (RFC 9112, section 6).
func framing(name string) bool {
	switch name {
	case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Te":
		return true
	}
	return false
}

// writeHead writes the request line and the header into the buffer.
func (c *conn) writeHead(r *Request) {
	w := c.bw
	w.WriteString(r.Method)
	w.WriteByte(' ')
	w.WriteString(r.Target)
	w.WriteString(" HTTP/1.1\r\nHost: ")
	if r.Host != "" {
		w.WriteString(r.Host)
	} else {
		w.WriteString(c.endpoint.def.Host)
	}
	w.WriteString("\r\n")
	c.keys = c.keys[:0]
	for name := range r.Header {
		if !framing(name) {
			c.keys = append(c.keys, name)
		}
	}
	slices.Sort(c.keys)
	for _, name := range c.keys {
		for _, value := range r.Header[name] {
			c.field(name, value)
		}
	}
	switch {
	case r.Body == nil:
		// A length of zero is said if the client said it.
		if r.Header["Content-Length"] != nil {
			c.field("Content-Length", "0")
		}
	case r.Length >= 0:
		c.field("Content-Length", strconv.FormatInt(r.Length, 10))
	default:
		c.field("Transfer-Encoding", "chunked")
		if names := r.trailerNames(); len(names) > 0 {
			c.field("Trailer", strings.Join(names, ", "))
		}
	}
	switch {
	case r.Upgrade != "":
		c.field("Connection", "Upgrade")
		c.field("Upgrade", r.Upgrade)
	case r.TE:
		c.field("Connection", "TE")
		c.field("TE", "trailers")
	}
	w.WriteString("\r\n")
}

func (c *conn) field(name, value string) {
	w := c.bw
	w.WriteString(name)
	w.WriteString(": ")
	for i := range len(value) {
		if b := value[i]; b == '\r' || b == '\n' || b == 0 {
			value = cleanValue(value)
			break
		}
	}
	w.WriteString(value)
	w.WriteString("\r\n")
}

// cleanValue makes a value harmless that could end its line (RFC 9110, section 5.5).
func cleanValue(value string) string {
	b := []byte(value)
	for i, c := range b {
		if c == '\r' || c == '\n' || c == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}

// A sender writes the body of a request on a goroutine of its own, so that an
// answer that comes early is seen. It ends when the body has ended, the
// connection breaks, or the body's reader fails.
type sender struct {
	c     *conn
	r     *Request
	limit time.Duration // of one write
	goOn  chan bool     // true: the endpoint has said 100 (Continue); false: it has answered without the body
	stop  chan struct{} // closed when the exchange is over
	halt  sync.Once     // of closing stop
	done  chan struct{} // closed when the sender has ended

	// Set before done is closed.
	complete bool
	err      error // of reading the client's body, or the endpoint's not reading it; nil also if the answer says why
}

// continueWait is how long a body is held back for an endpoint that does not
// say 100 (RFC 9110, section 10.1.1: a client must not wait for ever).
const continueWait = time.Second

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func (s *sender) run(ctx context.Context, sent func()) {
	defer close(s.done)
	if s.r.Expect {
		t := time.NewTimer(continueWait)
		defer t.Stop()
		select {
		case wanted := <-s.goOn:
			if !wanted {
				return
			}
		case <-t.C:
		case <-s.stop:
			return
		case <-ctx.Done():
			return
		}
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	left := s.r.Length // negative: unknown
	for {
		n, err := s.r.Body.Read(*buf)
		left -= int64(n) // stays negative where it is unknown
		if left == 0 || err == io.EOF && left < 0 {
			s.r.sent()
		}
		var refused error
		if n > 0 {
			refused = s.write((*buf)[:n])
		}
		if err == io.EOF && left > 0 {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err != nil && err != io.EOF:
			if !errors.Is(err, ErrAborted) {
				s.err = &ErrClientBody{err}
			}
			s.c.Close() // half a request must not look like a whole one
			return
		case refused != nil:
			s.refused(refused, sent)
			return
		}
		if err == io.EOF {
			break
		}
		if left == 0 {
			break
		}
	}
	if s.r.Length < 0 {
		s.c.bw.WriteString("0\r\n")
		if s.r.Trailer != nil {
			for name, values := range s.r.Trailer() {
				for _, v := range values {
					if !framing(name) {
						s.c.field(name, v)
					}
				}
			}
		}
		s.c.bw.WriteString("\r\n")
	}
	if err := s.c.bw.Flush(); err != nil {
		s.refused(err, sent)
		return
	}
	s.complete = true
	sent()
}

// refused ends the sending after an error of writing. An endpoint that broke
// the connection may have answered before; one that does not read won't.
func (s *sender) refused(err error, sent func()) {
	if isTimeout(err) {
		s.err = fmt.Errorf("it does not read the request: %w", err)
		s.c.Close()
		return
	}
	sent() // from now on an answer is waited for
}

func (s *sender) write(p []byte) error {
	if s.limit > 0 {
		_ = s.c.SetWriteDeadline(time.Now().Add(s.limit))
	}
	if s.r.Length < 0 {
		var head [18]byte
		h := append(strconv.AppendInt(head[:0], int64(len(p)), 16), '\r', '\n')
		s.c.bw.Write(h)
		s.c.bw.Write(p)
		s.c.bw.WriteString("\r\n")
	} else {
		s.c.bw.Write(p)
	}
	return s.c.bw.Flush()
}

// Requests that tell http.ReadResponse how an answer is framed; it only reads them.
var (
	headRequest    = &http.Request{Method: http.MethodHead}
	connectRequest = &http.Request{Method: http.MethodConnect}
	otherRequest   = &http.Request{Method: http.MethodGet}
)

func framingRequest(method string) *http.Request {
	switch method {
	case http.MethodHead:
		return headRequest
	case http.MethodConnect:
		return connectRequest
	}
	return otherRequest
}
