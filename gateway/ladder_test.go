package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// rawUpstream accepts connections and gives each to serve.
func rawUpstream(t testing.TB, serve func(conn net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + serveRaw(t, ln, serve)
}

func serveRaw(t testing.TB, ln net.Listener, serve func(conn net.Conn)) string {
	var conns sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	conns.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			conns.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		conns.Wait()
	})
	return ln.Addr().String()
}

// silent reads what comes and says nothing.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// Each way in which an exchange fails has one status, and the answer says
// nothing about the inside.
func TestLadder(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	head := func(say string) func(net.Conn) {
		return func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, say)
			}
			if strings.HasSuffix(say, "...") {
				silent(conn)
			}
		}
	}
	for name, c := range map[string]struct {
		upstream string
		serve    func(net.Conn)
		config   []string
		say      string
		status   int
		kind     string
	}{
		"nobody listens":                 {upstream: "http://" + dead.Addr().String(), status: 502, kind: "connect"},
		"no such host":                   {upstream: "http://nowhere.invalid", status: 502, kind: "connect"},
		"no such socket":                 {upstream: "unix:/nowhere/at.sock", status: 502, kind: "connect"},
		"closed without an answer":       {serve: head(""), status: 502, kind: "reset"},
		"closed within the header":       {serve: head("HTTP/1.1 200 OK\r\nX-A: "), status: 502, kind: "reset"},
		"not HTTP":                       {serve: head("hello\r\n\r\n"), status: 502, kind: "malformed"},
		"header without a colon":         {serve: head("HTTP/1.1 200 OK\r\nX-A\r\n\r\n"), status: 502, kind: "malformed"},
		"two lengths":                    {serve: head("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), status: 502, kind: "malformed"},
		"unknown coding":                 {serve: head("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), status: 502, kind: "malformed"},
		"status below 100":               {serve: head("HTTP/1.1 099 What\r\n\r\n"), status: 502, kind: "malformed"},
		"endless header":                 {serve: head("HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 2<<20)), status: 502, kind: "malformed"},
		"TLS where there is none":        {serve: head("HTTP/1.1 200 OK\r\n\r\n"), config: []string{"tls: {insecure: true}"}, status: 502, kind: "connect"},
		"silent":                         {serve: silent, config: []string{"timeout: {response: 100ms}"}, status: 504, kind: "timeout"},
		"silent within the header":       {serve: head("HTTP/1.1 200 OK\r\nX-..."), config: []string{"timeout: {response: 100ms}"}, status: 504, kind: "timeout"},
		"silent after an interim answer": {serve: head("HTTP/1.1 102 Processing\r\n\r\n..."), config: []string{"timeout: {response: 100ms}"}, status: 504, kind: "timeout"},
		"silent, whole request":          {serve: silent, config: []string{"timeout: {request: 100ms}"}, status: 504, kind: "timeout"},
		"silent after a body":            {serve: silent, config: []string{"timeout: {response: 100ms}"}, say: ask("POST /", "Content-Length: 3") + "abc", status: 504, kind: "timeout"},
		"upstream does not read":         {serve: func(conn net.Conn) { time.Sleep(2 * time.Second) }, config: []string{"timeout: {idle: 200ms, response: 5s}"}, say: ask("POST /", "Content-Length: 30000000") + strings.Repeat("x", 30000000), status: 504, kind: "timeout"},
		"length over the limit":          {serve: head(plainAnswer), say: ask("POST /", "Content-Length: 2000") + strings.Repeat("x", 2000), status: 413, kind: "too_large"},
		"chunks over the limit":          {serve: silent, say: ask("POST /", "Transfer-Encoding: chunked") + "7d0\r\n" + strings.Repeat("x", 2000) + "\r\n0\r\n\r\n", status: 413, kind: "too_large"},
		"body that stops":                {serve: silent, say: ask("POST /", "Content-Length: 10") + "abc", status: 408, kind: "client_silent"},
		"chunks that stop":               {serve: silent, say: ask("POST /", "Transfer-Encoding: chunked") + "5\r\nab", status: 408, kind: "client_silent"},
		"chunks that are none":           {serve: silent, say: ask("POST /", "Transfer-Encoding: chunked") + "5\r\nabcdefgh", status: 400, kind: "bad_body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := c.upstream
			if url == "" {
				url = rawUpstream(t, c.serve)
			}
			if strings.HasPrefix(strings.Join(c.config, ""), "tls") {
				url = strings.Replace(url, "http:", "https:", 1)
			}
			limits := "limits: {body_silence: 300ms}\n"
			if name == "upstream does not read" {
				limits = "limits: {body_silence: 10s}\n"
			}
			if c.kind == "too_large" {
				limits = "limits: {body_bytes: 1000}\n"
			}
			g, journal := gatewayWithJournal(t, limits+before(url, c.config...))
			conn, err := net.Dial("tcp", listen(t, g, routes.Listener{}))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			say := c.say
			if say == "" {
				say = ask("GET /secret")
			}
			go func() { _, _ = io.WriteString(conn, say) }()
			br := bufio.NewReader(conn)
			res, err := http.ReadResponse(br, nil)
			if err == nil && res.StatusCode < 200 {
				res, err = http.ReadResponse(br, nil)
			}
			if err != nil {
				t.Fatalf("%v; logged %+v", err, journal.wait(t, 1))
			}
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != c.status || string(body) != http.StatusText(c.status)+"\n" {
				t.Errorf("%d %q, %v; want %d", res.StatusCode, body, err, c.status)
			}
			for name, values := range res.Header {
				switch name {
				case "Content-Type", "Content-Length", "X-Content-Type-Options", "Cache-Control", "Date", "Retry-After", "Connection":
				default:
					t.Errorf("the answer tells %s: %q", name, values)
				}
			}
			e := journal.wait(t, 1)[0]
			if e.Status != c.status || e.Err != c.kind {
				t.Errorf("logged %+v, want %s", e, c.kind)
			}
			unread := strings.Contains(say, "POST") && c.status != 504 && !strings.Contains(name, "length over")
			if unread && !res.Close {
				t.Error("the connection stays open with a body half read")
			}
		})
	}
}

// After an answer that came before its body was read, what is left of the
// body is never taken for a request.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	var paths sync.Map
	up := rawUpstream(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			paths.Store(r.URL.Path, true)
			_, _ = io.WriteString(conn, plainAnswer)
		}
	})
	g := gatewayOf(t, before(up))
	address := listen(t, g, routes.Listener{})
	smuggled := ask("GET /smuggled")
	for name, say := range map[string]string{
		"length": ask("POST /a", fmt.Sprintf("Content-Length: %d", 10+len(smuggled))) + "0123456789",
		"chunks": ask("POST /a", "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n0123456789", 10+len(smuggled)),
		"expect": ask("POST /a", "Expect: 100-continue", fmt.Sprintf("Content-Length: %d", len(smuggled))),
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, say)
		br := bufio.NewReader(conn)
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != "ok" || err != nil {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		time.Sleep(1500 * time.Millisecond) // longer than the rest is waited for
		_, _ = io.WriteString(conn, smuggled)
		if rest, _ := io.ReadAll(br); len(rest) > 0 {
			t.Errorf("%s: more was said: %q", name, rest)
		}
		conn.Close()
	}
	if _, there := paths.Load("/smuggled"); there {
		t.Error("a body became a request")
	}
}

func TestUnixSocketsOnBothSides(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.sock"), filepath.Join(dir, "out.sock")
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, " ", r.Header["X-Forwarded-For"])
	}))
	ln, err := net.Listen("unix", out)
	if err != nil {
		t.Fatal(err)
	}
	app.Listener.Close()
	app.Listener = ln
	app.Start()
	defer app.Close()
	g := gatewayOf(t, before("unix:"+out))
	public, err := net.Listen("unix", in)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, g, routes.Listener{Network: "unix", Address: in}, public)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", in)
	}}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://shop.example/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "shop.example []" {
		t.Errorf("%q", body)
	}
}

