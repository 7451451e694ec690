package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// ramping has the ramp of orders run at its first step, in shadow.
func ramping(t *testing.T, edits ...func(*Deps)) (g *gateway, seq uint64) {
	t.Helper()
	g = start(t, edits...)
	plan := g.deps.Table().Plans["orders"]
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Resumed})
	return g, g.append(migrations.Event{Migration: "orders", Kind: migrations.Stepped, Step: 1, Steps: 3, Split: plan.Split(1)})
}

func TestAPersonApprovesSkipsAndRestarts(t *testing.T) {
	g, seq := ramping(t)
	ask := func(verb string) Change {
		t.Helper()
		done := got[Change](t, g.post("/api/migrations/orders/"+verb, fmt.Sprintf(`{"reason": "r", "expect": %d}`, seq)), http.StatusOK)
		seq = done.Seq
		return done
	}
	if m := ask("approve").Migration; m.Cells[0].Approved != 2 || m.Step != 1 {
		t.Errorf("approved: %+v", m.Cells)
	}
	if m := ask("skip").Migration; m.Step != 2 || m.Split != "live=1% shadow=99%" || m.Tests != 2 {
		t.Errorf("skipped: %+v", m)
	}
	ask("hold")
	if m := ask("restart").Migration; m.Ramp != migrations.RampRunning || m.Tests != 3 {
		t.Errorf("restarted: %+v", m)
	}
	ask("hold")
	contains(t, refusedAs(t, g.post("/api/migrations/orders/skip", fmt.Sprintf(`{"reason": "r", "expect": %d}`, seq)), 422, Refused).Detail, "resume it first")
	contains(t, refusedAs(t, g.post("/api/migrations/orders/approve", `{"reason": "r", "expect": 1}`), 409, MovedOn).Detail, "moved on")
	contains(t, refusedAs(t, g.post("/api/migrations/orders/restart", fmt.Sprintf(`{"expect": %d}`, seq)), 422, BadRequest).Detail, "say why")
	contains(t, refusedAs(t, g.post("/api/migrations/orders/restart", `{"reason": "r"}`), http.StatusPreconditionRequired, NoExpectation).Detail, "say at which seq")
}

// Latency is watched after what a person does as after a step of the ramp.
func TestWhatAPersonBeginsIsHeldAgainstTheMonolithsLatency(t *testing.T) {
	var latency atomic.Int64
	g, seq := ramping(t, func(d *Deps) {
		d.Table().Plans["orders"].Guard.Latency = &migrations.LatencyGuard{Quantile: 0.9}
		d.Counts = func(string) (c evidence.Counts) {
			for range 1000 {
				c.Latency.Add(time.Now().Add(-time.Minute), time.Duration(latency.Load()))
			}
			return c
		}
	})
	for i, ask := range []string{`skip {`, `restart {`, `shift {"shares": "live=5%", `} {
		want := time.Duration(i+1) * 100 * time.Millisecond
		latency.Store(int64(want))
		verb, body, _ := strings.Cut(ask, " ")
		seq = got[Change](t, g.post("/api/migrations/orders/"+verb, fmt.Sprintf(`%s"reason": "r", "expect": %d}`, body, seq)), http.StatusOK).Seq
		if tau := g.deps.State().Migrations["orders"].Tau; (tau - want).Abs() > want/20 {
			t.Errorf("after %s slow is what takes longer than %s, want %s", verb, tau, want)
		}
	}
}

