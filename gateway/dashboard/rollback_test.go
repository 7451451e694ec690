package dashboard

import (
	"net/http"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// Law 6: rolling back needs less than moving forward.
func TestRollbackNeedsNoExpectationAndNoReason(t *testing.T) {
	g := start(t)
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live), Actor: "bob"})
	for _, body := range []string{``, `{}`, `{"reason": "errors"}`} {
		m := got[Change](t, g.post("/api/migrations/orders/rollback", body), http.StatusOK).Migration
		if m.Split != "off=100%" || !m.RolledBack || m.Ramp != migrations.RampHeld || m.Actor != "alice" || m.WaitsFor[0].For != "resume" {
			t.Errorf("%+v", m)
		}
	}
	refusedAs(t, g.post("/api/migrations/none/rollback", ``), http.StatusNotFound, NoMigration)
}

// Law 2: what the service took is given up knowingly, and the log says so.
func TestRollbackOfMovedDataMustAcceptTheLoss(t *testing.T) {
	g := start(t)
	g.append(migrations.Event{Migration: "cart", Kind: migrations.Shifted, Split: migrations.All(migrations.Complete), Actor: "bob"})
	p := refusedAs(t, g.post("/api/migrations/cart/rollback", `{"reason": "errors"}`), http.StatusConflict, Refused)
	contains(t, p.Detail, "has moved", "--accept-data-loss")
	done := got[Change](t, g.post("/api/migrations/cart/rollback", `{"reason": "errors", "accept_data_loss": true}`), http.StatusOK)
	if e := got[Event](t, g.get("/api/history/4"), http.StatusOK); done.Seq != 4 || !e.DataLoss {
		t.Errorf("%+v", e)
	}
}

func TestRollbackAllTakesBackWhatItMay(t *testing.T) {
	g := start(t)
	g.append(
		migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live), Actor: "bob"},
		migrations.Event{Migration: "cart", Kind: migrations.Shifted, Split: migrations.All(migrations.Live), Actor: "bob"},
	)
	all := got[RollbackAll](t, g.post("/api/rollback", `{"reason": "fire"}`), http.StatusOK)
	if !all.Applied || all.Seq != 5 || len(all.Migrations) != 1 || all.Migrations[0].Split != "off=100%" || len(all.Refused) != 1 || all.Refused[0].Migration != "cart" {
		t.Errorf("%+v", all)
	}
	contains(t, refusedAs(t, g.post("/api/rollback", ``), http.StatusConflict, Refused).Detail, "cart", "--accept-data-loss")
	all = got[RollbackAll](t, g.post("/api/rollback", `{"reason": "fire", "accept_data_loss": true}`), http.StatusOK)
	if len(all.Migrations) != 1 || all.Migrations[0].ID != "cart" || all.Refused != nil {
		t.Errorf("%+v", all)
	}
	all = got[RollbackAll](t, g.post("/api/rollback", ``), http.StatusOK)
	if all.Seq != 0 || !all.Applied || len(all.Migrations) != 0 {
		t.Errorf("%+v", all)
	}
}
