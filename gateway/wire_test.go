package gateway

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// A wireCase is one conversation in bytes. It is held twice, with the client
// at the upstream directly and through a gateway, and both ends must see the
// same, but for the lines that differs names.
type wireCase struct {
	name     string
	say      string       // what the client sends; then it reads answers
	tell     string       // what the upstream says to each request; empty: plainAnswer
	answers  int          // that the client reads; 0: one
	client   func(e *end) // instead of say and answers
	upstream func(e *end) // instead of reading requests and saying tell
	raw      bool         // see order and case of header fields, reason phrase, version and chunks as well
	config   []string     // lines of the upstream's config
	patience time.Duration
	differs  []string // lines that one side alone saw: "-direct" and "+through", sorted
	refused  int      // the status that the gateway answers by itself; nothing reaches the upstream
}

const plainAnswer = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

// ask writes a request's head, and what follows it.
func ask(line string, fields ...string) string {
	return line + " HTTP/1.1\r\nHost: shop.example\r\n" + lines(fields)
}

// tell writes an answer's head.
func tell(line string, fields ...string) string { return "HTTP/1.1 " + line + "\r\n" + lines(fields) }

func lines(fields []string) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	return b.String() + "\r\n"
}

// A transcript is what one end saw, line by line.
type transcript struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (s *transcript) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *transcript) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// An end is one side of a connection, which notes what it sees.
type end struct {
	net.Conn
	t   *testing.T
	br  *bufio.Reader
	saw *transcript
	raw bool
}

func (e *end) write(s string) {
	if _, err := io.WriteString(e.Conn, s); err != nil {
		e.t.Logf("write: %v", err)
	}
}

func (e *end) closeWrite() { _ = e.Conn.(*net.TCPConn).CloseWrite() }

// over notes that the other side has ended the connection.
func (e *end) over() {
	if b, err := e.br.ReadByte(); err == nil {
		e.saw.note("more: %q", b)
	} else {
		e.saw.note("the end")
	}
}

// bytes notes the next n bytes.
func (e *end) bytes(n int) {
	p := make([]byte, n)
	got, _ := io.ReadFull(e.br, p)
	e.saw.note("bytes: %q", p[:got])
}

// line notes the next line, and reports whether there was one.
func (e *end) line() bool {
	s, err := e.br.ReadString('\n')
	if err != nil {
		e.saw.note("no line")
		return false
	}
	e.saw.note("line: %q", s)
	return true
}

// A head is a start line and the header, as they came.
type head struct {
	start  string
	fields [][2]string
}

