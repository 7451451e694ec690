package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestShiftIsAnEventThatTheFollowerReads(t *testing.T) {
	g := start(t)
	r := g.ask(http.MethodPost, "/api/migrations/orders/shift", `{"shares": "live=5% shadow=95%", "reason": "first users", "expect": 1}`,
		g.bearing, as("alice"), with("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	done := got[Change](t, r, http.StatusOK)
	if !done.Applied || done.Seq != 3 || done.Migration.Split != "live=5% shadow=95%" || done.Migration.Seq != 3 || done.Migration.Stage != migrations.Live {
		t.Errorf("%+v", done)
	}
	if split := g.follower.State().Migrations["orders"].Split.String(); split != "live=5% shadow=95%" {
		t.Errorf("the follower has %s", split)
	}
	e := got[Event](t, g.get("/api/history/3"), http.StatusOK)
	if e.Actor != "alice" || e.Reason != "first users" || e.TraceID != "0af7651916cd43dd8448eb211c80319c" || e.Kind != migrations.Shifted {
		t.Errorf("%+v", e)
	}
}

func TestSharesMayBeAnObject(t *testing.T) {
	g := start(t)
	done := got[Change](t, g.post("/api/migrations/orders/shift", `{"shares": {"live": "5%", "shadow": "10%"}, "reason": "r", "expect": 1}`), http.StatusOK)
	if done.Migration.Split != "live=5% shadow=10% off=85%" {
		t.Error(done.Migration.Split)
	}
}

func TestHoldAndResume(t *testing.T) {
	g := start(t)
	m := got[Change](t, g.post("/api/migrations/orders/resume", `{"reason": "go", "expect": 1}`), http.StatusOK).Migration
	if m.Ramp != migrations.RampRunning || m.WaitsFor[0].For != "step" {
		t.Errorf("%+v", m)
	}
	m = got[Change](t, g.post("/api/migrations/orders/hold", `{"reason": "lunch", "expect": 3}`), http.StatusOK).Migration
	if m.Ramp != migrations.RampHeld || m.Reason != "lunch" || m.WaitsFor[0].For != "resume" {
		t.Errorf("%+v", m)
	}
}

func TestChangeOfAMigrationThatMovedOn(t *testing.T) {
	g := start(t)
	got[Change](t, g.post("/api/migrations/orders/shift", `{"shares": "live=1%", "reason": "first", "expect": 1}`), http.StatusOK)
	for _, verb := range []string{"shift", "hold", "resume"} {
		body := `{"reason": "r", "expect": 1}`
		if verb == "shift" {
			body = `{"shares": "live=50%", "reason": "r", "expect": 1}`
		}
		p := refusedAs(t, g.post("/api/migrations/orders/"+verb, body), http.StatusConflict, MovedOn)
		if *p.CurrentSeq != 3 || p.By != "alice" || p.Reason != "first" || p.Kind != "shifted" || p.Time == nil || p.Migration != "orders" {
			t.Errorf("%+v", p)
		}
		contains(t, p.Detail, "orders has moved on: now at 3 (alice shifted it just now)")
	}
	// An event of another migration is no conflict.
	got[Change](t, g.post("/api/migrations/cart/hold", `{"reason": "r", "expect": 2}`), http.StatusOK)
	// Nor is the seq of the whole state, which is newer.
	got[Change](t, g.post("/api/migrations/orders/hold", `{"reason": "r", "expect": 4}`), http.StatusOK)
}

// Law 5: of clients that saw the same state, one wins, and the others are told who.
func TestRacingClientsOneWins(t *testing.T) {
	g := start(t)
	for round := range 20 {
		expect := got[Migration](t, g.get("/api/migrations/orders"), http.StatusOK).Seq
		var wg sync.WaitGroup
		replies := make([]reply, 2)
		for i := range replies {
			wg.Go(func() {
				body := fmt.Sprintf(`{"shares": "live=%d%%", "reason": "race", "expect": %d}`, 1+2*round+i, expect)
				replies[i] = g.ask(http.MethodPost, "/api/migrations/orders/shift", body, g.bearing, as([]string{"alice", "bob"}[i]))
			})
		}
		wg.Wait()
		won, lost := 0, 1
		if replies[0].StatusCode != http.StatusOK {
			won, lost = 1, 0
		}
		done := got[Change](t, replies[won], http.StatusOK)
		p := refusedAs(t, replies[lost], http.StatusConflict, MovedOn)
		if *p.CurrentSeq != done.Seq || p.By != done.Migration.Actor {
			t.Errorf("won %+v, lost %+v", done, p)
		}
	}
}

// A gateway that lags refuses what the log refuses, and can say who moved it.
func TestConflictThatOnlyTheLogKnows(t *testing.T) {
	g := start(t)
	old := g.follower.State()
	var mu sync.Mutex
	reading := old // what this gateway has read; it reads on when it is waited for
	d := g.deps
	d.State = func() migrations.State { mu.Lock(); defer mu.Unlock(); return reading }
	d.Wait = func(ctx context.Context, seq uint64) (migrations.State, error) {
		s, err := g.follower.Wait(ctx, seq)
		mu.Lock()
		defer mu.Unlock()
		reading = s
		return s, err
	}
	g.url = g.serve(d)
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Held, Actor: "bob", Reason: "wait"})
	p := refusedAs(t, g.post("/api/migrations/orders/shift", `{"shares": "live=1%", "reason": "r", "expect": 1}`), http.StatusConflict, MovedOn)
	if *p.CurrentSeq != 3 || p.By != "bob" || p.Kind != "held" {
		t.Errorf("%+v", p)
	}
}

