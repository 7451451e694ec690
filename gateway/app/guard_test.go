package app

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A fragile is an application that a test can break while it runs.
type fragile struct {
	t       *testing.T
	address string
	server  *http.Server
	fails   atomic.Pointer[func(r *http.Request) string] // "", "broken", "hang" or a time
	taken   atomic.Int64
	last    atomic.Int64 // Unix nanoseconds of the last request
}

func newFragile(t *testing.T) *fragile {
	t.Helper()
	s := &fragile{t: t, address: "127.0.0.1:0"}
	s.breaks(func(*http.Request) string { return "" })
	s.open()
	t.Cleanup(s.shut)
	return s
}

func (s *fragile) breaks(how func(*http.Request) string) { s.fails.Store(&how) }

// open listens, at the address that the side has had before.
func (s *fragile) open() {
	s.t.Helper()
	ln, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = ln.Addr().String()
	s.server = &http.Server{Handler: s}
	go func() { _ = s.server.Serve(ln) }() // ends with shut
}

// shut cuts everything off, as the end of a process does.
func (s *fragile) shut() { _ = s.server.Close() }

func (s *fragile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.taken.Add(1)
	s.last.Store(time.Now().UnixNano())
	switch how := (*s.fails.Load())(r); how {
	case "":
	case "broken":
		w.WriteHeader(http.StatusInternalServerError)
	case "missing":
		w.WriteHeader(http.StatusNotFound)
	case "hang":
		<-r.Context().Done()
	default:
		d, err := time.ParseDuration(how)
		if err != nil {
			panic(err)
		}
		time.Sleep(d)
	}
	_, _ = io.WriteString(w, "hello")
}

// A crowd is people who use a gateway.
type crowd struct {
	*running
	monolith, service *fragile
	telemetry         string        // a line of the config
	people            int           // that there are
	pause             time.Duration // of a connection between two requests
	asked, failed     atomic.Int64
	stop              context.CancelFunc
	gone              sync.WaitGroup
}

// gather starts a gateway whose migration begins its ramp by itself, with so
// many connections of people in front of it; more are lines of the migration.
func gather(t *testing.T, connections, people int, pause time.Duration, ramp, more, route string, telemetry ...string) *crowd {
	t.Helper()
	c := &crowd{telemetry: strings.Join(telemetry, ""), monolith: newFragile(t), service: newFragile(t), people: people, pause: pause}
	c.running = start(t, fmt.Sprintf(anywhere+strings.ReplaceAll(c.telemetry, "%", "%%")+`
upstreams: {monolith: "http://%s", orders: "http://%s"}
migrations:
  orders: {from: monolith, to: orders, key: header:X-User, auto: true, ramp: [%s]%s}
routes:
  - {path: /orders/*, migration: orders%s}
  - {path: /*, upstream: monolith}
`, c.monolith.address, c.service.address, ramp, more, route))
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	t.Cleanup(func() { stop(); c.gone.Wait() })
	tr := &http.Transport{MaxIdleConnsPerHost: connections}
	t.Cleanup(tr.CloseIdleConnections)
	client := &http.Client{Transport: tr, Timeout: 30 * time.Second}
	for range connections {
		c.gone.Go(func() {
			for ctx.Err() == nil {
				c.ask(ctx, client, fmt.Sprintf("user %d", rand.IntN(people)))
				time.Sleep(pause/2 + rand.N(pause+1))
			}
		})
	}
	return c
}

func (c *crowd) ask(ctx context.Context, client *http.Client, user string) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/orders/7", nil)
	req.Header.Set("X-User", user)
	res, err := client.Do(req)
	if ctx.Err() != nil {
		return
	}
	c.asked.Add(1)
	if err != nil {
		c.failed.Add(1)
		c.t.Errorf("%s: %v", user, err)
		return
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK {
		c.failed.Add(1)
	}
}

func (c *crowd) migration() migrations.Migration { return c.follower.State().Migrations["orders"] }

// at waits until the ramp stands at a step.
func (c *crowd) at(step int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("the ramp stands at step %d", step), func() bool { return c.migration().Step == step })
}

// until waits for an event of a kind and returns it.
func (c *crowd) until(kind migrations.Kind) migrations.Event {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 60*time.Second)
	defer cancel()
	for e, err := range c.Events().Follow(ctx, 0) {
		if err != nil {
			c.t.Fatalf("no event %s: %v; waits for %v", kind, err, migrations.Waiting(c.follower.State(), *c.source.Table().Plans["orders"], c.counts("orders"), time.Now()))
		}
		if e.Kind == kind {
			return e
		}
	}
	panic("a log ends")
}

