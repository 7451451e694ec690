package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// slowest is the metric of the first byte's p99.
var slowest = evidence.Latencies[evidence.FirstByteP99].Metric

// A ramping is a gateway in front of two applications whose answers a test
// chooses by the path, and a migration with a test under way.
type ramping struct {
	*testing.T
	url     string
	gateway *Gateway
}

// ramp makes one; more are lines of the migration, state edits where it stands.
func ramp(t *testing.T, more, fallback string, state func(*migrations.Migration)) *ramping {
	t.Helper()
	application := func(side string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			what := strings.TrimPrefix(r.URL.Path, "/api/orders/")
			if only, rest, ok := strings.Cut(what, "/"); ok {
				if what = rest; only != side {
					what = "well"
				}
			}
			switch what {
			case "lost":
				w.Header()["Ficus-Outcome"] = []string{"good; metric=other, bad;metric=lost_orders", `bad; metric="not_watched"`}
			case "broken":
				w.WriteHeader(http.StatusInternalServerError)
			case "reset":
				c, _, _ := w.(http.Hijacker).Hijack()
				c.Close()
				return
			case "hang":
				select {
				case <-r.Context().Done():
				case <-time.After(5 * time.Second):
				}
			}
			_, _ = io.WriteString(w, side)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	config := fmt.Sprintf(`
trusted_proxies: [127.0.0.1/32]
upstreams: {monolith: {url: "%s", timeout: {response: 1500ms}}, orders: {url: "%s", timeout: {response: 1500ms}}}
migrations:
  orders: {from: monolith, to: orders, key: [header:X-User]%s}
routes:
  - {path: /api/orders/*, migration: orders%s}
  - {path: /*, upstream: monolith}
`, application("legacy"), application("modern"), more, fallback)
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: 50_000})
	if err != nil {
		t.Fatal(err)
	}
	m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: split}
	m.Test, m.K = 2, 1
	if state != nil {
		state(&m)
	}
	g, err := New(Options{
		Table: tableOf(t, config), Assigner: assigner,
		State: migrations.State{Seq: 2, Migrations: map[string]migrations.Migration{"orders": m}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Close(t.Context())
		assigner.Close()
	})
	return &ramping{t, "http://" + listen(t, g, routes.Listener{}), g}
}

// ask sends a request of a person, and waits until it has been counted.
func (r *ramping) ask(method, what, user string, more ...string) (status int) {
	r.Helper()
	req, err := http.NewRequest(method, r.url+"/api/orders/"+what, nil)
	if err != nil {
		r.Fatal(err)
	}
	if user != "" {
		req.Header.Set("X-User", user)
	}
	for i := 0; i+1 < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res, err := browser(r, "h1", nil).Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	for r.gateway.InFlight() > 0 {
		time.Sleep(time.Millisecond)
	}
	return res.StatusCode
}

// on returns the name of a person on a side.
func (r *ramping) on(side migrations.Side, n int) string {
	r.Helper()
	for i := 0; ; i++ {
		user := fmt.Sprintf("user %d", i)
		req := httptest.NewRequest("GET", "/api/orders/well", nil)
		req.RemoteAddr = "127.0.0.1:1"
		req.Header.Set("X-User", user)
		if r.gateway.Explain(req).Decided.Side == side {
			if n--; n < 0 {
				return user
			}
		}
	}
}

func (r *ramping) cell(name string) *evidence.Cell {
	r.Helper()
	c := r.gateway.Evidence("orders").Cells[name]
	if c == nil {
		r.Fatalf("nothing is counted of cell %q", name)
	}
	return c
}

func TestEvidenceCountsPeopleNotRequests(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", nil)
	for range 3 {
		r.ask("GET", "broken", r.on(migrations.Modern, 0))
	}
	r.ask("GET", "broken", r.on(migrations.Modern, 1))
	r.ask("GET", "well", r.on(migrations.Modern, 2))
	r.ask("GET", "broken", r.on(migrations.Legacy, 0))
	r.ask("GET", "well", r.on(migrations.Legacy, 0))
	c := r.cell("")
	e := c.Epoch(2)
	if e.Requests != (evidence.Sides{2, 5}) || e.Clean != (evidence.Sides{1, 1}) || e.Bad[evidence.Errors] != (evidence.Sides{1, 4}) || e.Share != 50_000 {
		t.Errorf("requests %v, clean %v, bad %v", e.Requests, e.Clean, e.Bad)
	}
	if got := c.Bad[evidence.Errors].In(2); got != (evidence.Sides{1, 2}) {
		t.Errorf("%v people had an error", got)
	}
	if c.Seen.Total() != (evidence.Sides{1, 3}) || c.Active.Len() != 3 || c.Harm != 4 {
		t.Errorf("seen %v, active %d, harm %d", c.Seen.Total(), c.Active.Len(), c.Harm)
	}
	if n := len(c.Spans[evidence.Errors]); n != 4 {
		t.Errorf("%d spans are linked", n)
	}
	counts := r.gateway.Evidence("orders")
	if len(counts.Plans) != 1 || counts.Latency.Hour == nil || counts.At.IsZero() {
		t.Errorf("%+v", counts)
	}
}