func TestChangeThatIsNotReadInTimeIsAccepted(t *testing.T) {
	g := start(t, func(d *Deps) { d.Patience = 50 * time.Millisecond })
	g.stopRead()
	done := got[Change](t, g.post("/api/migrations/orders/shift", `{"shares": "live=5%", "reason": "r", "expect": 1}`), http.StatusAccepted)
	if done.Applied || done.Seq != 3 || done.Migration.Split != "off=100%" {
		t.Errorf("%+v", done)
	}
	s, err := migrations.Latest(t.Context(), g.log)
	if err != nil || s.Migrations["orders"].Split.String() != "live=5% off=95%" {
		t.Errorf("the log has %v, %v", s.Migrations["orders"], err)
	}
}

func TestLogThatDoesNotTakeAChange(t *testing.T) {
	g := start(t)
	_ = g.log.Close()
	p := refusedAs(t, g.post("/api/migrations/orders/shift", `{"shares": "live=5%", "reason": "r", "expect": 1}`), http.StatusServiceUnavailable, LogUnavailable)
	contains(t, p.Detail, "orders", "the log is closed", "traffic stays where it is")
	p = refusedAs(t, g.post("/api/migrations/orders/rollback", ``), http.StatusServiceUnavailable, LogUnavailable)
	contains(t, p.Detail, "NOT rolled back: orders")
	p = refusedAs(t, g.post("/api/rollback", ``), http.StatusServiceUnavailable, LogUnavailable)
	contains(t, p.Detail, "NOT rolled back: cart, orders")
	p = refusedAs(t, g.get("/api/history"), http.StatusServiceUnavailable, LogUnavailable)
	contains(t, p.Detail, "goes on with the state it has")
}

func TestChangesThatAreRefused(t *testing.T) {
	g := start(t, func(d *Deps) { d.Patience = 50 * time.Millisecond })
	big := strings.Repeat("x", maxBody)
	tests := []struct {
		name, path, body string
		status           int
		kind             ProblemType
		detail           string
	}{
		{"no expectation", "orders/shift", `{"shares": "live=5%", "reason": "r"}`, 428, NoExpectation, `GET /api/migrations/orders gives it, and it is 1 now`},
		{"no reason", "orders/shift", `{"shares": "live=5%", "expect": 1}`, 422, BadRequest, "reason: say why"},
		{"blank reason", "orders/hold", `{"reason": " \n\t ", "expect": 1}`, 422, BadRequest, "reason: say why"},
		{"no shares", "orders/shift", `{"reason": "r", "expect": 1}`, 422, Refused, "say which share moves"},
		{"too much", "orders/shift", `{"shares": "live=60% shadow=50%", "reason": "r", "expect": 1}`, 422, Refused, "110%"},
		{"unknown stage", "orders/shift", `{"shares": "lvie=60%", "reason": "r", "expect": 1}`, 422, Refused, `no stage "lvie"; the stages are`},
		{"twice", "orders/shift", `{"shares": {"live": "5%", "live": "6%"}, "reason": "r", "expect": 1}`, 422, Refused, "live is given twice"},
		{"a number for a share", "orders/shift", `{"shares": {"live": 5}, "reason": "r", "expect": 1}`, 422, Refused, `live: write the share as a text, "5%"`},
		{"a number for shares", "orders/shift", `{"shares": 5, "reason": "r", "expect": 1}`, 422, Refused, `write them as`},
		{"unknown migration", "order/hold", `{"reason": "r", "expect": 1}`, 404, NoMigration, `no migration "order"; there are cart, orders`},
		{"ahead", "orders/hold", `{"reason": "r", "expect": 99}`, 409, Ahead, "read the log as far as 2, not 99"},
		{"no expectation at all", "orders/hold", `{"reason": "r", "expect": 18446744073709551615}`, 409, Ahead, "orders is at 1"},
		{"negative", "orders/hold", `{"reason": "r", "expect": -1}`, 400, BadRequest, "expect"},
		{"text", "orders/hold", `{"reason": "r", "expect": "1"}`, 400, BadRequest, "expect: a JSON string is not what belongs here"},
		{"unknown field", "orders/hold", `{"reason": "r", "expect": 1, "shares": "live=5%"}`, 400, BadRequest, `unknown field "shares"`},
		{"not JSON", "orders/hold", `reason=r`, 400, BadRequest, "not JSON"},
		{"cut short", "orders/hold", `{"reason": "r"`, 400, BadRequest, "ends in the middle"},
		{"two objects", "orders/hold", `{"reason": "r", "expect": 1} {}`, 400, BadRequest, "more than one"},
		{"an array", "orders/hold", `[]`, 400, BadRequest, "does not fit"},
		{"too large", "orders/hold", `{"reason": "` + big + `"}`, 413, TooLarge, "65536"},
		{"data has moved", "cart/rollback", ``, 200, "", ""}, // nothing is on the service yet
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := g.post("/api/migrations/"+test.path, test.body)
			if test.kind == "" {
				got[Change](t, r, test.status)
				return
			}
			contains(t, refusedAs(t, r, test.status, test.kind).Detail, test.detail)
		})
	}
	if head, _ := g.log.Head(t.Context()); head != 3 {
		t.Errorf("the refused changes left events: the head is %d", head)
	}
}