// none reports an event of a kind.
func (c *crowd) none(kind migrations.Kind) {
	c.t.Helper()
	s := c.follower.State()
	for e, err := range c.Events().Follow(c.t.Context(), 0) {
		if err != nil {
			c.t.Fatal(err)
		}
		if e.Kind == kind {
			c.t.Errorf("event %d: %s: %s", e.Seq, e.Kind, e.Reason)
		}
		if e.Seq >= s.Seq {
			return
		}
	}
}

// judged returns the record that decided.
func judged(t *testing.T, e migrations.Event) evidence.Record {
	t.Helper()
	if e.Evidence == nil || len(e.Evidence.Records) == 0 {
		t.Fatalf("%+v has no evidence", e)
	}
	if got, err := migrations.Explain(e); err != nil || got != e.Evidence.Records[0].E {
		t.Errorf("E is %v by the event and %v when it is asked why: %v", e.Evidence.Records[0].E, got, err)
	}
	return e.Evidence.Records[0]
}

// bad returns the people with a bad event on the service.
func bad(r evidence.Record) (n uint64) {
	for _, s := range r.Epochs {
		n += s.Service
	}
	return n
}

func TestABrokenServiceIsRolledBackAndNobodyNotices(t *testing.T) {
	c := gather(t, 64, 5000, 50*time.Millisecond, "{stage: live, share: 5%, hold: 1h}, {stage: complete}", "", "")
	c.at(1)
	eventually(t, "people are on the service", func() bool { return c.service.taken.Load() > 50 })
	c.service.breaks(func(*http.Request) string { return "broken" })
	e := c.until(migrations.RolledBack)
	time.Sleep(500 * time.Millisecond)
	c.stop()
	c.gone.Wait()
	if r := judged(t, e); r.Metric != evidence.Errors || bad(r) > 5 {
		t.Errorf("decided by %s: %d people had to suffer a bad service", r, bad(r))
	}
	if n := c.failed.Load(); n != 0 {
		t.Errorf("%d of %d requests of users failed", n, c.asked.Load())
	}
	if after := time.Unix(0, c.service.last.Load()).Sub(e.Time); after > 250*time.Millisecond {
		t.Errorf("the service was asked %s after the decision", after)
	} else {
		t.Logf("%s; the last request reached the service %s after the decision; %d requests, 0 failed", e.Reason, after, c.asked.Load())
	}
	if len(e.Evidence.Spans) == 0 || e.Evidence.Config == "" {
		t.Errorf("the event links to nothing: %+v", e.Evidence)
	}
}

// TestAWorseServiceIsRolledBackInTime: 1 % of the monolith's answers are
// errors, and 5 % of the service's. The mean over many runs is that of the
// simulations in evidence; here the parts are real.
func TestAWorseServiceIsRolledBackInTime(t *testing.T) {
	runs := full(10, 1)
	total := int64(0)
	for range runs {
		c := gather(t, 64, 1<<30, 0, "{stage: live, share: 5%, hold: 1h}, {stage: complete}", "", ", fallback: {off: true}")
		c.at(1)
		sometimes := func(share float64) func(*http.Request) string {
			return func(*http.Request) string {
				if rand.Float64() < share {
					return "broken"
				}
				return ""
			}
		}
		c.monolith.breaks(sometimes(0.01))
		c.service.breaks(sometimes(0.05))
		c.service.taken.Store(0)
		e := c.until(migrations.RolledBack)
		n := c.service.taken.Load()
		c.stop()
		c.gone.Wait()
		if r := judged(t, e); r.Metric != evidence.Errors {
			t.Errorf("decided by %s", r)
		}
		t.Logf("after %d requests on the service: %s", n, e.Reason)
		total += n
	}
	limit := int64(full(500, 2500)) // one run proves no mean
	if mean := total / int64(runs); mean > limit {
		t.Errorf("%d requests on the service in the mean", mean)
	}
}

func TestOneUserWithEveryErrorRollsNothingBack(t *testing.T) {
	c := gather(t, 16, 2000, 10*time.Millisecond, "{stage: live, share: 50%, hold: 1h}, {stage: complete}", "", ", fallback: {off: true}")
	c.at(1)
	c.service.breaks(func(r *http.Request) string {
		if r.Header.Get("X-User") == "mallory" {
			return "broken"
		}
		return ""
	})
	client := browser(t)
	suffered := 0
	for i := 0; suffered < 300; i++ {
		before := c.failed.Load()
		c.ask(t.Context(), client, "mallory")
		if c.failed.Load() == before {
			t.Fatal("the hash has placed mallory on the monolith: choose another name")
		}
		suffered++
	}
	time.Sleep(500 * time.Millisecond)
	c.none(migrations.RolledBack)
}

