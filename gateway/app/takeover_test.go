package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// everyKind is a config with every kind of listener; $LISTEN is the first.
const everyKind = `
listen:
  - $LISTEN
  - {address: $TLS, tls: {cert: $DIR/shop.pem, key: $DIR/shop.key}}
  - {address: $PROXY, proxy_protocol: [127.0.0.1]}
  - {address: "unix:$DIR/public.sock"}
admin: {address: $ADMIN, socket: $DIR/ficus.sock, tls: {cert: $DIR/shop.pem, key: $DIR/shop.key}}
log: {access: false}
shutdown: {delay: 300ms, timeout: 3s}
upstreams: {monolith: "%[1]s", service: "%[1]s"}
migrations:
  a: {from: monolith, to: service, key: url}
  b: {from: monolith, to: service, key: url}
routes:
  - {path: /a, migration: a}
  - {path: /b, migration: b}
  - {path: /*, upstream: monolith}
`

// A yard is a relay with listeners of every kind.
type yard struct {
	*relay
	secure, admin string // addresses of those with TLS
	dials         []func() (net.Conn, error)
}

func newYard(t *testing.T, monolith string) *yard {
	t.Helper()
	var free [3]string
	for i := range free {
		var err error
		if free[i], err = freePort(); err != nil {
			t.Fatal(err)
		}
	}
	config := strings.NewReplacer("$TLS", free[0], "$PROXY", free[1], "$ADMIN", free[2]).Replace(everyKind)
	y := &yard{relay: newRelay(install(t, fmt.Sprintf(config, monolith))), secure: free[0], admin: free[2]}
	writeCertificate(t, y.dir, "shop", "localhost")
	y.dials = []func() (net.Conn, error){
		func() (net.Conn, error) { return net.Dial("tcp", y.listen) },
		func() (net.Conn, error) { return tls.Dial("tcp", y.secure, insecure.Clone()) },
		func() (net.Conn, error) {
			c, err := net.Dial("tcp", free[1])
			if err == nil {
				_, err = fmt.Fprintf(c, "PROXY TCP4 192.0.2.7 192.0.2.8 4711 443\r\n")
			}
			return c, err
		},
		func() (net.Conn, error) { return net.Dial("unix", filepath.Join(y.dir, "public.sock")) },
	}
	return y
}

// A throng asks without end, and reports every failure.
type throng struct {
	stop    atomic.Bool
	asked   atomic.Int64
	shifted atomic.Int64
	clients sync.WaitGroup
	shifts  []*witness
}

// disperse ends the throng.
func (c *throng) disperse() {
	c.stop.Store(true)
	c.clients.Wait()
}

