package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Upstreams are told of the decision, and hand it on as baggage; what a client
// says in Ficus's name is not (law 11).
func TestTheDecisionTravelsToUpstreams(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(r.Header) }))
	defer echo.Close()
	config := `
upstreams: {monolith: %[1]s, orders: %[1]s}
migrations: {orders: {from: monolith, to: orders, key: "header:X-User"}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`
	ask := func(url, path string, baggage ...string) http.Header {
		t.Helper()
		r, err := http.NewRequest("GET", url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"X-User": {"alice"}, "Ficus-Side": {"modern"}, "Ficus-Stage": {"complete"}, "Ficus-Migration": {"mine"}, "Baggage": baggage}
		res, err := browser(t, "h1", nil).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var got http.Header
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	state := func(g *Gateway, split migrations.Split) {
		g.Apply(migrations.State{Seq: g.Snapshot().State.Seq + 1, Time: time.Now(), Migrations: map[string]migrations.Migration{"orders": {ID: "orders", Split: split}}})
	}
	for _, c := range []struct {
		trusted bool
		stage   migrations.Stage
		path    string
		given   []string
		want    string // baggage
	}{
		{false, "live", "/orders/7", nil, "ficus.orders=live,ficus.side=modern"},
		{false, "shadow", "/orders/7", nil, "ficus.orders=shadow,ficus.side=legacy"},
		{false, "live", "/orders/7", []string{"a=1, ficus.orders=complete;x", "b=2"}, "a=1,b=2,ficus.orders=live,ficus.side=modern"},
		{false, "live", "/orders/7", []string{"ficus.carts=live,ficus.side=legacy"}, "ficus.orders=live,ficus.side=modern"},
		{true, "live", "/orders/7", []string{"ficus.carts=live,ficus.orders=off"}, "ficus.carts=live,ficus.orders=live,ficus.side=modern"},
		{false, "live", "/", []string{"a=1,ficus.carts=live"}, "a=1"},
		{false, "live", "/", []string{"ficus.carts=live"}, ""},
		{false, "live", "/", []string{"a=1", "b=2"}, "a=1|b=2"},
		{true, "live", "/", []string{"ficus.carts=live"}, "ficus.carts=live"},
		{false, "live", "/orders/7", []string{"a=" + strings.Repeat("x", 8190)}, "a=" + strings.Repeat("x", 8190)},
	} {
		text := fmt.Sprintf(config, echo.URL)
		if c.trusted {
			text += "trusted_proxies: 127.0.0.1\n"
		}
		g := gatewayOf(t, text)
		state(g, migrations.All(c.stage))
		got := ask("http://"+listen(t, g, routes.Listener{}), c.path, c.given...)
		if b := strings.Join(got["Baggage"], "|"); b != c.want {
			t.Errorf("%+v: baggage %.100q", c, b)
		}
		wantStage, wantMigration, wantSide := string(c.stage), "orders", "legacy"
		switch {
		case c.path == "/":
			wantStage, wantMigration, wantSide = "", "", ""
		case c.stage == migrations.Live:
			wantSide = "modern"
		}
		if got.Get("Ficus-Side") != wantSide {
			t.Errorf("%+v: Ficus-Side %q", c, got["Ficus-Side"])
		}
		if got.Get("Ficus-Stage") != wantStage || got.Get("Ficus-Migration") != wantMigration {
			t.Errorf("%+v: Ficus-Stage %q, Ficus-Migration %q", c, got["Ficus-Stage"], got["Ficus-Migration"])
		}
	}
}

// BenchmarkAnnounce tells an upstream of a decision.
func BenchmarkAnnounce(b *testing.B) {
	rec := &record{route: &route{announcement: announcementOf("orders")}}
	rec.Stage = migrations.Live
	h := http.Header{}
	b.ReportAllocs()
	for b.Loop() {
		clear(h)
		rec.announce(h)
	}
}
