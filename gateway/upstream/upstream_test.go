package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
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

// Two choices by load: endpoints get about the same, a slow one less, a dead
// one nothing once it is known.
func TestBalancing(t *testing.T) {
	var counts [3]atomic.Int32
	endpoint := func(i int, slow time.Duration) string {
		return raw(t, func(c net.Conn, _ int) {
			br := bufio.NewReader(c)
			for {
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				counts[i].Add(1)
				time.Sleep(slow)
				_, _ = io.WriteString(c, okAnswer)
			}
		})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	u := opened(t, defined(endpoint(0, time.Millisecond), endpoint(1, time.Millisecond), endpoint(2, 20*time.Millisecond), ln.Addr().String()))
	var clients sync.WaitGroup
	var tries atomic.Int32
	for range 8 {
		clients.Go(func() {
			for range 50 {
				res, err := u.Do(context.Background(), asked("GET", "/"))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				tries.Add(int32(res.Attempts - 1))
				res.Close()
			}
		})
	}
	clients.Wait()
	a, b, slow := counts[0].Load(), counts[1].Load(), counts[2].Load()
	if a+b+slow != 400 || a < 100 || b < 100 || slow > 100 {
		t.Errorf("%d, %d and %d of 400", a, b, slow)
	}
	if n := tries.Load(); n == 0 || n > 40 {
		t.Errorf("the dead endpoint was tried %d times", n)
	}
	if u.Endpoints()[3].Available() && tries.Load() < 2 {
		t.Error("the dead endpoint counts as available")
	}
}

// An endpoint that fails its health check gets no requests until it has
// passed again; when all fail they are asked all the same.
func TestHealthChecks(t *testing.T) {
	var sick [2]atomic.Bool
	var counts [2]atomic.Int32
	var addresses []string
	for i := range 2 {
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health" {
				counts[i].Add(1)
			} else if sick[i].Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		t.Cleanup(app.Close)
		addresses = append(addresses, app.URL)
	}
	def := defined(addresses...)
	def.Health = &routes.Health{Path: "/health", Every: 10 * time.Millisecond, Timeout: time.Second, Unhealthy: 2, Healthy: 2}
	u := opened(t, def)
	until := func(i int, want bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); u.Endpoints()[i].Available() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("endpoint %d is not available=%v", i, want)
			}
		}
	}
	sick[0].Store(true)
	until(0, false)
	for range 20 {
		told(t, u, asked("GET", "/"))
	}
	if counts[0].Load() != 0 || counts[1].Load() != 20 {
		t.Errorf("%d and %d", counts[0].Load(), counts[1].Load())
	}
	sick[1].Store(true)
	until(1, false)
	told(t, u, asked("GET", "/"))
	sick[0].Store(false)
	until(0, true)
}

// A check that finds no connection free says nothing about health.
func TestHealthCheckOfABusyEndpoint(t *testing.T) {
	release := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			<-release
		}
	}))
	defer app.Close()
	def := defined(app.URL)
	def.MaxConns = 1
	def.Timeouts.Connect = 10 * time.Millisecond
	def.Health = &routes.Health{Path: "/health", Every: 10 * time.Millisecond, Timeout: 50 * time.Millisecond, Unhealthy: 1, Healthy: 1}
	u := opened(t, def)
	done := make(chan error)
	go func() {
		for {
			res, err := u.Do(context.Background(), asked("GET", "/"))
			if err == nil {
				res.Close()
				done <- nil
				return
			}
		}
	}()
	for u.Endpoints()[0].InFlight() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	if !u.Endpoints()[0].Available() {
		t.Error("the endpoint is taken for sick")
	}
	close(release)
	<-done
}

func TestMaxConns(t *testing.T) {
	var conns, busy, most atomic.Int32
	def := defined(raw(t, func(c net.Conn, _ int) {
		conns.Add(1)
		br := bufio.NewReader(c)
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			most.Store(max(most.Load(), busy.Add(1)))
			time.Sleep(time.Millisecond)
			busy.Add(-1)
			_, _ = io.WriteString(c, okAnswer)
		}
	}))
	def.MaxConns = 3
	u := opened(t, def)
	var clients sync.WaitGroup
	for i := range 12 {
		clients.Go(func() {
			for range 20 {
				told(t, u, asked([]string{"GET", "POST"}[i%2], "/"))
			}
		})
	}
	clients.Wait()
	if most.Load() > 3 {
		t.Errorf("%d connections at once", most.Load())
	}
	if n := conns.Load(); n > 120 {
		t.Errorf("%d connections for 240 requests", n)
	}
}

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

// Neither goroutines nor connections are left of exchanges of any end.
func TestNothingIsLeftBehind(t *testing.T) {
	var open atomic.Int32
	address := raw(t, func(c net.Conn, n int) {
		open.Add(1)
		defer open.Add(-1)
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			switch r.URL.Path {
			case "/silent":
				_, _ = io.Copy(io.Discard, br)
				return
			case "/early":
				_, _ = io.WriteString(c, okAnswer)
				_, _ = io.Copy(io.Discard, br)
				return
			case "/dead":
				return
			case "/half":
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, okAnswer)
		}
	})
	before := runtime.NumGoroutine()
	def := defined(address)
	def.Timeouts.Response = 30 * time.Millisecond
	u, err := New(def)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, path := range []string{"/", "/silent", "/early", "/dead", "/half"} {
			r := asked("POST", path)
			pr, pw := io.Pipe()
			r.Body, r.Length, r.AbortBody = pr, -1, func() { pr.CloseWithError(errBroken) }
			go func() {
				_, _ = pw.Write([]byte("body"))
				if path == "/" {
					pw.Close()
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			if res, err := u.Do(ctx, r); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Close()
			}
			cancel()
		}
	}
	u.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before || open.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines more, %d connections\n%s", runtime.NumGoroutine()-before, open.Load(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func BenchmarkDo(b *testing.B) {
	u := opened(b, defined(raw(b, func(c net.Conn, _ int) {
		br := bufio.NewReader(c)
		for {
			for { // the head alone: the benchmark is not of this
				line, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := io.WriteString(c, okAnswer); err != nil {
				return
			}
		}
	})))
	r := asked("GET", "/api/orders/7")
	r.Header = http.Header{"Accept": {"*/*"}, "User-Agent": {"bench"}, "X-Forwarded-For": {"127.0.0.1"}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		res, err := u.Do(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Close()
	}
}