// ask sends requests over 64 connections to listeners of all kinds, kept ones
// and new ones, quick and slow, and over one with HTTP/2.
func (c *throng) ask(t *testing.T, y *yard) {
	for n := range 64 {
		k := &keeper{dial: y.dials[n%len(y.dials)], path: "/", pause: time.Duration(n/4%8) * 3 * time.Millisecond, once: n >= 48}
		if n >= 32 && n < 40 {
			k.path = "/slow?wait=300ms"
		}
		c.clients.Go(func() {
			for !c.stop.Load() {
				if err := k.ask(); err != nil {
					t.Errorf("request %d of client %d: %v", k.asked, n, err)
					return
				}
				c.asked.Add(1)
				time.Sleep(k.pause)
			}
		})
	}
	h2 := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}}
	for range 4 {
		c.clients.Go(func() {
			for !c.stop.Load() {
				if text, err := read(h2, "https://"+y.secure+"/h2"); err != nil || !strings.Contains(text, "/h2") {
					t.Errorf("by HTTP/2: %q, %v", text, err)
					return
				}
				c.asked.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	https := browser(t)
	https.Transport.(*http.Transport).TLSClientConfig = insecure.Clone()
	c.clients.Go(func() {
		for !c.stop.Load() {
			if text, err := read(https, "https://"+y.admin+"/readyz"); err != nil || !strings.Contains(text, `"ready": true`) {
				t.Errorf("the admin listener with TLS: %q, %v", text, err)
				return
			}
			time.Sleep(3 * time.Millisecond)
		}
	})
}

// shift has two people shift, each a migration of their own.
func (c *throng) shift(t *testing.T, y *yard) {
	for _, id := range []string{"a", "b"} {
		cl := y.client()
		m, err := cl.Migration(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		w := &witness{migration: id, last: m, kept: make(map[uint64]string)}
		c.shifts = append(c.shifts, w)
		c.clients.Go(func() {
			defer cl.Close()
			for n := 0; !c.stop.Load(); n++ {
				reason := fmt.Sprintf("%s %d", id, n)
				share := migrations.Share{Stage: migrations.Live, Buckets: n % migrations.Buckets}
				done, err := cl.Shift(t.Context(), id, []migrations.Share{share}, reason, w.last.Seq)
				if err != nil {
					t.Errorf("shift %d of %s: %v", n, id, err)
					return
				}
				w.last, w.kept[done.Seq] = done.Migration, reason
				c.shifted.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

// TestTakeoversUnderLoad has one process after the other take over, by every
// way there is, while 64 connections ask over listeners of every kind, and two
// people shift. No request fails, nobody is refused, no shift fails or is lost,
// and a WebSocket stays where it is until the old process must end.
func TestTakeoversUnderLoad(t *testing.T) {
	rounds := full(50, 5)
	y := newYard(t, serve(t, live()))
	now := y.run()
	var c throng
	c.ask(t, y)
	c.shift(t, y)
	defer c.disperse()

	var olds []*turn
	var longest time.Duration
	for round := range rounds {
		echo := openEcho(t, "http://"+y.listen)
		defer echo.Close()
		from, began := len(y.said(0)), time.Now()
		olds = append(olds, now)
		switch {
		case round%3 == 0 || round == rounds-1:
			now = y.run("--takeover")
		case round%3 == 1:
			now = y.upgrade()
		default:
			now = y.usr2(now)
		}
		y.says(from, takenOver)
		longest = max(longest, time.Since(began))
		if err := echo.say("still here"); err != nil {
			t.Errorf("round %d: a WebSocket: %v", round, err)
		}
		if round == 0 { // to its end
			if _, err := echo.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the WebSocket ends with %v", err)
			} else if lived := time.Since(began); lived < 3*time.Second {
				t.Errorf("the WebSocket was closed after %v", lived)
			}
		}
		time.Sleep(200 * time.Millisecond)
		if t.Failed() {
			t.Fatalf("round %d:\n%s", round, y.said(from))
		}
	}
	c.disperse()
	for i, old := range olds {
		if code := old.end(); code != exitOK {
			t.Errorf("process %d ended with exit code %d", i, code)
		}
	}
	cl := y.client()
	compareWithLog(t, cl, c.shifts)
	cl.Close()
	now.signal(syscall.SIGTERM)
	if code := now.end(); code != exitOK {
		t.Errorf("the last one ended with exit code %d", code)
	}
	for _, name := range []string{"public.sock", "ficus.sock", takeoverFile} {
		if _, err := os.Lstat(filepath.Join(y.dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("left behind: %s, %v", name, err)
		}
	}
	if t.Failed() {
		t.Logf("%s", y.said(0))
	}
	var waited time.Duration
	waits := regexp.MustCompile(`"changes_waited":"([^"]+)"`).FindAllStringSubmatch(y.said(0), -1)
	for _, m := range waits {
		d, err := time.ParseDuration(m[1])
		if err != nil {
			t.Error(err)
		}
		waited = max(waited, d)
	}
	if len(waits) != rounds {
		t.Errorf("%d takeovers say how long changes waited", len(waits))
	}
	t.Logf("%d takeovers, the longest in %v, with changes waiting for %v at most, under %d requests and %d shifts", rounds, longest, waited, c.asked.Load(), c.shifted.Load())
}