func TestResumeNeedsAPlan(t *testing.T) {
	g := start(t)
	g.append(migrations.Event{Migration: "gone", Kind: migrations.Created, From: "monolith", To: "gone"})
	p := refusedAs(t, g.post("/api/migrations/gone/resume", `{"reason": "r", "expect": 3}`), 422, Refused)
	contains(t, p.Detail, "the config in force does not have")
	if m := got[Migration](t, g.get("/api/migrations/gone"), 200); m.WaitsFor[0].For != "config" {
		t.Errorf("%+v", m)
	}
}

func TestBodyMustBeDeclaredJSON(t *testing.T) {
	g := start(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json;;"} {
		r := g.ask(http.MethodPost, "/api/migrations/orders/hold", `{"reason": "r", "expect": 1}`, g.bearing, with("Content-Type", kind))
		refusedAs(t, r, http.StatusUnsupportedMediaType, NotJSON)
	}
	r := g.ask(http.MethodPost, "/api/migrations/orders/hold", `{"reason": "r", "expect": 1}`, g.bearing, with("Content-Type", "application/json; charset=utf-8"))
	got[Change](t, r, http.StatusOK)
}

// What people write comes back as data, and can't play with a terminal or a browser.
func TestHostileTextsComeBackSafely(t *testing.T) {
	g := start(t)
	reason := "</script><script>alert(1)</script>\x1b[2J\r\nficus: all is well\u202e\u2028\"\\" + strings.Repeat("é", 2000)
	text, _ := json.Marshal(reason)
	r := g.ask(http.MethodPost, "/api/migrations/orders/hold", fmt.Sprintf(`{"reason": %s, "expect": 1}`, text), g.bearing, as("<b>mallory</b>\t"))
	m := got[Change](t, r, http.StatusOK).Migration
	if strings.ContainsAny(string(r.body), "<>\x1b\r\u202e\u2028") {
		t.Errorf("not escaped: %s", r.body)
	}
	contains(t, m.Reason, "</script><script>alert(1)</script> [2J  ficus: all is well  \"\\éé", "é…")
	if n := len([]rune(m.Reason)); n != 1000 || m.Actor != "<b>mallory</b>" {
		t.Errorf("%d runes by %q", n, m.Actor)
	}
	r = g.get("/api/migrations/" + "%3Cscript%3E%2F..%2F%0a")
	p := refusedAs(t, r, http.StatusNotFound, NoMigration)
	if p.Migration != "<script>/../\n" || p.Instance != "/api/migrations/%3Cscript%3E%2F..%2F%0a" || strings.Contains(string(r.body), "<script>") {
		t.Errorf("%s", r.body)
	}
}

func TestNobodyIsTheGatewayItself(t *testing.T) {
	g := start(t)
	r := g.ask(http.MethodPost, "/api/migrations/orders/rollback", ``, g.bearing, as("ficus"))
	contains(t, refusedAs(t, r, http.StatusBadRequest, BadRequest).Detail, "the gateway's own name")
	done := got[Change](t, g.ask(http.MethodPost, "/api/migrations/orders/rollback", ``, g.bearing), http.StatusOK)
	if done.Migration.Actor != "operator" {
		t.Error(done.Migration.Actor)
	}
}

func TestHowLongAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "just now", 3 * time.Second: "3 s ago", 119 * time.Second: "119 s ago", 5 * time.Minute: "5 min ago", 26 * time.Hour: "26 h ago",
	} {
		if text := ago(d); text != want {
			t.Errorf("%s: %s", d, text)
		}
	}
}
