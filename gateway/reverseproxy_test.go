package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// The tests of this file hold what the documentation of
// net/http/httputil.ReverseProxy promises, one by one. Two of its habits are
// not wanted: unparsable query parameters are the application's to judge, and
// Proxy-Authenticate and Proxy-Authorization are no hop-by-hop fields
// (RFC 9110, sections 7.6.1 and 11.7).

// recorded starts an application that keeps the requests it gets.
func recorded(t *testing.T, handle http.HandlerFunc) (string, chan *http.Request) {
	t.Helper()
	requests := make(chan *http.Request, 100)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		if handle != nil {
			handle(w, r)
		}
	}))
	t.Cleanup(app.Close)
	return app.URL, requests
}

func TestHopByHopFieldsAreRemoved(t *testing.T) {
	app, requests := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Connection", "X-One, X-Two")
		h.Add("Connection", "x-three")
		for _, name := range []string{"X-One", "X-Two", "X-Three", "Keep-Alive", "Proxy-Connection", "Upgrade", "Ficus-Side"} {
			h.Set(name, "a")
		}
		h.Set("X-Kept", "a")
	})
	url, _ := frontOf(t, app)
	req, _ := http.NewRequest("GET", url, nil)
	for _, name := range []string{"X-One", "X-Two", "X-Three", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Ficus-Side"} {
		req.Header.Set(name, "a")
	}
	req.Header["Connection"] = []string{"X-One, X-Two", "x-three", ""}
	req.Header.Set("X-Kept", "a")
	res, err := browser(t, "h1", nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	for side, h := range map[string]http.Header{"upstream": (<-requests).Header, "client": res.Header} {
		for _, name := range []string{"Connection", "X-One", "X-Two", "X-Three", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Ficus-Side"} {
			if v, ok := h[name]; ok {
				t.Errorf("the %s sees %s: %q", side, name, v)
			}
		}
		if h.Get("X-Kept") != "a" {
			t.Errorf("the %s does not see X-Kept", side)
		}
	}
}

func TestForwardingFields(t *testing.T) {
	claims := http.Header{
		"X-Forwarded-For": {"1.1.1.1", "2.2.2.2"}, "X-Forwarded-Host": {"evil"}, "X-Forwarded-Proto": {"https"},
		"Forwarded": {"for=3.3.3.3"}, "X-Forwarded-Prefix": {"/evil"},
	}
	for name, c := range map[string]struct {
		config   string
		nominate string
		want     map[string]string
	}{
		"from anybody":        {"", "", map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "http", "Forwarded": "", "X-Forwarded-Prefix": ""}},
		"named by Connection": {"", "X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto", map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "http"}},
		"from a trusted proxy": {"trusted_proxies: 127.0.0.0/8\n", "", map[string]string{
			"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 127.0.0.1", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https",
			"Forwarded": "", "X-Forwarded-Prefix": "/evil"}}, // it speaks X-Forwarded-*, so Forwarded is its client's
	} {
		t.Run(name, func(t *testing.T) {
			app, requests := recorded(t, nil)
			g := gatewayOf(t, c.config+before(app))
			req, _ := http.NewRequest("GET", "http://"+listen(t, g, routes.Listener{}), nil)
			req.Host = "shop.example"
			req.Header = claims.Clone()
			if c.nominate != "" {
				req.Header.Set("Connection", c.nominate)
			}
			res, err := browser(t, "h1", nil).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			got := <-requests
			for name, want := range c.want {
				if v := strings.Join(got.Header[name], " | "); v != want {
					t.Errorf("%s: %q, want %q", name, v, want)
				}
			}
		})
	}
}

func TestForwardedProtoOfTLS(t *testing.T) {
	app, requests := recorded(t, nil)
	cert, pool := certificate(t)
	g := gatewayOf(t, before(app))
	res, err := browser(t, "h2", pool).Get("https://" + listen(t, g, routes.Listener{TLS: []routes.Certificate{cert}}))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := (<-requests).Header.Get("X-Forwarded-Proto"); got != "https" {
		t.Errorf("%q", got)
	}
}

