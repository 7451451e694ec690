package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// prometheusOf starts a real Prometheus that scrapes some addresses every
// second, and returns its URL. It ends with the test.
func prometheusOf(t *testing.T, targets ...string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("there is no prometheus here; .ci/setup installs it")
	}
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: shop, static_configs: [{targets: [%s]}]}]\n", strings.Join(targets, ", "))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the port may be taken before it gets it
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := ln.Addr().String()
		ln.Close()
		p := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
		var said safeText
		p.Stderr = &said
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func() { _ = p.Wait(); close(gone) }()
		t.Cleanup(func() { _ = p.Process.Kill(); <-gone })
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			select {
			case <-gone:
			default:
				if _, err := read(http.DefaultClient, "http://"+address+"/-/ready"); err != nil {
					continue
				}
				return "http://" + address
			}
			break
		}
		t.Logf("prometheus: %s", said.String())
	}
	t.Fatal("prometheus does not start")
	return ""
}

// A safeText is what a process says.
type safeText struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *safeText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A counters is an application that counts by the side that Ficus-Side says.
type counters struct{ orders, lost [2]atomic.Int64 }

func (s *counters) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for side := range s.orders {
		fmt.Fprintf(w, "orders_total{ficus_side=%q} %d\n", evidence.Side(side), s.orders[side].Load())
		if n := s.lost[side].Load(); n > 0 { // as many libraries do, it has no counter of what has never happened
			fmt.Fprintf(w, "orders_lost_total{ficus_side=%q} %d\n", evidence.Side(side), n)
		}
	}
	fmt.Fprintf(w, "orders_total{ficus_side=%q} 999\n", "outside")
}

// within waits as long as a Prometheus on a busy machine may take.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// TestARealPrometheus asks one about counters that grow, begin again, and go.
func TestARealPrometheus(t *testing.T) {
	var s counters
	target := httptest.NewServer(&s)
	defer target.Close()
	url := prometheusOf(t, target.Listener.Addr().String())
	q := newPromQL()
	defer q.client.CloseIdleConnections()
	at := func(query string) float64 {
		found, err := q.ask(t.Context(), &migrations.Prometheus{URL: url}, query, time.Now())
		if err != nil || len(found) != 1 {
			return -1
		}
		return found[0].value
	}
	set := func(legacy, modern, lostLegacy, lostModern int64) time.Time {
		s.orders[0].Store(legacy)
		s.orders[1].Store(modern)
		s.lost[0].Store(lostLegacy)
		s.lost[1].Store(lostModern)
		for query, want := range map[string]int64{`orders_total{ficus_side="legacy"}`: legacy, `orders_total{ficus_side="modern"}`: modern, `sum(orders_lost_total)`: lostLegacy + lostModern} {
			within(t, query, func() bool { v := at(query); return v == float64(want) || want == 0 && v == -1 })
		}
		return time.Now()
	}
	both := &migrations.Prometheus{URL: url, Label: "ficus_side", Bad: migrations.Query{Both: "orders_lost_total"}, Total: migrations.Query{Both: "orders_total"}}
	apart := &migrations.Prometheus{URL: url,
		Bad:   migrations.Query{Legacy: `sum(orders_lost_total{ficus_side="legacy"})`, Modern: `sum(orders_lost_total{ficus_side="modern"})`},
		Total: migrations.Query{Legacy: `sum(orders_total{ficus_side="legacy"})`, Modern: `sum(orders_total{ficus_side="modern"})`},
	}
	grown := func(p *migrations.Prometheus, from, to time.Time) (evidence.Interval, error) {
		var x evidence.Interval
		var err error
		if x.Total, err = q.grown(t.Context(), p, p.Total, from, to, false); err == nil {
			x.Bad, err = q.grown(t.Context(), p, p.Bad, from, to, true)
		}
		return x, err
	}
	a := set(100, 10, 5, 0)
	b := set(150, 25, 7, 0)
	c := set(30, 40, 2, 3) // the monolith began again, and the service lost its first orders
	for _, x := range []struct {
		name     string
		p        *migrations.Prometheus
		from, to time.Time
		want     evidence.Interval
		err      error
	}{
		{"one query by label", both, a, b, evidence.Interval{Total: evidence.Sides{50, 15}, Bad: evidence.Sides{2, 0}}, nil},
		{"a query for each side", apart, a, b, evidence.Interval{Total: evidence.Sides{50, 15}, Bad: evidence.Sides{2, 0}}, nil},
		{"a counter that began again", both, b, c, evidence.Interval{Total: evidence.Sides{30, 15}, Bad: evidence.Sides{2, 0}}, nil},
		{"a sum of counters that fell", apart, b, c, evidence.Interval{}, errFell},
		{"a time before there was anything", both, a.Add(-time.Hour), b, evidence.Interval{}, errNoSeries},
	} {
		got, err := grown(x.p, x.from, x.to)
		if !errors.Is(err, x.err) || err == nil && got != x.want {
			t.Errorf("%s: %v %v, want %v %v", x.name, got, err, x.want, x.err)
		}
	}
	for _, x := range []struct{ query, want string }{
		{"sum(", "Prometheus refuses it"},
		{"orders_total[5m]", "not the value of a counter"},
		{`"text"`, "not the value of a counter"},
		{"-1 * orders_total", "no value of a counter"},
	} {
		if _, err := q.ask(t.Context(), both, x.query, time.Now()); !errors.Is(err, errQuery) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", x.query, err)
		}
	}
}

