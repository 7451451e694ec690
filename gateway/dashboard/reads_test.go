package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

func TestStateShowsPlanTrafficAndWhatIsWaitedFor(t *testing.T) {
	counts := TrafficCounts{Since: time.Now(), Legacy: SideCounts{Requests: 9, Failed: 1}, Keyless: 2}
	g := start(t, func(d *Deps) {
		d.Traffic = func(id string) TrafficCounts { return map[string]TrafficCounts{"orders": counts}[id] }
	})
	s := got[State](t, g.get("/api/state"), http.StatusOK)
	if s.Seq != 2 || s.Past || s.Time == nil || len(s.Migrations) != 2 || s.Migrations[0].ID != "cart" {
		t.Fatalf("%+v", s)
	}
	m := s.Migrations[1]
	if m.Stage != migrations.Off || m.Split != "off=100%" || m.Shares[0].Buckets != migrations.Buckets || m.Owner != "team-orders" ||
		m.Traffic.Legacy != counts.Legacy || m.Traffic.Keyless != 2 || m.WaitsFor[0].For != "resume" || m.Plan == "" {
		t.Errorf("%+v", m)
	}
	if len(m.Steps) != 3 || m.Steps[1] != (Step{Split: "live=1% shadow=99%", Hold: "1h0m0s", Requests: 300}) || !m.Steps[2].Approve {
		t.Errorf("%+v", m.Steps)
	}
}

func TestEmptyLogHasAState(t *testing.T) {
	g := start(t, func(d *Deps) { d.State = func() migrations.State { return migrations.State{} } })
	contains(t, string(g.get("/api/state").body), `"migrations": []`)
	contains(t, string(g.get("/api/history").body), `"events": []`)
	contains(t, refusedAs(t, g.get("/api/migrations/x"), http.StatusNotFound, NoMigration).Detail, "there are none yet")
}

func TestRoutesShowWhereTheConfigSaysThemButNoSecrets(t *testing.T) {
	g := start(t)
	r := g.get("/api/routes")
	table := got[Table](t, r, http.StatusOK)
	if table.File != "ficus.yaml" || len(table.Routes) != 2 || table.Routes[0].At != "ficus.yaml:42" || table.Routes[0].Migration != "orders" || table.Routes[1].Upstream != "monolith" {
		t.Errorf("%+v", table)
	}
	contains(t, string(r.body), `"set X-Upstream-Key"`, `"remove X-Debug"`, `"X-Beta=1"`, `"Authorization=(hidden)"`, `"strip /api"`, `"5s"`)
	if strings.Contains(string(r.body), "secret") {
		t.Errorf("a secret is shown: %s", r.body)
	}
}

func TestReloadTellsAllThatIsWrong(t *testing.T) {
	last := ReloadStatus{}
	bad := ReloadStatus{Time: time.Now(), Problems: routes.Problems{
		{At: routes.Position{File: "ficus.yaml", Line: 14, Col: 9}, Path: "migrations.orders.to", Text: `no upstream "order"`, Hint: `did you mean "orders"?`},
		{Text: "<b>"},
	}}
	g := start(t, func(d *Deps) {
		d.LastReload = func() ReloadStatus { return last }
		d.Reload = func(context.Context) ReloadStatus { return last }
	})
	last = bad
	p := refusedAs(t, g.post("/api/reload", ``), http.StatusUnprocessableEntity, ConfigInvalid)
	contains(t, p.Detail, "the last good one serves on", `ficus.yaml:14:9: migrations.orders.to: no upstream "order"; did you mean "orders"?`)
	if len(p.Errors) != 2 || p.Errors[0].Line != 14 || p.Errors[0].Hint != `did you mean "orders"?` {
		t.Errorf("%+v", p.Errors)
	}
	if r := got[Reload](t, g.get("/api/config/reload"), http.StatusOK); r.OK || len(r.Errors) != 2 || r.Time == nil {
		t.Errorf("%+v", r)
	}
	last = ReloadStatus{Time: time.Now(), OK: true, Hash: "abc", Restart: []string{"listen"}, Warnings: bad.Problems[:1]}
	if r := got[Reload](t, g.post("/api/reload", `{}`), http.StatusOK); !r.OK || r.Restart[0] != "listen" || len(r.Warnings) != 1 {
		t.Errorf("%+v", r)
	}
	refusedAs(t, g.post("/api/reload", `{"force": true}`), http.StatusBadRequest, BadRequest)
}