func TestUnparsableQueryPasses(t *testing.T) {
	app, requests := recorded(t, nil)
	url, _ := frontOf(t, app)
	for _, query := range []string{"a=1;b=2", "a=%zz", "a=1&b=%", ";", "&&"} {
		get(t, url+"/?"+query)
		if got := (<-requests).URL.RawQuery; got != query {
			t.Errorf("%q arrived as %q", query, got)
		}
	}
}

func TestHostModes(t *testing.T) {
	app, requests := recorded(t, nil)
	host := strings.TrimPrefix(app, "http://")
	for line, want := range map[string]string{"host: preserve": "shop.example", "host: upstream": host, "host: other.example": "other.example"} {
		url, _ := frontOf(t, app, line)
		req, _ := http.NewRequest("GET", url, nil)
		req.Host = "shop.example"
		res, err := browser(t, "h1", nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		got := <-requests
		if got.Host != want || got.Header.Get("X-Forwarded-Host") != "shop.example" {
			t.Errorf("%s: host %q, forwarded %q", line, got.Host, got.Header.Get("X-Forwarded-Host"))
		}
	}
}

func TestUserAgentIsNotMadeUp(t *testing.T) {
	app, requests := recorded(t, nil)
	for _, protocol := range []string{"http1"} {
		url, _ := frontOf(t, app, "protocol: "+protocol)
		for _, agent := range []string{"", "mine"} {
			req, _ := http.NewRequest("GET", url, nil)
			req.Header["User-Agent"] = nil
			if agent != "" {
				req.Header.Set("User-Agent", agent)
			}
			res, err := browser(t, "h1", nil).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := (<-requests).Header.Get("User-Agent"); got != agent {
				t.Errorf("%q arrived as %q", agent, got)
			}
		}
	}
}

// Event streams and answers of unknown length are flushed after each write;
// here all others are as well, when the upstream pauses.
func TestAnswersAreFlushedWhenTheUpstreamPauses(t *testing.T) {
	for name, h := range map[string]http.Header{
		"event stream":     {"Content-Type": {"text/event-stream; charset=utf-8"}},
		"unknown length":   {},
		"of known length":  {"Content-Length": {"20"}},
		"JSON, compressed": {"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan bool)
			app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
				for name, values := range h {
					w.Header()[name] = values
				}
				_ = http.NewResponseController(w).Flush()
				for range 4 {
					<-next
					_, _ = io.WriteString(w, "12345")
					_ = http.NewResponseController(w).Flush()
				}
			})
			url, _ := frontOf(t, app)
			res, err := browser(t, "h1", nil).Get(url) // the header has come
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for range 4 {
				next <- true
				if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestInterimAnswersLeaveTheHeaderAlone(t *testing.T) {
	app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a>")
		w.Header().Set("X-Early", "1")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("X-Early")
		w.Header().Add("Link", "</b>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "ok")
	})
	url, _ := frontOf(t, app)
	res, err := browser(t, "h1", nil).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header["Link"] != nil || res.Header["X-Early"] != nil {
		t.Errorf("the answer has fields of interim ones: %v", res.Header)
	}
}

// An answer that breaks off must not look whole to the client.
func TestBrokenAnswerIsBrokenForTheClient(t *testing.T) {
	for name, length := range map[string]string{"chunked": "", "of known length": "1000000"} {
		app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, "the first half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		url, _ := frontOf(t, app)
		res, err := browser(t, "h1", nil).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != "the first half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
}

func TestCancelledRequestCancelsTheUpstreams(t *testing.T) {
	gone := make(chan struct{}, 1)
	app, requests := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		gone <- struct{}{}
	})
	g, journal := gatewayWithJournal(t, before(app))
	url := "http://" + listen(t, g, routes.Listener{})
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	go func() {
		<-requests
		cancel()
	}()
	if _, err := browser(t, "h1", nil).Do(req); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the upstream was not told")
	}
	if e := journal.wait(t, 1)[0]; e.Status != 499 || e.Err != "client_gone" {
		t.Errorf("%+v", e)
	}
}