// TestTheGuardAsksPrometheus has a whole gateway ask: what is counted arrives
// in what is decided from, holds when it stops, and check says what is wrong.
func TestTheGuardAsksPrometheus(t *testing.T) {
	var s counters
	target := httptest.NewServer(&s)
	defer target.Close()
	url := prometheusOf(t, target.Listener.Addr().String())
	config := fmt.Sprintf(anywhere+`
upstreams: {monolith: %q, orders: %q}
migrations:
  orders:
    from: monolith
    to: orders
    key: header:X-User
    auto: true
    ramp: [{stage: live, share: 50%%, hold: 1h}]
    guard:
      metrics:
        - name: lost_orders
          prometheus: {url: %q, bad: orders_lost_total, total: orders_total}
          every: 1s
routes: [{path: /*, migration: orders}]
`, named(t, "monolith"), named(t, "orders"), url)
	r := start(t, config)
	stop := make(chan struct{})
	var growing sync.WaitGroup
	growing.Go(func() {
		for ; ; time.Sleep(20 * time.Millisecond) {
			select {
			case <-stop:
				return
			default:
			}
			s.orders[0].Add(10)
			s.orders[1].Add(10)
			s.lost[1].Add(3)
		}
	})
	defer growing.Wait()
	var end sync.Once
	defer end.Do(func() { close(stop) })
	guard := r.source.Table().Plans["orders"].Guard
	judge := func() evidence.IntervalRecord {
		c := r.counts("orders")
		return c.Reported["app:lost_orders"].Judge("", guard.Intervals()[0], evidence.Budget{Alpha: 0.05, Test: 1}, time.Now())
	}
	within(t, "the service is seen to lose orders", func() bool { return judge().Trips() })
	if record := judge(); record.Check() != nil || record.Slots[0].Total[evidence.Legacy] == 0 {
		t.Errorf("%v", record)
	}
	test := r.follower.State().Migrations["orders"].Test
	if why := guard.Unreported(r.counts("orders"), test, time.Now().Add(-time.Hour), time.Now()); why != "" {
		t.Errorf("it is not known: %s", why)
	}
	if text, err := checked(t, r.config); err != nil || strings.Contains(text, ".yaml:") || strings.Contains(text, "warning") {
		t.Errorf("check: %v %s", err, text)
	}
	target.CloseClientConnections()
	target.Close()
	within(t, "what is not known holds", func() bool {
		return strings.Contains(guard.Unreported(r.counts("orders"), test, time.Now().Add(-time.Hour), time.Now()), "lost_orders is not known: Prometheus has given nothing")
	})
	within(t, "the log says so", func() bool { return strings.Contains(r.log.String(), "a metric of the application is not known") })
	end.Do(func() { close(stop) })

	for _, c := range []struct{ old, new, want string }{
		{"bad: orders_lost_total", "bad: orders_found_total", "16:11: migrations.orders.guard.metrics[0]: bad: the query gives nothing for either side, by the label ficus_side; if it has never happened"},
		{"total: orders_total", "total: 'orders_total{ficus_side=\"left\"}'", "16:11: migrations.orders.guard.metrics[0]: total: the query gives nothing for either side"},
		{"bad: orders_lost_total", "bad: 'sum('", "16:11: migrations.orders.guard.metrics[0]: bad: the query does not do: Prometheus refuses it"},
		{url, "http://127.0.0.1:1", "16:11: migrations.orders.guard.metrics[0]: bad: asking Prometheus"},
	} {
		path := filepath.Join(t.TempDir(), "ficus.yaml")
		if err := os.WriteFile(path, []byte(strings.Replace(strings.ReplaceAll(config, "$DIR", filepath.Dir(path)), c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := checked(t, path); !strings.Contains(text+fmt.Sprint(err), c.want) {
			t.Errorf("check of %s: %v %s", c.new, err, text)
		}
	}
}

// checked runs ficus check.
func checked(t *testing.T, path string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ficus", "check", "-c", path).CombinedOutput()
	return string(out), err
}

// TestAPrometheusThatMisbehaves asks what is none, says too much, hangs, or leads elsewhere.
func TestAPrometheusThatMisbehaves(t *testing.T) {
	for _, c := range []struct {
		name, want string
		answer     http.HandlerFunc
	}{
		{"no JSON", "no Prometheus", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }},
		{"a proxy that refuses", "answers 403", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }},
		{"it leads elsewhere", "answers 302", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}},
		{"not available", "asking Prometheus: starting", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"status":"error","errorType":"unavailable","error":"starting"}`)
		}},
		{"not a number", "no value of a counter", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}`)
		}},
		{"too much", "larger than", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2*promqlAnswer)) }},
		{"too many", "1001 series", func(w http.ResponseWriter, _ *http.Request) {
			one := `{"metric":{},"value":[1,"1"]}`
			_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[`+strings.Repeat(one+",", promqlSeries)+one+`]}}`)
		}},
		{"it hangs", "deadline exceeded", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent atomic.Value
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				sent.Store(r.Header.Get("Authorization"))
				c.answer(w, r)
			}))
			defer s.Close()
			q := newPromQL()
			defer q.client.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			if c.name != "it hangs" {
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			}
			defer cancel()
			_, err := q.ask(ctx, &migrations.Prometheus{URL: s.URL + "/", Token: "t0k3n"}, "up", time.Now())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "t0k3n") || strings.Contains(err.Error(), s.URL) {
				t.Errorf("%v", err)
			}
			if sent.Load() != "Bearer t0k3n" {
				t.Errorf("sent %v", sent.Load())
			}
		})
	}
}

// TestASlotIsAskedForOnce: what was missed is asked for again, what is known is not.
func TestASlotIsAskedForOnce(t *testing.T) {
	var down atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(502)
			return
		}
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"7"]}]}}`)
	}))
	defer s.Close()
	one := migrations.Query{Legacy: "a", Modern: "b"}
	plan := &migrations.Plan{ID: "orders", Guard: migrations.Guard{Metrics: []migrations.GuardMetric{{
		Name: "lost", By: migrations.BySides, Every: time.Second, Prometheus: &migrations.Prometheus{URL: s.URL, Bad: one, Total: one},
	}}}}
	var mu sync.Mutex
	came := map[int64]int{}
	var newest int64
	p := newPolls(func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": plan} }, func(string) bool { return true },
		func(_ string, _ migrations.GuardMetric, x evidence.Interval, _ time.Time) bool {
			mu.Lock()
			defer mu.Unlock()
			came[x.At]++
			newest = max(newest, x.At)
			return true
		}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	ran.Go(func() { p.run(ctx) })
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(came) }
	within(t, "some slots come", func() bool { return count() >= 2 })
	down.Store(true)
	within(t, "it is known to be down", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.byID[pollID{"orders", "lost"}].trouble != ""
	})
	down.Store(false)
	before := count()
	within(t, "slots come again", func() bool { return count() >= before+2 })
	cancel()
	ran.Wait()
	for slot, n := range came {
		if n != 1 {
			t.Errorf("slot %d came %d times", slot, n)
		}
	}
	if missing := newest - int64(len(came)); missing < 0 {
		t.Errorf("%v", came)
	}
}