func TestWhoIsNotPlacedByTheHashIsNotInTheTest(t *testing.T) {
	r := ramp(t, ", cohorts: [{name: staff, when: {header: X-Staff, is: '1'}, stage: live}]", ", fallback: {off: true}", nil)
	modern := r.on(migrations.Modern, 0)
	r.ask("GET", "broken", "")
	r.ask("GET", "broken", modern, "X-Staff", "1")
	r.ask("POST", "broken", modern) // writes stay on the monolith, whoever asks
	c := r.cell("")
	e := c.Epoch(2)
	if e.Keyless != 1 || e.Cohort != (evidence.Sides{0, 1}) || e.Requests.Sum() != 0 || c.Bad[evidence.Errors] != nil || c.Seen.Len() != 0 {
		t.Errorf("%+v, bad %v, seen %d", e, c.Bad, c.Seen.Len())
	}
	if c.Harm != 1 {
		t.Errorf("harm %d: whom a rule placed is a user as well", c.Harm)
	}
}

func TestAFallbackCountsAgainstTheServiceOnce(t *testing.T) {
	r := ramp(t, ", guard: {blip: 0s}", "", nil)
	for i := range 4 {
		if got := r.ask("GET", "modern/reset", r.on(migrations.Modern, i)); got != 200 {
			t.Fatalf("the user got %d", got)
		}
	}
	c := r.cell("")
	e := c.Epoch(2)
	if e.Requests != (evidence.Sides{0, 4}) || e.Clean.Sum() != 0 || c.Bad[evidence.Errors].In(2) != (evidence.Sides{0, 4}) || c.Harm != 0 {
		t.Errorf("%+v, bad %v, harm %d", e, c.Bad, c.Harm)
	}
	if s := c.Streaks["gateway"]; s.Healed != 4 {
		t.Errorf("%+v", s)
	}
	r.ask("GET", "well", r.on(migrations.Modern, 0))
	if s := r.cell("").Streaks["gateway"]; s.Healed != 0 || s.Blip.Healed != 4 {
		t.Errorf("after an answer: %+v", s)
	}
}

func TestFallbacksOwnTimerIsNoTimeout(t *testing.T) {
	r := ramp(t, ", guard: {latency: {quantile: p99, worse_by: 20%}}", ", fallback: {after: 100ms}", func(m *migrations.Migration) { m.Taus[evidence.FirstByteP99] = 10 * time.Second })
	r.ask("GET", "modern/hang", r.on(migrations.Modern, 0))
	r.ask("GET", "legacy/hang", r.on(migrations.Legacy, 0)) // held to the same
	c := r.cell("")
	if c.Bad[slowest].In(2) != (evidence.Sides{1, 1}) || c.Bad[evidence.Errors] != nil || c.Bad[evidence.Timeouts].In(2) != (evidence.Sides{1, 0}) {
		t.Errorf("slow %v, errors %v, timeouts %v", c.Bad[slowest], c.Bad[evidence.Errors], c.Bad[evidence.Timeouts])
	}
}

func TestAHangIsSeenWhenTauPasses(t *testing.T) {
	r := ramp(t, ", guard: {latency: {quantile: p99, worse_by: 20%}}", ", fallback: {off: true}", func(m *migrations.Migration) { m.Taus[evidence.FirstByteP99] = 50 * time.Millisecond })
	done := make(chan int)
	user := r.on(migrations.Modern, 0)
	go func() { done <- r.ask("GET", "modern/hang", user) }()
	<-r.gateway.Alarms()
	if c := r.cell(""); c.Bad[slowest].In(2) != (evidence.Sides{0, 1}) || r.gateway.InFlight() != 1 {
		t.Errorf("slow %v with %d in flight", c.Bad[slowest], r.gateway.InFlight())
	}
	if got := <-done; got != http.StatusGatewayTimeout {
		t.Errorf("the user got %d", got)
	}
	c := r.cell("")
	if e := c.Epoch(2); e.Bad[slowest] != (evidence.Sides{0, 1}) || e.Bad[evidence.Timeouts] != (evidence.Sides{0, 1}) || c.Harm != 1 || e.Clean.Sum() != 0 {
		t.Errorf("%+v, harm %d", e, c.Harm)
	}
	if n := len(c.Spans[slowest]); n != 1 {
		t.Errorf("%d spans are linked", n)
	}
}

