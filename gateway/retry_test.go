package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// A GET on a kept connection that turns out dead is sent again, and both
// sendings are counted.
func TestDeadKeptConnectionIsTriedAgain(t *testing.T) {
	var conns atomic.Int32
	up := rawUpstream(t, func(conn net.Conn) {
		first := conns.Add(1) == 1
		br := bufio.NewReader(conn)
		for i := 0; ; i++ {
			if _, err := http.ReadRequest(br); err != nil || first && i == 1 {
				return // without an answer
			}
			_, _ = io.WriteString(conn, plainAnswer)
		}
	})
	g, journal := gatewayWithJournal(t, before(up))
	url := "http://" + listen(t, g, routes.Listener{})
	for range 2 {
		if status, body := get(t, url); status != 200 || body != "ok" {
			t.Fatalf("%d %q", status, body)
		}
		for g.InFlight() > 0 { // the connection is kept once the request has ended
			time.Sleep(time.Millisecond)
		}
	}
	if e := journal.wait(t, 2); e[0].Attempts+e[1].Attempts != 3 { // the log has them in any order
		t.Errorf("%+v", e)
	}
}

// What may not be repeated is never sent twice, whatever breaks.
func TestPostIsNeverSentTwice(t *testing.T) {
	var posts, conns atomic.Int32
	up := rawUpstream(t, func(conn net.Conn) {
		n := conns.Add(1)
		br := bufio.NewReader(conn)
		for i := 0; ; i++ {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			if r.Method == "POST" {
				_, _ = io.Copy(io.Discard, r.Body)
				posts.Add(1)
				return // without an answer
			}
			_, _ = io.WriteString(conn, plainAnswer)
			_ = n
		}
	})
	g, journal := gatewayWithJournal(t, before(up))
	url := "http://" + listen(t, g, routes.Listener{})
	for i := range 20 {
		for range 3 {
			get(t, url)
		}
		var body io.Reader
		if i%2 == 0 {
			body = strings.NewReader("body")
		}
		res, err := browser(t, "h1", nil).Post(url, "", body)
		if err != nil {
			entries := journal.wait(t, 4*i+4)
			t.Fatalf("%v; logged %+v", err, entries[len(entries)-1])
		}
		res.Body.Close()
		if res.StatusCode != 502 {
			t.Errorf("%d", res.StatusCode)
		}
	}
	if n := posts.Load(); n != 20 {
		t.Errorf("20 POSTs arrived as %d", n)
	}
}

// An upstream that closes its connection after each answer, and does not say
// so, loses no POST.
func TestUnannouncedCloseLosesNoPost(t *testing.T) {
	up := rawUpstream(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(conn, plainAnswer)
	})
	url, _ := frontOf(t, up)
	client := browser(t, "h1", nil)
	for i := range 500 {
		res, err := client.Post(url, "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Fatalf("POST %d: %d", i, res.StatusCode)
		}
	}
}

// A second upstream is asked for what the first does not have, and only for that.
func TestElseIsAskedForWhatIsMissing(t *testing.T) {
	first, asked := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there" {
			w.Header().Set("X-First", "1")
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "first")
	})
	second, asked2 := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/nowhere" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "second")
	})
	g := gatewayOf(t, fmt.Sprintf("upstreams: {one: %q, two: %q}\nroutes:\n  - {path: /*, upstream: one, else: two}\n", first, second))
	url := "http://" + listen(t, g, routes.Listener{})
	for _, c := range []struct {
		method, path, body, want string
		status, seconds          int
	}{
		{"GET", "/there", "", "first", 200, 0},
		{"GET", "/moved", "", "second", 200, 1},
		{"GET", "/nowhere", "", "first", 404, 1},
		{"POST", "/moved", "", "first", 404, 0},
		{"GET", "/moved", "a body", "first", 404, 0},
	} {
		req, _ := http.NewRequest(c.method, url+c.path, strings.NewReader(c.body))
		res, err := browser(t, "h1", nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != c.want || res.StatusCode != c.status || len(asked2) != c.seconds {
			t.Errorf("%s %s: %d %q, the second was asked %d times", c.method, c.path, res.StatusCode, body, len(asked2))
		}
		for len(asked)+len(asked2) > 0 {
			select {
			case <-asked:
			case <-asked2:
			}
		}
	}
}
