package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

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