func TestAClientThatGoesAwaySaysNothing(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/api/orders/hang", nil)
	req.Header.Set("X-User", r.on(migrations.Modern, 0))
	if _, err := browser(t, "h1", nil).Do(req); err == nil {
		t.Fatal("the client has waited")
	}
	for r.gateway.InFlight() > 0 {
		time.Sleep(time.Millisecond)
	}
	if c := r.cell(""); c.Requests().Sum() != 0 || len(c.Bad) != 0 || c.Harm != 0 {
		t.Errorf("%+v", c)
	}
}

func TestUnverifiedKeysCountOnceForANetwork(t *testing.T) {
	g := ramp(t, "", "", nil).gateway
	key := func(client string) evidence.Key {
		req := httptest.NewRequest("GET", "/api/orders/1", nil)
		req.RemoteAddr = client
		req.Header.Set("X-User", "alice")
		var rec record
		rec.begin(g.Snapshot(), httptest.NewRecorder(), req)
		rec.route = &g.Snapshot().plan.routes[g.Snapshot().Table.Match(req).Index]
		g.decide(&rec, req)
		if rec.assignment.Key == "" {
			t.Fatal("no key")
		}
		return rec.evidenceKey()
	}
	if key("192.0.2.1:1") != key("192.0.2.200:1") || key("[2001:db8:1:2::3]:1") != key("[2001:db8:1:4::5]:1") {
		t.Error("one network is taken for two")
	}
	if key("192.0.2.1:1") == key("198.51.100.1:1") || key("192.0.2.1:1") == key("127.0.0.1:1") || key("[2001:db8:1::]:1") == key("[2001:db8:2::]:1") {
		t.Error("two networks are taken for one")
	}
}

func TestCellsAreCountedApart(t *testing.T) {
	r := ramp(t, ", cells: [{name: eu, when: {header: X-Region, is: eu}}]", ", fallback: {off: true}", func(m *migrations.Migration) {
		eu := m.Course("")
		eu.Split, eu.Test, eu.Epoch = migrations.All(migrations.Live), 1, 1
		m.Cells = map[string]migrations.Course{"eu": eu}
		m.Split = migrations.All(migrations.Off)
	})
	if got := r.ask("GET", "modern/broken", "a", "X-Region", "eu"); got != 500 {
		t.Errorf("in eu the monolith answered (%d)", got)
	}
	if got := r.ask("GET", "modern/broken", "b", "X-Region", "us"); got != 200 {
		t.Errorf("in the rest the service answered (%d)", got)
	}
	eu, rest := r.cell("eu"), r.cell(migrations.Rest)
	if eu.Test != 1 || eu.Epoch(1).Requests != (evidence.Sides{0, 1}) || rest.Test != 2 || rest.Epoch(2).Requests != (evidence.Sides{1, 0}) {
		t.Errorf("eu %+v, rest %+v", eu, rest)
	}
}

