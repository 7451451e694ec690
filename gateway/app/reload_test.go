package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A stream is an answer without an end, whose events are numbered.
type stream struct {
	lines *bufio.Scanner
	next  int
}

func openStream(t *testing.T, url string) *stream {
	t.Helper()
	tr := &http.Transport{}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); tr.CloseIdleConnections() })
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return &stream{lines: bufio.NewScanner(res.Body)}
}

// read reads some events, none of which may be missing.
func (s *stream) read(events int) error {
	for seen := 0; seen < events; {
		if !s.lines.Scan() {
			return fmt.Errorf("the stream ended after event %d: %v", s.next-1, s.lines.Err())
		}
		if s.lines.Text() == "" {
			continue
		}
		if want := fmt.Sprintf("id: %d", s.next); s.lines.Text() != want {
			return fmt.Errorf("got %q, want %q", s.lines.Text(), want)
		}
		s.next++
		seen++
	}
	return nil
}

// An echo is an upgraded connection.
type echo struct {
	net.Conn
	in *bufio.Reader
}

func openEcho(t *testing.T, url string) *echo {
	t.Helper()
	c := dial(t, url)
	fmt.Fprintf(c, "GET /echo HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	return &echo{c, in}
}

func (e *echo) say(text string) error {
	_ = e.SetDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintln(e, text); err != nil {
		return err
	}
	line, err := e.in.ReadString('\n')
	if err == nil && line != text+"\n" {
		err = fmt.Errorf("the echo of %q is %q", text, line)
	}
	return err
}

// TestEditsAndShiftsUnderLoad edits the config file and shifts by the admin
// API while 64 connections ask: none may notice. Streams and upgraded
// connections that were open before stay open.
func TestEditsAndShiftsUnderLoad(t *testing.T) {
	t.Parallel()
	edits, shifts := full(1000, 24), full(200, 10)
	monolith, orders := serve(t, live()), named(t, "orders")
	config := func(n int) string {
		return fmt.Sprintf(anywhere+`
upstreams: {monolith: "%s", orders: {url: "%s", timeout: {response: %ds}}}
migrations:
  orders: {from: monolith, to: orders, key: "header:X-User"}
routes:
  - {path: /orders/*, migration: orders, response: {set: {X-Edit: "%d"}}}
  - {path: /*, upstream: monolith}
`, monolith, orders, 30+n%7, n)
	}
	g := start(t, config(0))
	events, echo := openStream(t, g.url+"/stream"), openEcho(t, g.url)

	var stop atomic.Bool
	var asked, moved atomic.Int64
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop.Store(true)
	for c := range 64 {
		browser := browser(t)
		clients.Go(func() {
			for n := 0; !stop.Load(); n++ {
				r, _ := http.NewRequest(http.MethodGet, g.url+"/orders/7", nil)
				r.Header.Set("X-User", fmt.Sprint(c, n))
				res, err := browser.Do(r)
				if err != nil {
					t.Errorf("request %d of client %d: %v", n, c, err)
					return
				}
				text, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("request %d of client %d: %s: %s, %v", n, c, res.Status, text, err)
					return
				}
				asked.Add(1)
				if strings.HasPrefix(string(text), "orders ") {
					moved.Add(1)
				}
			}
		})
	}
	var changes sync.WaitGroup
	changes.Go(func() {
		var seq uint64
		for n := range shifts {
			share := migrations.Share{Stage: migrations.Live, Buckets: []int{5_000, 50_000, 100_000, 0}[n%4]}
			if seq == 0 {
				m, err := g.client.Migration(t.Context(), "orders")
				if err != nil {
					t.Error(err)
					return
				}
				seq = m.Seq
			}
			done, err := g.client.Shift(t.Context(), "orders", []migrations.Share{share}, "under load", seq)
			if err != nil {
				t.Error(err)
				return
			}
			seq = done.Seq
			time.Sleep(50 * time.Millisecond)
		}
	})
	// Some edits are found by the watch, some are asked for.
	for n := range edits {
		before := g.Gateway().Snapshot().Table.Hash
		g.edit(config(n + 1))
		if n%2 == 0 {
			if _, err := g.client.Reload(t.Context()); err != nil {
				t.Error(err)
			}
		}
		eventually(t, "the edit is live", func() bool { return g.Gateway().Snapshot().Table.Hash != before })
		if err := events.read(1); err != nil {
			t.Fatal(err)
		}
		if err := echo.say(fmt.Sprint("edit ", n)); err != nil {
			t.Fatal(err)
		}
	}
	changes.Wait()
	stop.Store(true)
	clients.Wait()
	if err := events.read(3); err != nil {
		t.Error(err)
	}
	if err := echo.say("still here"); err != nil {
		t.Error(err)
	}
	if moved.Load() == 0 {
		t.Error("nobody was moved")
	}
	t.Logf("%d edits and %d shifts under %d requests, %d of them on the service; %d events of the stream", edits, shifts, asked.Load(), moved.Load(), events.next)
}

// TestStreamsOutliveTheRouteTheyCameBy: what is open stays where it is, even
// if its route goes elsewhere, its upstream changes, or its migration moves.
func TestStreamsOutliveTheRouteTheyCameBy(t *testing.T) {
	t.Parallel()
	old, other := serve(t, live()), named(t, "orders")
	config := anywhere + `
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  live: {from: monolith, to: orders, key: url}
routes:
  - {path: %s, migration: live}
  - {path: /*, upstream: monolith}
`
	g := start(t, fmt.Sprintf(config, old, other, "/live/*")+"  - {path: /stream, migration: live}\n")
	events, echo := openStream(t, g.url+"/stream"), openEcho(t, g.url)
	m, err := g.client.Migration(t.Context(), "live")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.client.Shift(t.Context(), "live", []migrations.Share{{Stage: migrations.Complete, Buckets: migrations.Buckets}}, "gone", m.Seq); err != nil {
		t.Fatal(err)
	}
	if text, err := read(browser(t), g.url+"/stream"); err != nil || !strings.HasPrefix(text, "orders ") {
		t.Fatalf("a new request gets %q, %v", text, err)
	}
	for n := range 20 {
		g.edit(fmt.Sprintf(config, old+fmt.Sprintf(`", nothing%d: "`, n)+other, other, "/live/*"))
		if _, err := g.client.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := events.read(2); err != nil {
			t.Fatalf("reload %d: %v", n, err)
		}
		if err := echo.say(fmt.Sprint("reload ", n)); err != nil {
			t.Fatalf("reload %d: %v", n, err)
		}
	}
	g.edit(fmt.Sprintf(config, other, other, "/live/*")) // the monolith is another one
	if _, err := g.client.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, err := read(browser(t), g.url+"/"); err != nil || !strings.HasPrefix(text, "orders ") {
		t.Fatalf("a new request gets %q, %v", text, err)
	}
	if err := events.read(5); err != nil {
		t.Error(err)
	}
	if err := echo.say("still here"); err != nil {
		t.Error(err)
	}
}
