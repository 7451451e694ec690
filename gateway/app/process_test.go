package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/routes"
)

// A running is a gateway in this process, with all that it writes.
type running struct {
	*Process
	t       testing.TB
	config  string // path of its config file
	url     string // of its first listener
	admin   string // URL of its admin listener
	client  *client.Client
	access  buffer
	log     buffer
	stopped bool
}

// A buffer is written by one goroutine and read by another.
type buffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// anywhere begins a config that listens on free ports and keeps its state
// beside the config.
const anywhere = `
listen: 127.0.0.1:0
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
`

// start runs a gateway by a config, in which $DIR is the config's directory.
func start(t testing.TB, config string) *running {
	t.Helper()
	r, err := tryStart(t, t.TempDir(), config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryStart(t testing.TB, dir, config string) (*running, error) {
	t.Helper()
	r := &running{t: t, config: filepath.Join(dir, "ficus.yaml")}
	r.edit(config)
	var err error
	r.Process, err = Start(t.Context(), Config{
		Path: r.config, Load: func() (*routes.Table, error) { return routes.Load(r.config) },
		Access: &r.access, Certs: 10 * time.Millisecond, Logger: slog.New(slog.NewJSONHandler(&r.log, nil)),
	})
	if err != nil {
		return nil, err
	}
	r.url, r.admin = "http://"+r.Addrs()[0].String(), "http://"+r.AdminAddrs()[0].String()
	if r.client, err = client.New(r.admin, r.Token(), "ada"); err != nil {
		return nil, err
	}
	t.Cleanup(func() { r.stop(0) })
	return r, nil
}

// stop ends the gateway, which has so long for what is under way.
func (r *running) stop(patience time.Duration) error {
	if r.stopped {
		return nil
	}
	r.stopped = true
	defer r.client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.Shutdown(ctx)
}

// edit writes the config as an editor does: beside it, and renames.
func (r *running) edit(config string) {
	r.t.Helper()
	config = strings.ReplaceAll(config, "$DIR", filepath.Dir(r.config))
	if err := os.WriteFile(r.config+"~", []byte(config), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.config+"~", r.config); err != nil {
		r.t.Fatal(err)
	}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// serve runs an application on a free port and returns its URL.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// named is an application that answers with its name.
func named(t testing.TB, name string) string { return serve(t, application(name)) }

// browser is a client with connections of its own.
func browser(t testing.TB) *http.Client {
	tr := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

// read asks for a URL and returns the body of an answer that is 200.
func read(c *http.Client, url string) (string, error) {
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return string(text), err
}

// live is an application with an endless stream at /stream, and at /echo a
// protocol that returns what it is sent.
func live() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := 0; r.Context().Err() == nil; n++ {
			fmt.Fprintf(w, "id: %d\n\n", n)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	})
	mux.Handle("/", application("monolith"))
	return mux
}

// dial opens a connection to a gateway.
func dial(t testing.TB, url string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