func TestExplainAsksTheDataPlane(t *testing.T) {
	bucket := 0
	g := start(t, func(d *Deps) {
		table := d.Table()
		d.Explain = func(_ context.Context, r ExplainRequest) (Explanation, error) {
			if r.URL == "/fail" {
				return Explanation{}, errors.New("no such luck")
			}
			route := RouteOf(table.Routes[0])
			return Explanation{
				Method: r.Method, URL: r.URL, Route: &route, Migration: "orders", Flag: "orders", Stage: migrations.Live, Variant: "live", Reason: "SPLIT",
				Key: "header:X-User", Bucket: &bucket, Side: migrations.Modern, Upstream: "orders", Target: "/orders/7",
				Nearly: []NearMiss{{Route: "rest", Why: "is less specific"}}, Why: r.Header["X-User"],
			}, nil
		}
	})
	q := url.Values{"method": {"HEAD"}, "url": {"/api/orders/7?x=1"}, "header": {"X-User: 4:2", "x-user:43"}}
	e := got[Explanation](t, g.get("/api/explain?"+q.Encode()), http.StatusOK)
	if e.Method != "HEAD" || e.URL != "/api/orders/7?x=1" || len(e.Why) != 2 || e.Why[0] != "4:2" || e.Why[1] != "43" || *e.Bucket != 0 || e.Route.At != "ficus.yaml:42" {
		t.Errorf("%+v", e)
	}
	e = got[Explanation](t, g.post("/api/explain", `{"url": "/api/orders/7", "header": {"X-User": ["42"]}}`), http.StatusOK)
	if e.Method != http.MethodGet || e.Why[0] != "42" {
		t.Errorf("%+v", e)
	}
	for query, detail := range map[string]string{
		"":                        "say which request",
		"url=api":                 "neither a path",
		"url=/%00":                "neither a path",
		"url=/&method=GE%20T":     "is not a method",
		"url=/&header=X":          "Name: value",
		"url=/&header=a%20b:1":    "not a name",
		"url=/&header=a:b%0d%0ac": "can't be sent",
		"url=/&headers=a:b":       "no parameter",
	} {
		contains(t, refusedAs(t, g.get("/api/explain?"+query), http.StatusBadRequest, BadRequest).Detail, detail)
	}
	contains(t, refusedAs(t, g.get("/api/explain?url=/fail"), http.StatusUnprocessableEntity, BadRequest).Detail, "no such luck")
}

func TestReadinessHasDetailAndDrainingIsNotReady(t *testing.T) {
	ready := Readiness{Ready: true, Checks: []Check{{Name: "config", OK: false, Detail: "the last reload failed; the one before serves"}}}
	g := start(t, func(d *Deps) { d.Ready = func() Readiness { return ready } })
	if r := got[Readiness](t, g.get("/readyz"), http.StatusOK); r.Checks[0].OK || !r.Ready {
		t.Errorf("%+v", r)
	}
	ready.Draining = true
	if r := got[Readiness](t, g.get("/readyz"), http.StatusServiceUnavailable); r.Ready || !r.Draining {
		t.Errorf("%+v", r)
	}
	got[Health](t, g.get("/healthz"), http.StatusOK)
}

func TestWhatIsNotWiredSaysSo(t *testing.T) {
	g := start(t)
	refusedAs(t, g.get("/metrics"), http.StatusNotFound, NotFound)
	refusedAs(t, g.get("/api/explain?url=/"), http.StatusNotFound, NotFound)
	refusedAs(t, g.post("/api/reload", ``), http.StatusNotFound, NotFound)
	contains(t, string(g.get("/api/upstreams").body), `"upstreams": []`)
	if r := got[Reload](t, g.get("/api/config/reload"), http.StatusOK); !r.OK || r.Time != nil {
		t.Errorf("%+v", r)
	}
	if r := got[Readiness](t, g.get("/readyz"), http.StatusOK); !r.Ready {
		t.Errorf("%+v", r)
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("a dashboard of nothing")
	}
}

func TestTheProcess(t *testing.T) {
	g := start(t, func(d *Deps) {
		d.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = w.Write([]byte("up 1\n"))
		})
		d.Upstreams = func() []UpstreamStatus {
			return []UpstreamStatus{{Name: "monolith", Endpoints: []EndpointStatus{{URL: "http://127.0.0.1:3000", Healthy: true, InFlight: 3}}}, {Name: "orders"}}
		}
	})
	if v := got[Version](t, g.get("/api/version"), http.StatusOK); v.Version != "1.2.3" || v.Go == "" {
		t.Errorf("%+v", v)
	}
	if u := got[Upstreams](t, g.get("/api/upstreams"), http.StatusOK); u.Upstreams[0].Endpoints[0].InFlight != 3 {
		t.Errorf("%+v", u)
	}
	contains(t, string(g.get("/metrics").body), "up 1\n")
	contains(t, string(g.get("/").body), "ficus 1.2.3", "POST   /api/migrations/{id}/rollback", "take all traffic back to the monolith")
	contains(t, string(g.get("/api/openapi.json").body), `"openapi": "3.1.0"`)
	contains(t, string(g.ask(http.MethodGet, "/debug/pprof/", "", g.bearing).body), "goroutine", "heap")
	contains(t, string(g.ask(http.MethodGet, "/debug/pprof/goroutine?debug=1", "", g.bearing).body), "goroutine profile:")
	refusedAs(t, g.ask(http.MethodGet, "/debug/pprof/none", "", g.bearing), http.StatusNotFound, NotFound)
	if r := g.ask(http.MethodHead, "/api/state", ""); r.StatusCode != http.StatusOK || len(r.body) != 0 {
		t.Errorf("HEAD: %d, %q", r.StatusCode, r.body)
	}
}