// Over HTTP/2 the rungs are the same.
func TestLadderOverHTTP2(t *testing.T) {
	release := make(chan struct{})
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/silent":
			<-release
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	app.Config.Protocols = new(http.Protocols)
	app.Config.Protocols.SetUnencryptedHTTP2(true)
	app.Start()
	defer app.Close()
	defer close(release)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	for _, c := range []struct {
		url, say string
		status   int
		kind     string
	}{
		{app.URL, ask("GET /abort"), 502, "reset"},
		{app.URL, ask("POST /abort", "Content-Length: 3") + "abc", 502, "reset"},
		{app.URL, ask("GET /silent"), 504, "timeout"},
		{app.URL, ask("POST /", "Content-Length: 3") + "a", 408, "client_silent"},
		{app.URL, ask("POST /", "Transfer-Encoding: chunked") + "5\r\nabcdefgh", 400, "bad_body"},
		{"http://" + dead.Addr().String(), ask("GET /"), 502, "connect"},
		{"https://" + dead.Addr().String(), ask("GET /"), 502, "connect"},
		{strings.Replace(app.URL, "http", "https", 1), ask("GET /"), 502, "connect"},
	} {
		g, journal := gatewayWithJournal(t, "limits: {body_silence: 300ms}\n"+before(c.url, "protocol: http2", "timeout: {response: 200ms}"))
		conn, err := net.Dial("tcp", listen(t, g, routes.Listener{}))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, c.say)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if e := journal.wait(t, 1)[0]; err != nil || res.StatusCode != c.status || e.Err != c.kind {
			t.Errorf("%.20q: %v, logged %+v; want %d %s", c.say, err, e, c.status, c.kind)
		}
		conn.Close()
	}
}

// When all connections that max_conns allows are busy, the client is told to
// come again.
func TestSaturatedUpstreamIs503(t *testing.T) {
	hold := make(chan struct{})
	app, requests := recorded(t, func(w http.ResponseWriter, r *http.Request) { <-hold })
	defer close(hold)
	g, journal := gatewayWithJournal(t, before(app, "max_conns: 1", "timeout: {connect: 100ms}"))
	url := "http://" + listen(t, g, routes.Listener{})
	go func() {
		if res, err := browser(t, "h1", nil).Get(url); err == nil {
			res.Body.Close()
		}
	}()
	<-requests
	res, err := browser(t, "h1", nil).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if e := journal.wait(t, 1)[0]; e.Err != "unavailable" {
		t.Errorf("%+v", e)
	}
}
