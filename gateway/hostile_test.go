package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/ficus-gateway/ficus/routes"
)

// HTTP/2 has no request line, so net/http takes a :path that would break one.
func TestARequestLineCanNotBeSmuggledOverHTTP2(t *testing.T) {
	var asked atomic.Int64
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	defer app.Close()
	g := gatewayOf(t, before(app.URL))
	address := listen(t, g, routes.Listener{H2C: true})
	for name, field := range map[string][2]string{
		"a second version in the path": {":path", "/admin HTTP/1.1 "},
		"a tab in the path":            {":path", "/a\tb"},
		"a space in the host":          {":authority", "shop evil"},
	} {
		t.Run(name, func(t *testing.T) {
			fields := map[string]string{":method": "GET", ":scheme": "http", ":authority": "shop", ":path": "/"}
			fields[field[0]] = field[1]
			if status := rawH2(t, address, fields); status != "400" && status != "" {
				t.Errorf("status %s, want 400 or the end of the stream", status)
			}
		})
	}
	if asked.Load() != 0 {
		t.Errorf("the upstream was asked %d times", asked.Load())
	}
}

// rawH2 sends one request of any fields over h2c and returns the status of
// the answer, empty if the stream or the connection was ended.
func rawH2(t *testing.T, address string, fields map[string]string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	for _, name := range []string{":method", ":scheme", ":authority", ":path"} {
		_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: fields[name]})
	}
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true, EndStream: true})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return ""
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return ""
		}
	}
}

// The last byte of an answer may come long after the one before it.
func TestAnAnswerMayPauseBeforeItsEnd(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "event")
		w.(http.Flusher).Flush()
		time.Sleep(600 * time.Millisecond)
		w.Header().Set("X-Sum", "5")
	}))
	defer app.Close()
	g := gatewayOf(t, "limits: {body_silence: 200ms}\n"+before(app.URL))
	res, err := http.Get("http://" + listen(t, g, routes.Listener{}))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || string(text) != "event" || res.Trailer.Get("X-Sum") != "5" {
		t.Errorf("%q, trailer %v (%v)", text, res.Trailer, err)
	}
}

// An HTTP/2 upstream that takes nothing of a body ends with the idle timeout,
// as one of HTTP/1.1 does.
func TestAnUploadThatNobodyTakesEnds(t *testing.T) {
	release := make(chan struct{})
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release }))
	app.Config.Protocols = new(http.Protocols)
	app.Config.Protocols.SetUnencryptedHTTP2(true)
	app.Start()
	defer app.Close()
	defer close(release)
	g := gatewayOf(t, before(app.URL, "protocol: http2", "timeout: {response: 300ms, idle: 300ms}"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+listen(t, g, routes.Listener{}), strings.NewReader(strings.Repeat("x", 8<<20)))
	start := time.Now()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d after %v, want 504", res.StatusCode, time.Since(start))
	}
}

// A connection whose request failed upstream goes on, or is said to end.
func TestAFailedUploadLeavesNoTrapBehind(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, "ok")
			return
		}
		_, _ = io.CopyN(io.Discard, r.Body, 100)
		c, _, _ := w.(http.Hijacker).Hijack()
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}))
	defer app.Close()
	g := gatewayOf(t, before(app.URL))
	url := "http://" + listen(t, g, routes.Listener{})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for range 300 {
		if res, err := client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 20_000))); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		res, err := client.Get(url)
		if err != nil {
			t.Fatalf("the request after a failed upload: %v", err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

// A client that never closes does not keep a tunnel that its upstream has left.
func TestATunnelDoesNotOutliveItsUpstream(t *testing.T) {
	before := halfClosed
	halfClosed = 100 * time.Millisecond
	defer func() { halfClosed = before }()
	app, _ := recorded(t, func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n")
		_ = rw.Flush()
		c.Close()
	})
	url, g := frontOf(t, app)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, ask("GET /", "Connection: upgrade", "Upgrade: test"))
	if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "101") {
		t.Fatalf("%q", line)
	}
	for deadline := time.Now().Add(5 * time.Second); g.tunnels.count() != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the tunnel stays open")
		}
	}
}