func TestARestartThatFallbackHealsHoldsTheRamp(t *testing.T) {
	c := gather(t, 2, 1, 300*time.Millisecond, "{stage: live, share: 95%, hold: 1h}, {stage: complete}", "", "")
	c.at(1)
	eventually(t, "the service is used", func() bool { return c.service.taken.Load() > 3 })
	c.service.shut()
	time.Sleep(2500 * time.Millisecond)
	c.service.open()
	e := c.until(migrations.Held)
	if e.Cause != migrations.CauseBlip || !strings.Contains(e.Reason, "orders failed the last") {
		t.Errorf("held (%s): %s", e.Cause, e.Reason)
	}
	before := c.service.taken.Load()
	eventually(t, "the service is used again", func() bool { return c.service.taken.Load() > before+3 })
	c.none(migrations.RolledBack)
	if n := c.failed.Load(); n != 0 {
		t.Errorf("%d requests of users failed", n)
	}
}

// slowly gives the migration a test in which a response is slow after so long:
// as if the monolith had been measured before.
func (c *crowd) slowly(tau time.Duration) {
	c.t.Helper()
	seq, err := c.Events().Append(c.t.Context(), migrations.Unconditional, migrations.Event{Migration: "orders", Kind: migrations.Restarted, Tau: tau, Actor: "ada", Reason: "τ is known"})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.follower.Wait(c.t.Context(), seq); err != nil {
		c.t.Fatal(err)
	}
}

// slowest is the metric of the first byte's p99.
var slowest = evidence.Latencies[evidence.FirstByteP99].Metric

const latencyGuard = ", guard: {latency: {quantile: p99, worse_by: 20%}}"

func TestAHangIsSeenLongBeforeItsTimeout(t *testing.T) {
	const after = 5 * time.Second
	c := gather(t, 64, 5000, 50*time.Millisecond, "{stage: live, share: 5%, hold: 1h}, {stage: complete}", latencyGuard, ", fallback: {after: 5s}")
	c.at(1)
	c.slowly(250 * time.Millisecond)
	eventually(t, "people are on the service", func() bool { return c.service.taken.Load() > 50 })
	c.service.breaks(func(*http.Request) string { return "hang" })
	began := time.Now()
	e := c.until(migrations.RolledBack)
	r := judged(t, e)
	if took := time.Since(began); took > after/2 || r.Metric != slowest || r.Tau != 250*time.Millisecond {
		t.Errorf("seen after %s: %s", took, r)
	} else {
		t.Logf("seen after %s: %s", took, e.Reason)
	}
}

func TestASlownessOfBothHoldsAndRollsNothingBack(t *testing.T) {
	c := gather(t, 32, 5000, 20*time.Millisecond, "{stage: live, share: 50%}, {stage: live, share: 90%}", latencyGuard, "")
	c.at(1)
	slow := func(*http.Request) string { return "80ms" } // a database that both ask
	c.monolith.breaks(slow)
	c.service.breaks(slow)
	c.slowly(30 * time.Millisecond)
	eventually(t, "the ramp says why it waits", func() bool {
		m, err := c.client.Migration(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range m.WaitsFor {
			if w.For == migrations.WaitControl && strings.Contains(w.Text, "monolith itself is slower than it was") {
				return true
			}
		}
		return false
	})
	time.Sleep(time.Second)
	c.none(migrations.RolledBack)
	if step := c.migration().Step; step != 1 {
		t.Errorf("the ramp went on to step %d", step)
	}
}

// TestTheRequestsBehindARollbackAreKept: not one request in a thousand is
// sampled, and the traces that the rollback links to are there all the same.
func TestTheRequestsBehindARollbackAreKept(t *testing.T) {
	sink := collect(t)
	c := gather(t, 16, 5000, 10*time.Millisecond, "{stage: live, share: 30%, hold: 1h}, {stage: complete}", "", ", fallback: {off: true}", "telemetry: {otlp: "+sink.url+"/v1/traces, sample: 0%}\n")
	c.at(1)
	c.service.breaks(func(*http.Request) string { return "broken" })
	e := c.until(migrations.RolledBack)
	c.stop()
	c.gone.Wait()
	if err := c.running.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	kept := make(map[string]bool)
	sink.mu.Lock()
	for _, span := range sink.all {
		kept[fmt.Sprintf("%x-%x", span.TraceId, span.SpanId)] = true
	}
	sink.mu.Unlock()
	if len(e.Evidence.Spans) == 0 {
		t.Error("the rollback links to no request")
	}
	for _, span := range e.Evidence.Spans {
		if !kept[span] {
			t.Errorf("the trace of %s is not kept; %d spans are", span, len(kept))
		}
	}
}
