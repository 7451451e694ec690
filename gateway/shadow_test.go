package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/routes"
)

// comparingConfig is the config of a migration that is compared; more is what
// the migration says beside it.
func comparingConfig(legacy, modern string, more ...string) string {
	return fmt.Sprintf(`
upstreams:
  monolith: %s
  orders: {url: %s, acknowledge: {path: /rehearsal, secret: "0123456789abcdef"}}
migrations:
  orders:
    from: monolith
    to: orders
    key: [header:X-User]
    %s
routes:
  - {path: /api/orders/*, migration: orders, repeatable: true}
  - {path: /locks/*, migration: orders}
  - {path: /*, upstream: monolith}
`, legacy, modern, strings.Join(more, "\n    "))
}

// comparing makes a gateway whose migration orders stands at a stage for all,
// with a shadow of the given bounds, and returns its URL.
func comparing(t testing.TB, legacy, modern string, stage migrations.Stage, o shadow.Options, more ...string) (string, *shadow.Shadow) {
	t.Helper()
	g, s := comparingGateway(t, comparingConfig(legacy, modern, more...), stage, o)
	return "http://" + listen(t, g, routes.Listener{}), s
}

func comparingGateway(t testing.TB, config string, stage migrations.Stage, o shadow.Options) (*Gateway, *shadow.Shadow) {
	t.Helper()
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := shadow.New(o)
	state := migrations.State{Seq: 1, Migrations: map[string]migrations.Migration{
		"orders": {ID: "orders", From: "monolith", To: "orders", Seq: 1, Split: migrations.All(stage)},
	}}
	g, err := New(Options{Table: tableOf(t, config), State: state, Assigner: assigner, Shadow: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close()
		g.Close(ctx)
		assigner.Close()
	})
	return g, s
}

