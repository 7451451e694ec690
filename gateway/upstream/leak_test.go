package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

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
			r.Body, r.Length, r.AbortBody = pr, -1, func() { pr.CloseWithError(ErrAborted) }
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

// An exchange that ends in failure after it has waited in vain for its sender
// ends the sender once more.
func TestASenderCanBeEndedTwice(t *testing.T) {
	u, err := New(routes.Upstream{Name: "u", Endpoints: []routes.Endpoint{{Scheme: "http", Host: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	near, far := net.Pipe()
	defer far.Close()
	done := make(chan struct{})
	var once sync.Once
	x := &exchange{
		c: newConn(near, u.endpoints[0]), r: &Request{AbortBody: func() { once.Do(func() { close(done) }) }},
		ctx: t.Context(), unhook: func() bool { return true }, sender: &sender{stop: make(chan struct{}), done: done},
	}
	x.joinSender(time.Millisecond)
	x.abandon()
	select {
	case <-x.sender.stop:
	default:
		t.Error("the sender is not told")
	}
}