func TestANewTestBeginsWithoutCounts(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", nil)
	r.ask("GET", "broken", r.on(migrations.Modern, 0))
	s := r.gateway.Snapshot().State
	m := s.Migrations["orders"]
	m.Seq, m.Test, m.Epoch = 3, 3, 3
	r.gateway.Apply(migrations.State{Seq: 3, Migrations: map[string]migrations.Migration{"orders": m}})
	if c := r.cell(""); c.Test != 3 || c.Requests().Sum() != 0 || len(c.Bad) != 0 || len(c.Epochs) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestOnlySoManyTracesAreKeptForADecision(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", nil)
	user := r.on(migrations.Modern, 0)
	client := browser(t, "h1", nil)
	for range evidence.SpanLimit + 5 {
		req, _ := http.NewRequest("GET", r.url+"/api/orders/broken", nil)
		req.Header.Set("X-User", user)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	for r.gateway.InFlight() > 0 {
		time.Sleep(time.Millisecond)
	}
	if n := len(r.cell("").Spans[evidence.Errors]); n != evidence.SpanLimit {
		t.Errorf("%d are linked", n)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	r := ramp(t, "", "", nil)
	s := &r.gateway.Snapshot().standings[0]
	l := &s.cells[0].book.ledger
	for i := range 20 * shardLines {
		l.write(&line{cell: &s.cells[0], key: evidence.Key(i + 1), facts: served | placed})
	}
	if lost := r.gateway.Lost("orders"); lost != 12*shardLines {
		t.Errorf("%d were lost", lost)
	}
	if n := r.cell("").Epoch(2).Requests[evidence.Legacy]; n != 8*shardLines {
		t.Errorf("%d were counted", n)
	}
}

func TestATripTurnsToTheMonolithAtOnceAndCountsForNobody(t *testing.T) {
	r := ramp(t, ", data: shared, writes: follow", ", fallback: {off: true}", nil)
	modern := r.on(migrations.Modern, 0)
	if got := r.ask("GET", "modern/broken", modern); got != 500 {
		t.Fatalf("%d", got)
	}
	before := r.cell("").Requests()
	r.gateway.Trip("orders", EveryCell)
	for _, method := range []string{"GET", "POST"} {
		if got := r.ask(method, "modern/broken", modern); got != 200 {
			t.Errorf("%s while tripped: %d", method, got)
		}
	}
	if after := r.cell("").Requests(); after != before {
		t.Errorf("counted %v, before %v", after, before)
	}
	r.gateway.Trip("orders", "another cell")
	if got := r.ask("GET", "modern/broken", modern); got != 500 {
		t.Errorf("a trip of another cell: %d", got)
	}
	r.gateway.Trip("orders")
	if got := r.ask("GET", "modern/broken", modern); got != 500 || r.gateway.Tripped("orders") != nil {
		t.Errorf("after the trip: %d", got)
	}
}

func TestWhatIsCompleteHasNoTrip(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", func(m *migrations.Migration) { m.Split = migrations.All(migrations.Complete) })
	r.gateway.Trip("orders", EveryCell)
	if got := r.ask("GET", "modern/broken", "alice"); got != 500 {
		t.Errorf("the monolith answered what is no longer its own (%d)", got)
	}
}

func BenchmarkAccount(b *testing.B) {
	var bs books
	bs.init("bench", 1)
	c := &cell{book: bs.of("orders"), test: 1, epoch: 1, share: 5000, links: &links{}}
	rt := &route{Route: &routes.Route{}, plan: &migrations.Plan{}, book: c.book}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		rec := &record{cell: c, route: rt, asked: true}
		rec.Side, rec.Status, rec.Start = migrations.Legacy, 200, time.Now()
		rec.assignment = flags.Assignment{Key: "k", KeyHash: 1, Verified: true, Placed: true}
		for i := uint64(0); pb.Next(); i++ {
			rec.assignment.KeyHash = i*2654435761 + 1
			rec.account()
			if i%4096 == 0 {
				c.book.ledger.mu.Lock()
				c.book.ledger.count.lines = c.book.ledger.take(c.book.ledger.count.lines[:0])
				c.book.ledger.mu.Unlock()
			}
		}
	})
}

func BenchmarkEvidence(b *testing.B) {
	var bs books
	bs.init("bench", 1)
	l := &bs.of("orders").ledger
	s := &standing{cells: []cell{{book: bs.of("orders"), test: 1, epoch: 1, share: 50_000, links: &links{}}}}
	key := evidence.Key(0)
	for range evidence.Limit / 4096 {
		for range 4096 {
			key += 0x9e3779b97f4a7c15
			l.write(&line{cell: &s.cells[0], key: key, at: time.Now().UnixNano(), took: time.Millisecond, facts: served | placed})
		}
		l.read(s, time.Now())
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 {
			key += 0x9e3779b97f4a7c15
			l.write(&line{cell: &s.cells[0], key: key, at: time.Now().UnixNano(), took: time.Millisecond, facts: served | placed})
		}
		l.read(s, time.Now())
	}
}

// Where the event that began the test does not know what slow means, the test
// learns it from the monolith's answers, and goes on.
func TestATestLearnsWhatSlowMeans(t *testing.T) {
	r := ramp(t, "", ", fallback: {off: true}", nil)
	now := time.Now()
	l := &r.gateway.books.of("orders").ledger
	l.mu.Lock()
	for range 30 {
		l.count.all.Latency.Add(now.Add(-time.Minute), 40*time.Millisecond)
	}
	l.mu.Unlock()
	taus := r.cell("").Taus
	if p50 := taus[0]; p50 < 39*time.Millisecond || p50 > 41*time.Millisecond || taus[evidence.FirstByteP99] != 0 {
		t.Fatalf("%v", taus)
	}
	c := &r.gateway.snapshot.Load().standings[0].cells[0]
	if l := c.known(); l.by[evidence.Legacy][0] != taus[0] || l.by[evidence.Modern][0] != 2*taus[0] || l.slowest != 2*taus[0] {
		t.Errorf("%+v", l)
	}
	l.mu.Lock()
	for range 2000 { // more is known later, and what is known stays
		l.count.all.Latency.Add(now.Add(-2*time.Minute), 80*time.Millisecond)
	}
	l.count.of(c).learn = time.Time{}
	l.mu.Unlock()
	if later := r.cell("").Taus; later[0] != taus[0] || later[evidence.FirstByteP99] < 78*time.Millisecond {
		t.Errorf("%v", later)
	}
}
