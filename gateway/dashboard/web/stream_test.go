package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A follower is what a browser keeps open: a stream of events.
type follower struct {
	t    testing.TB
	res  *http.Response
	read *bufio.Reader
}

// follow opens the stream of a page.
func (w *world) follow(page string) *follower {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.admin+"/live?"+page, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return &follower{w.t, res, bufio.NewReader(res.Body)}
}

// next returns the next event of the stream.
func (f *follower) next() (event, data string) {
	f.t.Helper()
	for {
		line, err := f.read.ReadString('\n')
		if err != nil {
			f.t.Fatalf("the stream ends: %v", err)
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case strings.HasPrefix(line, "event: "):
			event = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		case line == "" && event != "":
			return event, data
		}
	}
}

// until reads until a part says something.
func (f *follower) until(id, text string) {
	f.t.Helper()
	for {
		event, data := f.next()
		var part struct{ ID, HTML string }
		if event == "part" && json.Unmarshal([]byte(data), &part) == nil && part.ID == id && strings.Contains(part.HTML, text) {
			return
		}
	}
}

func TestAStreamSaysWhoSpeaksAndThenWhatChanges(t *testing.T) {
	w := busy(t)
	f := w.follow("page=migration&id=orders")
	if f.res.Header.Get("Content-Type") != "text/event-stream" || f.res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", f.res.Header)
	}
	if event, data := f.next(); event != "hello" || len(data) < 20 {
		t.Errorf("%s: %s", event, data)
	}
	f.until("head", "live=25% shadow=75%")
	w.shift("orders", "live=26%", "one more")
	f.until("head", "live=26% shadow=74%")
}

func TestStreamsOfNoPageAreRefused(t *testing.T) {
	w := busy(t)
	for page, want := range map[string]int{"": 404, "page=nothing": 404, "page=overview": 200, "page=frame": 200} {
		if f := w.follow(page); f.res.StatusCode != want {
			t.Errorf("%q: %d", page, f.res.StatusCode)
		}
	}
}

// A browser that does not read is let go of; it keeps nobody from anything.
func TestABrowserThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	w := busy(t)
	for range 5 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.admin, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(1)
		if _, err := conn.Write([]byte("GET /live?page=overview HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	f := w.follow("page=overview")
	for i := range 8 {
		why := "turn " + string(rune('a'+i))
		w.shift("orders", "live=25%", why)
		f.until("latest", why)
	}
	began := time.Now()
	w.visit("/api/orders/7", 100)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("100 requests took %v", took)
	}
}

// As many as are kept up to date, and one more, who is told to come later and
// has the page nevertheless.
func TestStreamsAreBounded(t *testing.T) {
	w := busy(t)
	for range 256 {
		if f := w.follow("page=overview"); f.res.StatusCode != http.StatusOK {
			t.Fatal(f.res.Status)
		}
	}
	f := w.follow("page=overview")
	if f.res.StatusCode != http.StatusServiceUnavailable || f.res.Header.Get("Retry-After") == "" {
		t.Errorf("%s", f.res.Status)
	}
	res, err := http.Get(w.admin + "/")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
}