func TestUnreachableUpstreamIs502(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	url, _ := frontOf(t, "http://"+ln.Addr().String())
	status, body := get(t, url)
	if status != http.StatusBadGateway || body != "Bad Gateway\n" {
		t.Errorf("%d %q", status, body)
	}
}

func TestPostIsPassedOnWhole(t *testing.T) {
	const size = 1 << 20
	app, requests := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, len(body), err, bytes.Count(body, []byte("x")))
	})
	url, _ := frontOf(t, app)
	res, err := browser(t, "h1", nil).Post(url, "text/plain", strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(body) != fmt.Sprint(size, nil, size) {
		t.Errorf("%q", body)
	}
	if r := <-requests; r.ContentLength != size {
		t.Errorf("length %d", r.ContentLength)
	}
}

// A request without a body has none upstream, also no empty one in chunks.
func TestNoBodyStaysNone(t *testing.T) {
	app, requests := recorded(t, nil)
	url, _ := frontOf(t, app)
	get(t, url)
	if r := <-requests; r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
		t.Errorf("length %d, coding %v", r.ContentLength, r.TransferEncoding)
	}
}

// A body that fails while it is read breaks the request off upstream.
func TestBodyErrorBreaksTheRequestOff(t *testing.T) {
	failed := make(chan error, 1)
	app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	url, _ := frontOf(t, app)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, ask("POST /", "Transfer-Encoding: chunked")+"5\r\nhello\r\nnonsense\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	conn.Close()
	if !strings.HasPrefix(line, "HTTP/1.1 400 ") {
		t.Errorf("%q, %v", line, err)
	}
	if err := <-failed; err == nil {
		t.Error("the upstream saw a whole request")
	}
}

// An upgraded connection ends for both when one of them breaks.
func TestTunnelEndsWithEitherSide(t *testing.T) {
	ended := make(chan error, 1)
	app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n")
		_ = rw.Flush()
		if r.URL.Path == "/server" {
			return
		}
		_, err = rw.ReadByte()
		ended <- err
	})
	url, g := frontOf(t, app)
	for _, path := range []string{"/client", "/server"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, ask("GET "+path, "Connection: upgrade", "Upgrade: test"))
		br := bufio.NewReader(conn)
		if line, _ := br.ReadString('\n'); !strings.Contains(line, "101") {
			t.Fatalf("%q", line)
		}
		if path == "/client" {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
			if err := <-ended; err == nil {
				t.Error("the upstream was not told")
			}
			continue
		}
		if _, err := io.ReadAll(br); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); g.InFlight() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a tunnel stays open")
		}
	}
}

// A connection that was upgraded, or should not have been, carries no other request.
func TestTunnelIsNotReused(t *testing.T) {
	var c wireCase
	c.upstream = func(e *end) {
		for e.request() {
			e.write(tell("101 Switching Protocols", "Connection: upgrade", "Upgrade: other"))
		}
	}
	c.client = func(e *end) {
		for range 3 {
			e.write(ask("GET /", "Connection: upgrade", "Upgrade: wanted"))
			e.answer("GET")
		}
	}
	var accepted atomic.Int32
	inner := c.upstream
	c.upstream = func(e *end) { accepted.Add(1); inner(e) }
	upstream, client := c.hold(t, true)
	if n := len(slices.DeleteFunc(client, func(s string) bool { return s != "answer 502" })); n != 3 {
		t.Errorf("%d answers of 502", n)
	}
	if accepted.Load() != 3 {
		t.Errorf("3 requests came over %d connections: %q", accepted.Load(), upstream)
	}
}
