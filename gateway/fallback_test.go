package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// migrating makes a gateway with everybody at a stage; more are lines of the
// migration, fallback the route's.
func migrating(t testing.TB, legacy, modern string, stage migrations.Stage, migration, fallback string) (string, *Gateway) {
	t.Helper()
	config := fmt.Sprintf(`
trusted_proxies: [127.0.0.1/32]
upstreams: {monolith: "%s", orders: {url: "%s", timeout: {connect: 1s}}}
migrations:
  orders: {from: monolith, to: orders, key: [header:X-User]%s}
routes:
  - {path: /api/orders/*, migration: orders%s}
  - {path: /*, upstream: monolith}
`, legacy, modern, migration, fallback)
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := migrations.State{Seq: 1, Migrations: map[string]migrations.Migration{
		"orders": {ID: "orders", From: "monolith", To: "orders", Seq: 1, Split: migrations.All(stage)},
	}}
	g, err := New(Options{Table: tableOf(t, config), State: state, Assigner: assigner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.Close(t.Context())
		assigner.Close()
	})
	return "http://" + listen(t, g, routes.Listener{}), g
}

func TestTheMonolithAnswersWhereTheServiceFails(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(code)
		}
	}
	reset := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c, _, _ := w.(http.Hijacker).Hijack()
		c.Close()
	}
	hang := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	const shared = ", data: shared, writes: follow"
	for name, c := range map[string]struct {
		service   http.HandlerFunc // nil: it refuses connections
		method    string
		body      string
		key       string // Idempotency-Key
		stage     migrations.Stage
		migration string
		fallback  string
		want      int    // status for the user
		reason    string // of the fallback; empty: none
	}{
		"500":                         {service: status(500), want: 200, reason: "status"},
		"503":                         {service: status(503), want: 200, reason: "status"},
		"501 is not on the list":      {service: status(501), want: 501},
		"a list of its own":           {service: status(501), fallback: ", fallback: {statuses: [501]}", want: 200, reason: "status"},
		"404 is an answer":            {service: status(404), want: 404},
		"refused":                     {want: 200, reason: "connect"},
		"reset":                       {service: reset, want: 200, reason: "reset"},
		"hanging":                     {service: hang, fallback: ", fallback: {after: 50ms}", want: 200, reason: "timeout"},
		"turned off":                  {service: status(500), fallback: ", fallback: {off: true}", want: 500},
		"complete has no way back":    {service: status(500), stage: migrations.Complete, want: 500},
		"moved data has no way back":  {service: status(500), migration: ", data: moved", want: 500},
		"a PUT is sent again whole":   {service: status(500), method: "PUT", body: "a bike", migration: shared, want: 200, reason: "status"},
		"a PUT that was reset":        {service: reset, method: "PUT", body: "a bike", migration: shared, want: 200, reason: "reset"},
		"a POST may have been taken":  {service: status(500), method: "POST", body: "a bike", migration: shared, want: 500},
		"a POST that was never sent":  {method: "POST", body: "a bike", migration: shared, want: 200, reason: "connect"},
		"a POST without consent":      {service: status(500), method: "POST", body: "x", key: "k", migration: shared, want: 500},
		"a POST without a key":        {service: status(500), method: "POST", body: "x", migration: shared, fallback: ", fallback: {unsafe: true}", want: 500},
		"a POST with key and consent": {service: status(500), method: "POST", body: "x", key: "k", migration: shared, fallback: ", fallback: {unsafe: true}", want: 200, reason: "status"},
	} {
		t.Run(name, func(t *testing.T) {
			var monolith, service atomic.Int64
			legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				monolith.Add(1)
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%s %s", r.Method, body)
			}))
			defer legacy.Close()
			var modern string
			if c.service == nil {
				ln, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				modern = "http://" + ln.Addr().String()
				ln.Close()
			} else {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					service.Add(1)
					c.service(w, r)
				}))
				defer server.Close()
				modern = server.URL
			}
			if c.stage == "" {
				c.stage = migrations.Live
			}
			if c.method == "" {
				c.method = "GET"
			}
			url, g := migrating(t, legacy.URL, modern, c.stage, c.migration, c.fallback)
			r, err := http.NewRequest(c.method, url+"/api/orders/1", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-User", "alice")
			if c.key != "" {
				r.Header.Set("Idempotency-Key", c.key)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != c.want || res.Header.Get("Ficus-Fallback") != c.reason {
				t.Errorf("status %d with fallback %q, want %d with %q", res.StatusCode, res.Header.Get("Ficus-Fallback"), c.want, c.reason)
			}
			if want := c.method + " " + c.body; c.reason != "" && string(text) != want {
				t.Errorf("the monolith answered %q, want %q", text, want)
			}
			if asked := monolith.Load(); (asked == 1) != (c.reason != "") {
				t.Errorf("the monolith was asked %d times", asked)
			}
			counts := settledCounts(g)
			failed := uint64(0)
			if c.reason != "" || c.want >= 500 {
				failed = 1
			}
			if counts.Modern != 1 || counts.ModernFailed != failed || counts.Legacy != 0 {
				t.Errorf("counts are %+v, want one request of the service, failed %d", counts, failed)
			}
			if used := g.reserve.bytes.Used(); used != 0 {
				t.Errorf("%d bytes were not given back", used)
			}
		})
	}
}

// settledCounts waits for the handler of the one request to have ended.
func settledCounts(g *Gateway) Counts {
	for range 200 {
		if c := g.Counts("orders"); c.Modern+c.Legacy > 0 && g.InFlight() == 0 {
			return c
		}
		time.Sleep(5 * time.Millisecond)
	}
	return g.Counts("orders")
}

// When both fail, the monolith's failure is what its users know, and the
// service's is what is counted.
func TestBothSidesFail(t *testing.T) {
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }))
	defer legacy.Close()
	modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer modern.Close()
	url, g := migrating(t, legacy.URL, modern.URL, migrations.Live, "", "")
	status, _ := request(t, "GET", url+"/api/orders/1", nil)
	if status != 502 {
		t.Errorf("status %d, want the monolith's 502", status)
	}
	if c := settledCounts(g); c.ModernFailed != 1 || c.LegacyFailed != 0 {
		t.Errorf("counts are %+v: the failure is the service's, once", c)
	}
}

// The service may answer while its request is still being written: what is
// kept of the body is looked at only when nobody writes there any more.
func TestABodyIsSentAgainOnlyWhenAllOfItIsKept(t *testing.T) {
	rec := &record{}
	rec.outgoing.Body, rec.keeps = strings.NewReader(""), true
	rec.kept.Init(shadow.NewBudget(1<<20), -1)
	defer rec.kept.Free()
	k := &keeper{iotest.DataErrReader(strings.NewReader("all of it")), rec, -1}
	rec.body.whole.Store(true) // the client has sent all, and it has not been kept yet
	rec.body.n = 9
	if _, ok := rec.bodyAgain(true); ok {
		t.Error("a body is sent again of which nothing is kept")
	}
	if _, err := k.Read(make([]byte, 32)); err != io.EOF {
		t.Fatal(err)
	}
	body, ok := rec.bodyAgain(true)
	if !ok {
		t.Fatal("it is not sent again")
	}
	if text, _ := io.ReadAll(body); string(text) != "all of it" {
		t.Errorf("%q", text)
	}
}
