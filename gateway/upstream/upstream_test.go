package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// defined is an upstream of the addresses given, with short patience.
func defined(addresses ...string) routes.Upstream {
	def := routes.Upstream{
		Name: "app", Protocol: routes.HTTP1, Host: routes.HostPreserve, MaxIdle: 64,
		Timeouts: routes.Timeouts{Connect: 2 * time.Second, Response: 5 * time.Second, Idle: 5 * time.Second, Keep: 4 * time.Second},
	}
	for _, a := range addresses {
		def.Endpoints = append(def.Endpoints, routes.Endpoint{Scheme: "http", Host: strings.TrimPrefix(a, "http://"), Weight: 1})
	}
	return def
}

func opened(t testing.TB, def routes.Upstream) *Upstream {
	t.Helper()
	u, err := New(def)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// raw starts an endpoint that gives every connection to serve.
func raw(t testing.TB, serve func(c net.Conn, n int)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	conns.Go(func() {
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			conns.Go(func() {
				defer c.Close()
				serve(c, n)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		conns.Wait()
	})
	return ln.Addr().String()
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// answering reads requests and says ok to each.
func answering(c net.Conn, _ int) {
	br := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if _, err := io.WriteString(c, okAnswer); err != nil {
			return
		}
	}
}

func asked(method, target string) *Request {
	return &Request{Method: method, Target: target, Host: "shop.example", Header: http.Header{}, Retry: Retryable(method)}
}

// told does an exchange and returns its body.
func told(t testing.TB, u *Upstream, r *Request) (string, *Response) {
	t.Helper()
	res, err := u.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), res
}

func failed(t testing.TB, u *Upstream, r *Request) *Error {
	t.Helper()
	res, err := u.Do(context.Background(), r)
	if err == nil {
		res.Close()
		t.Fatal("no error")
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T: %v", err, err)
	}
	return e
}

func TestConnectionsAreKept(t *testing.T) {
	var conns atomic.Int32
	u := opened(t, defined(raw(t, func(c net.Conn, n int) {
		conns.Add(1)
		answering(c, n)
	})))
	for i := range 10 {
		body, res := told(t, u, asked("GET", "/"))
		if body != "ok" || res.Reused != (i > 0) || res.Attempts != 1 {
			t.Errorf("%d: %q, reused %v, %d attempts", i, body, res.Reused, res.Attempts)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A connection is given up if anything is left of its exchange.
func TestConnectionsThatAreNotClean(t *testing.T) {
	for name, answer := range map[string]string{
		"asked to close":         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"more than was promised": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.0":               "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"kept for no time":       "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
	} {
		u := opened(t, defined(raw(t, func(c net.Conn, _ int) {
			br := bufio.NewReader(c)
			for {
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				_, _ = io.WriteString(c, answer)
			}
		})))
		for range 3 {
			if body, res := told(t, u, asked("GET", "/")); body != "ok" || res.Reused {
				t.Errorf("%s: %q, reused %v", name, body, res.Reused)
			}
		}
	}
}

func TestAnswerHalfReadIsNotKept(t *testing.T) {
	u := opened(t, defined(raw(t, answering)))
	for range 3 {
		res, err := u.Do(context.Background(), asked("GET", "/"))
		if err != nil {
			t.Fatal(err)
		}
		if res.Reused {
			t.Error("reused")
		}
		_, _ = res.Body.Read(make([]byte, 1))
		res.Close()
		res.Close() // once more does nothing
	}
	if n := u.Endpoints()[0].InFlight(); n != 0 {
		t.Errorf("%d in flight", n)
	}
}

func TestConnectionsAreClosedWhenTheyLieTooLong(t *testing.T) {
	def := defined(raw(t, answering))
	def.Timeouts.Keep = 50 * time.Millisecond
	u := opened(t, def)
	told(t, u, asked("GET", "/"))
	time.Sleep(100 * time.Millisecond)
	if _, res := told(t, u, asked("GET", "/")); res.Reused {
		t.Error("reused")
	}
}

// What says that a connection is dead is noticed before a request is sent on it.
func TestDeadConnectionsAreNotUsed(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { c.Close() },
		"reset":  func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() },
		"408":    func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n") },
	} {
		u := opened(t, defined(raw(t, func(c net.Conn, _ int) {
			br := bufio.NewReader(c)
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			_, _ = io.WriteString(c, okAnswer)
			time.Sleep(20 * time.Millisecond)
			end(c)
			_, _ = io.Copy(io.Discard, br)
		})))
		for range 3 {
			if _, res := told(t, u, asked("POST", "/")); res.Reused || res.Attempts != 1 {
				t.Errorf("%s: reused %v, %d attempts", name, res.Reused, res.Attempts)
			}
			time.Sleep(80 * time.Millisecond)
		}
	}
}

// What may be repeated is sent again on a fresh connection; what may not, or
// has a body, is not.
func TestSecondSending(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		body   bool
		again  bool
	}{"GET": {"GET", false, true}, "DELETE": {"DELETE", false, true}, "POST": {"POST", false, false}, "PUT with a body": {"PUT", true, false}} {
		var requests atomic.Int32
		u := opened(t, defined(raw(t, func(conn net.Conn, n int) {
			br := bufio.NewReader(conn)
			for i := 0; ; i++ {
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				requests.Add(1)
				if n == 1 && i == 2 {
					return
				}
				_, _ = io.WriteString(conn, okAnswer)
			}
		})))
		told(t, u, asked("GET", "/"))
		told(t, u, asked("GET", "/"))
		r := asked(c.method, "/")
		if c.body {
			r.Body, r.Length, r.AbortBody = strings.NewReader("body"), 4, func() {}
		}
		if c.again {
			if _, res := told(t, u, r); res.Attempts != 2 || requests.Load() != 4 {
				t.Errorf("%s: %d attempts, %d requests", name, res.Attempts, requests.Load())
			}
		} else if e := failed(t, u, r); e.Attempts != 1 || e.Kind != KindReset || !e.Sent || requests.Load() != 3 {
			t.Errorf("%s: %+v, %d requests", name, e, requests.Load())
		}
	}
}

func TestKindsOfFailure(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if e := failed(t, opened(t, defined(ln.Addr().String())), asked("GET", "/")); e.Kind != KindConnect || e.Sent || e.Endpoint != ln.Addr().String() {
		t.Errorf("refused: %+v", e)
	}
	silent := raw(t, func(c net.Conn, _ int) { _, _ = io.Copy(io.Discard, c) })
	def := defined(silent)
	def.Timeouts.Response = 50 * time.Millisecond
	u := opened(t, def)
	if e := failed(t, u, asked("GET", "/")); e.Kind != KindTimeout || !e.Sent {
		t.Errorf("silent: %+v", e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = opened(t, defined(silent)).Do(ctx, asked("GET", "/"))
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindClient {
		t.Errorf("cancelled: %v", err)
	}
	r := asked("POST", "/")
	r.Length, r.AbortBody = -1, func() {}
	r.Body = io.MultiReader(strings.NewReader("some"), failing{})
	if e := failed(t, u, r); e.Kind != KindRequest || !errors.Is(e, errBroken) {
		t.Errorf("client's body: %+v", e)
	}
	r.Body, r.Length = strings.NewReader("too short"), 100
	if e := failed(t, u, r); e.Kind != KindRequest || !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("short body: %+v", e)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	app := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })}
	go func() { _ = app.Serve(ln) }()
	defer app.Close()
	def := defined()
	def.Endpoints = []routes.Endpoint{{Scheme: "http", Host: "localhost", Socket: path, Weight: 1}}
	u := opened(t, def)
	r := asked("GET", "/")
	r.Host = ""
	if body, _ := told(t, u, r); body != "localhost" {
		t.Errorf("%q", body)
	}
}

// Requests that must not be sent twice go over kept connections as soon as
// the endpoint has shown that it keeps them.
func TestPostsShareConnectionsOfAnEndpointThatKeepsThem(t *testing.T) {
	u := opened(t, defined(raw(t, answering)))
	if _, res := told(t, u, asked("POST", "/")); res.Reused {
		t.Error("the first is over a kept connection")
	}
	if _, res := told(t, u, asked("POST", "/")); res.Reused {
		t.Error("nothing was known of the endpoint")
	}
	time.Sleep(settled + 50*time.Millisecond)
	for range 10 {
		if _, res := told(t, u, asked("POST", "/")); !res.Reused {
			t.Error("not over a kept connection")
		}
	}
}
