package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A keeper sends one request after the other on one connection, as long as it
// is kept and has not rested for long, and then on another. It does not send
// again what failed.
type keeper struct {
	address string
	dial    func() (net.Conn, error) // nil: TCP to the address
	path    string
	pause   time.Duration // between two requests
	conn    net.Conn
	in      *bufio.Reader
	rests   time.Time // since when
	once    bool      // a connection carries one request
	asked   int
	closed  int // answers that said "Connection: close"
}

var errGone = errors.New("nobody listens any more")

// ask sends one request. It returns errGone if no connection could be opened.
func (k *keeper) ask() error {
	if k.conn != nil && time.Since(k.rests) > lastCall/2 {
		k.conn.Close()
		k.conn = nil
	}
	if k.conn == nil {
		if k.dial == nil {
			k.dial = func() (net.Conn, error) { return net.Dial("tcp", k.address) }
		}
		c, err := k.dial()
		if err != nil {
			return fmt.Errorf("%w: %w", errGone, err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		k.conn, k.in = c, bufio.NewReader(c)
	}
	if _, err := fmt.Fprintf(k.conn, "POST %s HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi", k.path); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	res, err := http.ReadResponse(k.in, nil)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, %w", res.Status, text, err)
	}
	k.asked++
	k.rests = time.Now()
	if res.Close {
		k.closed++
	}
	if res.Close || k.once {
		k.conn.Close()
		k.conn = nil
	}
	return nil
}

// TestNothingSentIsLostAtTheEnd sends SIGTERM while 32 kept connections, some
// slow requests and many new connections are in use: every request that was
// sent is answered.
func TestNothingSentIsLostAtTheEnd(t *testing.T) {
	t.Parallel()
	rounds := full(50, 4)
	b := install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
log: {access: false}
upstreams: {monolith: "%s"}
routes:
  - {path: /*, upstream: monolith}
`, named(t, "monolith")))
	var asked, closed atomic.Int64
	for round := range rounds {
		b.start()
		var clients sync.WaitGroup
		warm := make(chan struct{}, 48)
		for n := range 48 {
			k := &keeper{address: b.listen, path: "/", pause: time.Duration(n%8) * 3 * time.Millisecond}
			switch {
			case n >= 40:
				k.once = true
			case n >= 32:
				k.path = "/slow?wait=300ms"
			}
			clients.Go(func() {
				for {
					err := k.ask()
					if errors.Is(err, errGone) {
						break
					}
					if err != nil {
						t.Errorf("round %d, request %d of client %d: %v", round, k.asked, n, err)
						break
					}
					if k.asked == 1 {
						warm <- struct{}{}
					}
					time.Sleep(k.pause)
				}
				asked.Add(int64(k.asked))
				closed.Add(int64(k.closed))
			})
		}
		for range 48 {
			select {
			case <-warm:
			case <-time.After(10 * time.Second):
				t.Fatal("the load does not begin")
			}
		}
		b.signal(syscall.SIGTERM)
		clients.Wait()
		if code := b.cmd.ProcessState.ExitCode(); code != exitOK {
			t.Errorf("exit code %d:\n%s", code, b.stderr.String())
		}
	}
	t.Logf("%d ends under %d requests, %d of which were told to close", rounds, asked.Load(), closed.Load())
	if closed.Load() == 0 {
		t.Error("nobody was told to close")
	}
}

// TestUpgradedConnectionsGetTheDeadline: while the gateway drains it says that
// it is not ready, tells clients to close, and leaves upgraded connections
// alone until the deadline.
func TestUpgradedConnectionsGetTheDeadline(t *testing.T) {
	t.Parallel()
	g := start(t, fmt.Sprintf(anywhere+`
shutdown: {delay: 300ms, timeout: 1500ms}
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, serve(t, live())))
	echo, other := openEcho(t, g.url), openEcho(t, g.url)
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- g.stop(time.Minute) }()
	eventually(t, "the gateway is not ready", func() bool {
		return strings.Contains(fetch(g.admin+"/readyz"), "503 Service Unavailable")
	})
	k := &keeper{address: g.Addrs()[0].String(), path: "/"}
	if err := k.ask(); err != nil || k.closed != 1 {
		t.Errorf("a request during the delay: %v, told to close: %d", err, k.closed)
	}
	eventually(t, "the listener is closed", func() bool { return errors.Is((&keeper{address: k.address}).ask(), errGone) })
	if err := echo.say("still here"); err != nil {
		t.Error(err)
	}
	other.Close()
	if _, err := echo.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an upgraded connection ends with %v", err)
	}
	took := time.Since(began)
	if err := <-ended; err != nil || took < 1500*time.Millisecond || took > 5*time.Second {
		t.Errorf("ended after %v: %v", took, err)
	}
}

// TestTheLastUpgradedConnectionEndsTheWait: nobody waits for a deadline that
// nothing needs.
func TestTheLastUpgradedConnectionEndsTheWait(t *testing.T) {
	t.Parallel()
	g := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, serve(t, live())))
	echo := openEcho(t, g.url)
	ended := make(chan error, 1)
	go func() { ended <- g.stop(time.Minute) }()
	select {
	case err := <-ended:
		t.Fatalf("ended with an open connection: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := echo.say("bye"); err != nil {
		t.Error(err)
	}
	echo.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("still waiting")
	}
}

// TestRequestsThatNeverEndAreCutOffAtTheDeadline, and the process says so.
func TestRequestsThatNeverEndAreCutOffAtTheDeadline(t *testing.T) {
	t.Parallel()
	g := start(t, fmt.Sprintf(anywhere+`
shutdown: {timeout: 500ms}
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, serve(t, live())))
	events := openStream(t, g.url+"/stream")
	if err := events.read(2); err != nil {
		t.Fatal(err)
	}
	if err := g.stop(time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
	if err := events.read(1 << 20); err == nil {
		t.Error("the stream goes on")
	}
}
