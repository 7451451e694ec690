package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// Who asks where somebody is is told of a local trip too, as the person would
// find it.
func TestWhoAsksIsToldOfATrip(t *testing.T) {
	g := gatewayOf(t, `
upstreams: {monolith: http://127.0.0.1:1, orders: http://127.0.0.1:2}
migrations: {orders: {from: monolith, to: orders, key: "header:X-User", flag: where}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`)
	at := func(stage migrations.Stage) {
		g.Apply(migrations.State{Seq: g.Snapshot().State.Seq + 1, Time: time.Now(), Migrations: map[string]migrations.Migration{"orders": {ID: "orders", Split: migrations.All(stage)}}})
	}
	ask := func() Ruling {
		r, ok := g.Evaluate(t.Context(), "where", Question{Key: "alice", Request: &http.Request{}})
		if !ok {
			t.Fatal("no such flag")
		}
		return r
	}
	if _, ok := g.Evaluate(t.Context(), "orders", Question{Request: &http.Request{}}); ok || len(g.Flags()) != 1 {
		t.Errorf("a migration is asked for by its id, and its flag has another key; there are %v", g.Flags())
	}
	at(migrations.Live)
	if r := ask(); r.Stage != migrations.Live || r.Safe != migrations.Modern || r.Unsafe != migrations.Legacy {
		t.Errorf("%+v", r)
	}
	g.Trip("orders", EveryCell)
	if r := ask(); r.Stage != migrations.Off || r.Safe != migrations.Legacy || r.Reason != tripped {
		t.Errorf("tripped: %+v", r)
	}
	at(migrations.Shadow)
	if r := ask(); r.Stage != migrations.Shadow {
		t.Errorf("tripped, and nobody was on the service: %+v", r)
	}
	at(migrations.Complete)
	if r := ask(); r.Stage != migrations.Complete || r.Safe != migrations.Modern {
		t.Errorf("what is complete has no trip: %+v", r)
	}
}