func TestACellIsMovedByItself(t *testing.T) {
	g := start(t, func(d *Deps) { d.Table().Plans["orders"].Cells = []migrations.Cell{{Name: "eu"}} })
	plan := g.deps.Table().Plans["orders"]
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Planned, Plan: plan.Hash(), Steps: 3, Cells: migrations.Cells{"eu": 0}})
	split := func(m Migration) string { return m.Cells[0].Split + ", " + m.Cells[1].Split }
	m := got[Change](t, g.post("/api/migrations/orders/shift", `{"shares": "live=5%", "cell": "eu", "reason": "r", "expect": 3}`), http.StatusOK).Migration
	if split(m) != "live=5% off=95%, off=100%" {
		t.Error(split(m))
	}
	m = got[Change](t, g.post("/api/migrations/orders/resume", `{"cell": "rest", "reason": "r", "expect": 4}`), http.StatusOK).Migration
	if m.Cells[0].Ramp == migrations.RampRunning || m.Cells[1].Ramp != migrations.RampRunning {
		t.Errorf("%+v", m.Cells)
	}
	m = got[Change](t, g.post("/api/migrations/orders/hold", `{"cell": "rest", "reason": "r", "expect": 5}`), http.StatusOK).Migration
	if m.Cells[1].Ramp != migrations.RampHeld {
		t.Errorf("%+v", m.Cells)
	}
	m = got[Change](t, g.post("/api/migrations/orders/rollback", `{"cell": "eu"}`), http.StatusOK).Migration
	if split(m) != "off=100%, off=100%" || !m.Cells[0].RolledBack || m.Cells[1].RolledBack {
		t.Errorf("%+v", m.Cells)
	}
	for verb, body := range map[string]string{
		"shift": `{"shares": "live=5%", "cell": "us", "reason": "r", "expect": 7}`, "hold": `{"cell": "us", "reason": "r", "expect": 7}`,
		"approve": `{"cell": "us", "reason": "r", "expect": 7}`,
	} {
		contains(t, refusedAs(t, g.post("/api/migrations/orders/"+verb, body), 422, Refused).Detail, `no cell "us"`)
	}
	contains(t, refusedAs(t, g.post("/api/migrations/orders/approve", `{"reason": "r", "expect": 7}`), 422, Refused).Detail, "say which one you approve: eu, rest")
}

func TestAFreezeNeedsNoExpectationAndAThawDoes(t *testing.T) {
	g, seq := ramping(t, func(d *Deps) { d.Patience = 500 * time.Millisecond })
	m := got[Change](t, g.post("/api/migrations/orders/freeze", `{"reason": "black friday"}`), http.StatusOK).Migration
	if m.Frozen != "black friday" {
		t.Errorf("%+v", m)
	}
	frozen := false
	for _, w := range m.WaitsFor {
		frozen = frozen || w.For == migrations.WaitFreeze
	}
	if !frozen {
		t.Errorf("it waits for %+v", m.WaitsFor)
	}
	refusedAs(t, g.post("/api/migrations/orders/freeze", `{}`), 422, BadRequest)
	refusedAs(t, g.post("/api/migrations/orders/thaw", `{"reason": "r"}`), http.StatusPreconditionRequired, NoExpectation)
	refusedAs(t, g.post("/api/migrations/orders/thaw", fmt.Sprintf(`{"reason": "r", "expect": %d}`, seq)), 409, MovedOn)
	if m := got[Change](t, g.post("/api/migrations/orders/thaw", fmt.Sprintf(`{"reason": "r", "expect": %d}`, m.Seq)), http.StatusOK).Migration; m.Frozen != "" {
		t.Errorf("%+v", m)
	}

	f := got[Freeze](t, g.post("/api/freeze", `{"reason": "an audit"}`), http.StatusOK)
	if f.Frozen != "an audit" || !f.Applied {
		t.Errorf("%+v", f)
	}
	if s := got[State](t, g.get("/api/state"), http.StatusOK); s.Frozen != "an audit" {
		t.Errorf("%+v", s)
	}
	refusedAs(t, g.post("/api/freeze", `{}`), 422, BadRequest)
	refusedAs(t, g.post("/api/thaw", `{"reason": "r"}`), http.StatusPreconditionRequired, NoExpectation)
	contains(t, refusedAs(t, g.post("/api/thaw", `{"reason": "r", "expect": 1}`), 409, MovedOn).Detail, "last changed at", "alice: all ramps frozen")
	refusedAs(t, g.post("/api/thaw", `{"reason": "r", "expect": 18446744073709551615}`), 409, Ahead)
	// What happens to one migration meanwhile does not matter.
	got[Change](t, g.post("/api/migrations/orders/rollback", `{}`), http.StatusOK)
	if f := got[Freeze](t, g.post("/api/thaw", fmt.Sprintf(`{"reason": "r", "expect": %d}`, f.Seq)), http.StatusOK); f.Frozen != "" {
		t.Errorf("%+v", f)
	}
}