func (h *head) get(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// readHead reads a head; nil if the connection ends before it.
func (e *end) readHead() *head {
	start, err := e.br.ReadString('\n')
	if err != nil {
		return nil
	}
	h := &head{start: strings.TrimRight(start, "\r\n")}
	h.fields = e.readFields()
	return h
}

func (e *end) readFields() (fields [][2]string) {
	for {
		line, err := e.br.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil || line == "" {
			return fields
		}
		if n := len(fields); n > 0 && (line[0] == ' ' || line[0] == '\t') {
			fields[n-1][1] += "\r\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, [2]string{name, strings.Trim(value, " \t")})
	}
}

// additions are what a gateway adds; the hop-by-hop fields are each connection's own.
var additions = []string{
	"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
	"connection", "keep-alive", "proxy-connection",
}

// noteFields notes fields: as a sorted set, or in raw as they came.
func (e *end) noteFields(indent string, fields [][2]string, skip ...string) {
	var out []string
	for _, f := range fields {
		name, value := strings.ToLower(f[0]), f[1]
		if slices.Contains(additions, name) && (!e.raw || name != "connection") || slices.Contains(skip, name) {
			continue
		}
		if name == "trailer" {
			names := strings.Split(strings.ReplaceAll(value, " ", ""), ",")
			slices.Sort(names)
			value = strings.Join(names, ", ")
		}
		if e.raw {
			name = f[0]
		}
		out = append(out, fmt.Sprintf("%s%s: %q", indent, name, value))
	}
	if !e.raw {
		slices.Sort(out)
	}
	for _, line := range out {
		e.saw.note("%s", line)
	}
}

// request reads a request and notes it; false: there is none.
func (e *end) request() bool {
	h := e.requestHead()
	if h == nil {
		return false
	}
	e.body(h, false)
	return true
}

func (e *end) requestHead() *head {
	h := e.readHead()
	if h == nil {
		return nil
	}
	start := h.start
	if !e.raw {
		start = strings.TrimSuffix(strings.TrimSuffix(start, " HTTP/1.1"), " HTTP/1.0")
	}
	e.saw.note("request %s", start)
	e.noteFields("  ", h.fields)
	return h
}

// answer reads interim answers and a final one, and notes them; false: there is none.
func (e *end) answer(method string) bool {
	h := e.answerHead()
	if h == nil {
		return false
	}
	status := h.status()
	if method == "HEAD" || status == "204" || status == "304" || status == "101" || method == "CONNECT" && status == "200" {
		return true
	}
	e.body(h, true)
	return true
}

func (h *head) status() string { return strings.Split(h.start+"  ", " ")[1] }

func (e *end) answerHead() *head {
	for {
		h := e.readHead()
		if h == nil {
			e.saw.note("no answer")
			return nil
		}
		if e.raw {
			e.saw.note("answer %s", h.start)
			e.noteFields("  ", h.fields)
		} else {
			e.saw.note("answer %s", h.status())
			e.noteFields("  ", h.fields, "transfer-encoding")
		}
		if s := h.status(); s[:1] == "1" && s != "101" {
			continue
		}
		return h
	}
}

// body reads a body as the head frames it, and notes it with its trailer.
func (e *end) body(h *head, untilEnd bool) {
	var b bytes.Buffer
	sum := sha256.New()
	w := io.MultiWriter(sum, &limited{&b, 200})
	var n int64
	var err error
	switch {
	case strings.EqualFold(h.get("Transfer-Encoding"), "chunked"):
		for {
			var size int64
			var line string
			if line, err = e.br.ReadString('\n'); err != nil {
				break
			}
			text, _, _ := strings.Cut(strings.TrimSpace(line), ";")
			if size, err = strconv.ParseInt(text, 16, 64); err != nil {
				break
			}
			if e.raw {
				e.saw.note("  chunk %q", strings.TrimSpace(line))
			}
			if size == 0 {
				break
			}
			var m int64
			m, err = io.CopyN(w, e.br, size)
			n += m
			if err != nil {
				break
			}
			if _, err = e.br.Discard(2); err != nil {
				break
			}
		}
	case h.get("Content-Length") != "":
		size, _ := strconv.ParseInt(h.get("Content-Length"), 10, 64)
		n, err = io.CopyN(w, e.br, size)
	case untilEnd:
		n, err = io.Copy(w, e.br)
	default:
		return
	}
	how := "whole"
	if err != nil {
		how = "broken"
	}
	if n <= 200 {
		e.saw.note("  body %s %q", how, b.String())
	} else {
		e.saw.note("  body %s of %d bytes %x", how, n, sum.Sum(nil)[:6])
	}
	if err == nil && strings.EqualFold(h.get("Transfer-Encoding"), "chunked") {
		e.noteFields("  trailer ", e.readFields())
	}
}

// limited keeps the first bytes.
type limited struct {
	b   *bytes.Buffer
	max int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.max - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// hold has the conversation once and returns what both ends saw.
func (c *wireCase) hold(t *testing.T, through bool) (upstream, client []string) {
	t.Helper()
	var up, cl transcript
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	patience := c.patience
	if patience == 0 {
		patience = 20 * time.Second
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				c.upstreamEnd(&end{conn, t, bufio.NewReader(conn), &up, c.raw})
			})
		}
	})
	address := ln.Addr().String()
	var g *Gateway
	if through {
		g = gatewayOf(t, before("http://"+address, c.config...))
		address = listen(t, g, routes.Listener{})
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c.clientEnd(&end{conn, t, bufio.NewReader(conn), &cl, c.raw})
	conn.Close()
	ln.Close()
	if g != nil {
		for _, u := range g.Upstreams() {
			u.Close()
		}
	}
	conns.Wait()
	return up.seen(), cl.seen()
}

func (c *wireCase) upstreamEnd(e *end) {
	if c.upstream != nil {
		c.upstream(e)
		return
	}
	text := c.tell
	if text == "" {
		text = plainAnswer
	}
	for e.request() {
		e.write(text)
		if !strings.Contains(text, "Content-Length") && !strings.Contains(text, "chunked") && !strings.HasPrefix(text, "HTTP/1.1 204") && !strings.HasPrefix(text, "HTTP/1.1 304") {
			return // the end of the connection is that of the body
		}
	}
}

func (c *wireCase) clientEnd(e *end) {
	if c.client != nil {
		c.client(e)
		return
	}
	method, _, _ := strings.Cut(c.say, " ")
	e.write(c.say)
	for range max(c.answers, 1) {
		if !e.answer(method) {
			return
		}
	}
}

// differences returns the lines that are on one side alone, as a sorted list.
func differences(direct, through []string) (out []string) {
	count := make(map[string]int)
	for _, line := range direct {
		count[line]++
	}
	for _, line := range through {
		count[line]--
	}
	for line, n := range count {
		for ; n > 0; n-- {
			out = append(out, "-"+line)
		}
		for ; n < 0; n++ {
			out = append(out, "+"+line)
		}
	}
	slices.Sort(out)
	return out
}