// settled waits until nothing is pending, and holds law 8.
func settled(t testing.TB, s *shadow.Shadow) shadow.Counts {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		c := s.Find("orders").Counts()
		if c.Pending == 0 {
			var sum uint64
			for _, n := range c.Outcomes {
				sum += n
			}
			if sum != c.Sampled {
				t.Errorf("the outcomes add up to %d, sampled are %d: %+v", sum, c.Sampled, c)
			}
			var dropped uint64
			for _, n := range c.Dropped {
				dropped += n
			}
			if dropped != c.Outcomes[compare.Dropped] {
				t.Errorf("the reasons add up to %d, dropped are %d", dropped, c.Outcomes[compare.Dropped])
			}
			return c
		}
		if time.Now().After(deadline) {
			t.Fatalf("still pending: %+v", c)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// order answers like a small API; more is put into the body.
func order(more string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q,"method":%q,"sent":%d,"total":12.50%s}`, r.URL.Path, r.Method, len(body), more)
	}
}

func request(t testing.TB, method, url string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-User", "alice")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestShadowComparesBothDirections(t *testing.T) {
	for _, stage := range []migrations.Stage{migrations.Shadow, migrations.Live} {
		t.Run(string(stage), func(t *testing.T) {
			var marked atomic.Int64
			count := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Ficus-Shadow") == "1" {
						marked.Add(1)
					}
					next.ServeHTTP(w, r)
				})
			}
			same := httptest.NewServer(count(order("")))
			defer same.Close()
			other := httptest.NewServer(count(order("")))
			defer other.Close()
			url, s := comparing(t, same.URL, other.URL, stage, shadow.Options{})
			for i := range 50 {
				request(t, "GET", url+"/api/orders/"+strconv.Itoa(i), nil, "Ficus-Shadow", "1")
			}
			c := settled(t, s)
			if c.Sampled != 50 || c.Outcomes[compare.Match] != 50 {
				t.Errorf("counts are %+v, want 50 matches", c)
			}
			if want := int64(50 + c.Probes); marked.Load() != want {
				t.Errorf("%d marked requests, want %d: the users' own are stripped of the mark", marked.Load(), want)
			}
		})
	}
}

func TestShadowFindsAPlantedBug(t *testing.T) {
	legacy := httptest.NewServer(order(`,"status":"paid"`))
	defer legacy.Close()
	modern := httptest.NewServer(order(`,"status":"open"`))
	defer modern.Close()
	for stage, control := range map[migrations.Stage]migrations.Side{migrations.Shadow: migrations.Legacy, migrations.Live: migrations.Modern} {
		t.Run(string(stage), func(t *testing.T) {
			url, s := comparing(t, legacy.URL, modern.URL, stage, shadow.Options{}, "compare: {keep: $.status}")
			for i := range 100 {
				request(t, "GET", url+"/api/orders/"+strconv.Itoa(i), nil)
			}
			c := settled(t, s)
			if c.Outcomes[compare.Mismatch] != 100 {
				t.Errorf("counts are %+v, want 100 mismatches", c)
			}
			s.Find("orders").View(func(study *compare.Study) {
				real := study.Findings.Real(time.Now())
				if len(real) != 1 || real[0].Signs[0].Path != "$.status" || real[0].Endpoint != "GET /api/orders/{id}" {
					t.Fatalf("findings are %+v, want $.status of GET /api/orders/{id}", real)
				}
				e := real[0].Smallest
				if e.Control != string(control) {
					t.Errorf("the example says that %q was the control, and it was %q", e.Control, control)
				}
				said := map[migrations.Side]string{migrations.Legacy: "paid", migrations.Modern: "open"}
				for _, d := range e.Differences {
					if !strings.Contains(d.Control.Text, said[control]) {
						t.Errorf("the control's value is %+v, want %s", d.Control, said[control])
					}
				}
			})
		})
	}
}

func TestShadowNeverSees(t *testing.T) {
	var shadows atomic.Int64
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/orders/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		if r.Header.Get("Range") != "" {
			w.WriteHeader(http.StatusPartialContent)
		}
		fmt.Fprint(w, "x")
	}))
	defer legacy.Close()
	modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { shadows.Add(1) }))
	defer modern.Close()
	url, s := comparing(t, legacy.URL, modern.URL, migrations.Shadow, shadow.Options{})
	request(t, "GET", url+"/api/orders/1", nil, "Range", "bytes=0-1")
	request(t, "GET", url+"/api/orders/1", nil, "If-None-Match", `"x"`)
	request(t, "GET", url+"/api/orders/1", nil, "Accept", "text/event-stream")
	request(t, "POST", url+"/api/orders/1", strings.NewReader("x"))
	request(t, "GET", url+"/elsewhere", nil)
	if c := settled(t, s); c.Sampled != 0 {
		t.Errorf("sampled %d, want none", c.Sampled)
	}
	request(t, "GET", url+"/api/orders/stream", nil) // discovered late
	if c := settled(t, s); c.Dropped[shadow.Stream] != 1 {
		t.Errorf("counts are %+v, want one dropped as a stream", c)
	}
	if shadows.Load() != 0 {
		t.Errorf("the service was asked %d times", shadows.Load())
	}
}

// wild are candidates that behave as badly as they can.
var wild = map[string]http.HandlerFunc{
	"hangs": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"drips": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range 600 {
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
	},
	"floods": func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte("flood "), 10_000)
		for range 1 << 30 / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	},
	"resets": func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	},
	"talks garbage": func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = c.Write([]byte("\x00\x01 this is not HTTP \r\n\r\n"))
			c.Close()
		}
	},
	"fails": func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
}

// A candidate may do what it wants: the users' answers are the same bytes, no
// request waits for it, memory stays within the budget, and every observation
// is accounted for (laws 7 and 8).
func TestShadowNeverTouchesTheUser(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 2048) // 32 KiB
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body)
	}))
	defer legacy.Close()
	bad := make(map[string]string)
	for name, handler := range wild {
		server := httptest.NewServer(handler)
		defer server.Close()
		defer server.CloseClientConnections()
		bad[name] = server.URL
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad["refuses"] = "http://" + closed.Addr().String()
	closed.Close()
	for name, modern := range bad {
		t.Run(name, func(t *testing.T) {
			const budget, perUpstream = 4 << 20, 4
			url, s := comparing(t, legacy.URL, modern, migrations.Shadow,
				shadow.Options{Budget: budget, PerUpstream: perUpstream, Waiting: 32}, "compare: {timeout: 150ms}")
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			load := func(path string) {
				var wait sync.WaitGroup
				for range 64 {
					wait.Go(func() {
						for i := range 8 {
							r, _ := http.NewRequest("GET", url+path+strconv.Itoa(i), nil)
							r.Header.Set("X-User", "u"+strconv.Itoa(i))
							res, err := client.Do(r)
							if err != nil {
								t.Errorf("a user's request failed: %v", err)
								return
							}
							got, err := io.ReadAll(res.Body)
							res.Body.Close()
							if err != nil || res.StatusCode != 200 || !bytes.Equal(got, body) {
								t.Errorf("a user got status %d and %d bytes (%v)", res.StatusCode, len(got), err)
								return
							}
						}
					})
				}
				wait.Wait()
			}
			without := peaksOf(func() { load("/plain/") })
			var c shadow.Counts
			with := peaksOf(func() {
				load("/api/orders/")
				c = settled(t, s)
			})
			if c.Sampled != 64*8 {
				t.Errorf("sampled %d, want all %d", c.Sampled, 64*8)
			}
			if c.Outcomes[compare.Match] > 0 && name != "fails" {
				t.Errorf("%d matches with a candidate that %s", c.Outcomes[compare.Match], name)
			}
			if peak := s.Budget().Peak(); peak > budget {
				t.Errorf("copies took %d bytes, the budget is %d", peak, budget)
			}
			if used := s.Budget().Used(); used != 0 {
				t.Errorf("%d bytes were not given back", used)
			}
			// A worker for each question, and what this test has at both ends of its connection.
			if limit := without.goroutines + 64 + perUpstream*6; with.goroutines > limit {
				t.Errorf("%d goroutines, %d without the shadow", with.goroutines, without.goroutines)
			}
			// What is compared takes memory beside the copies, and the flood comes out of a buffer of this test.
			if limit := without.bytes + budget + 4<<20; with.bytes > limit {
				t.Errorf("%d bytes are alive, %d without the shadow", with.bytes, without.bytes)
			}
		})
	}
}

// peaks are the most of what a program has needed.
type peaks struct {
	goroutines int
	bytes      uint64 // alive, of the heap
}

// peaksOf looks at the program again and again while f runs.
func peaksOf(f func()) (p peaks) {
	look := func() {
		p.goroutines = max(p.goroutines, runtime.NumGoroutine())
		runtime.GC()
		live := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live[:])
		p.bytes = max(p.bytes, live[0].Value.Uint64())
	}
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			look()
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return p
}
