package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestASliderPreviewsAndShifts(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/migrations/orders")
	b.live()
	b.has("#preview", "live=25% shadow=75%", "that is where it is")
	b.do(chromedp.SetValue(chromedp.CSS("#stage"), "live"))
	eventually(t, "the traffic is counted", func() bool {
		w.visit("/api/orders/7", 3)
		b.fill("#exact", "40")
		time.Sleep(300 * time.Millisecond) // as people who read the preview
		return strings.Contains(b.text("#preview"), "requests a second")
	})
	b.fill("#exact", "40")
	b.has("#preview", "live=40% shadow=60%", "people", "requests a second on the service", "go over to it")
	b.fill("#exact", "4x0")
	b.has("#preview", "write the share as a number")
	b.fill("#exact", "40")
	b.fill("#why", "half of the half")
	if status := b.press("#shift"); status != http.StatusOK {
		t.Fatalf("%d: %s", status, b.text(".notice"))
	}
	b.has(".notice.good", "orders was shifted to live=40% shadow=60%", "half of the half")
	if e := w.last(); e.Actor != "alice" || e.Reason != "half of the half" || e.Split != "live=40% shadow=60%" || e.Kind != migrations.Shifted {
		t.Errorf("%+v", e)
	}
	// The script has not moved the slider without the field: without an exact share it counts.
	b.do(chromedp.Evaluate[chromedp.Void](`{ const s = document.getElementById("share"); s.value = "70"; s.dispatchEvent(new Event("input", { bubbles: true })); }`))
	b.has("#preview", "live=70% shadow=30%")
	if got := eval[string](b, `document.getElementById("exact").value`); got != "70" {
		t.Errorf("the exact share is %q", got)
	}
}

func TestATogglePutsTheServiceInAndOut(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/migrations/cart") // in shadow
	if on := eval[string](b, `document.getElementById("toggle").getAttribute("aria-checked")`); on != "false" {
		t.Errorf("the toggle is %s", on)
	}
	b.do(chromedp.SetValue(chromedp.CSS("#stage"), "live"))
	b.fill("#exact", "100")
	b.fill("#why", "in")
	b.press("#toggle")
	if side := w.side("/api/cart/7", "anybody"); side != "modern" {
		t.Errorf("the next request goes to %s", side)
	}
	b.fill("#why", "out")
	b.press("#toggle")
	if side := w.side("/api/cart/7", "anybody"); side != "legacy" || w.one("cart").Split != "off=100%" {
		t.Errorf("the next request goes to %s, at %s", side, w.one("cart").Split)
	}
}

func TestRampIsHeldResumedSkippedApprovedRestartedFrozenAndThawed(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/migrations/orders")
	for _, step := range []struct {
		button, why string
		kind        migrations.Kind
	}{
		{"resume", "go on", migrations.Resumed}, {"hold", "wait", migrations.Held}, {"resume", "go on", migrations.Resumed}, {"approve", "yes", migrations.Approved},
		{"restart", "anew", migrations.Restarted}, {"skip", "no time", migrations.Skipped}, {"freeze", "holidays", migrations.Frozen}, {"thaw", "they are over", migrations.Thawed},
	} {
		b.fill("#why", step.why)
		if status := b.press(fmt.Sprintf("button[formaction='/migrations/orders/%s']", step.button)); status != http.StatusOK {
			t.Fatalf("%s: %d: %s", step.button, status, b.text(".notice"))
		}
		b.has(".notice.good", step.why)
		if e := w.last(); e.Kind != step.kind || e.Actor != "alice" || e.Reason != step.why {
			t.Errorf("%s: %+v", step.button, e)
		}
	}
	if m := w.one("orders"); m.Step != 3 || m.Split != "live=50% shadow=50%" {
		t.Errorf("%+v", m)
	}
	b.has("#ramp", "live=50% shadow=50%")
}

func TestAReasonIsAskedFor(t *testing.T) {
	w := busy(t)
	before := w.last().Seq
	b := w.open(t, "alice")
	b.goTo("/migrations/orders")
	b.do(chromedp.Click(chromedp.CSS("#shift"))) // the browser does not send it
	if focus := eval[string](b, "document.activeElement.id"); focus != "why" || w.last().Seq != before {
		t.Errorf("the focus is at %q, event %d", focus, w.last().Seq)
	}
}

// From any page, two clicks.
func TestAnybodySignedInRollsBackWithTwoClicks(t *testing.T) {
	w := busy(t)
	b := w.open(t, "bob")
	for _, p := range pages(w) {
		if p.name == "problem" {
			b.expect("404 (Not Found)")
		}
		w.shift("cart", "shadow=100%", "again")
		b.goTo(p.path)
		b.press("header .way-back")
		b.fill("#why-cart", "complaints")
		b.press("form[action='/migrations/cart/rollback'] button")
		b.has(".notice.good", "cart was rolled back to the monolith", "complaints")
		if e := w.last(); e.Kind != migrations.RolledBack || e.Actor != "bob" || e.Reason != "complaints" {
			t.Fatalf("%s: %+v", p.name, e)
		}
		if _, err := w.client.Resume(t.Context(), "cart", "go on", w.one("cart").Seq); err != nil {
			t.Fatal(err)
		}
	}
	// On the page of the migration it is one press, and the reason may be left out.
	b.goTo("/migrations/orders")
	b.press(".way button")
	if e := w.last(); e.Kind != migrations.RolledBack || e.Migration != "orders" || e.Reason != "" {
		t.Errorf("%+v", e)
	}
	if modern := w.visit("/api/orders/7", 20); modern != 0 {
		t.Errorf("%d requests went to the service", modern)
	}
}

func TestEverythingIsRolledBackAndFrozenAtOnce(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/rollback")
	b.fill("#why-freeze", "holidays")
	b.press("form[action='/ramps/freeze'] button")
	b.has("#status", "Ramps are frozen: holidays")
	b.fill("#why-all", "fire")
	b.press("form[action='/rollback'] button")
	b.has("main", "everybody is on the monolith")
	for _, id := range []string{"orders", "cart"} {
		if m := w.one(id); !m.RolledBack || m.Reason != "fire" {
			t.Errorf("%+v", m)
		}
	}
	b.fill("#why-freeze", "over")
	b.press("form[action='/ramps/thaw'] button")
	b.has("#status", "The gateway is well")
}

// Somebody who looks only is offered nothing, and gets nothing by force either.
func TestWhoIsNotSignedInIsLedToTheLogin(t *testing.T) {
	w := busy(t)
	b := w.open(t, "")
	b.goTo("/migrations/orders")
	b.has(".acts", "Sign in to roll it back", "Sign in to change it")
	if n := eval[int](b, "document.querySelectorAll('main form').length"); n != 0 {
		t.Errorf("%d forms", n)
	}
	before := w.last().Seq
	b.do(chromedp.Evaluate[chromedp.Void](`{ const f = document.createElement("form"); f.method = "post"; f.action = "/migrations/orders/rollback"; document.body.append(f); f.submit(); }`))
	b.has("h1", "Sign in")
	if w.last().Seq != before {
		t.Error("it was rolled back")
	}
	b.fill("#token", w.Token().Reveal())
	b.fill("#name", "carol")
	b.goTo("/login?next=/migrations/orders")
	b.fill("#token", w.Token().Reveal())
	b.fill("#name", "carol")
	b.press("form button")
	b.has(".who", "carol")
	b.has(".acts", "Roll back orders")
	b.goTo("/access")
	b.press("form[action='/logout'] button")
	b.goTo("/")
	b.has(".who", "Sign in")
}

// All that matters works without the script.
func TestFormsWorkWithoutTheScript(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.goTo("/migrations/orders")
	b.do(chromedp.SetAttributeValue(chromedp.CSS("#share"), "value", "60"))
	b.press("noscript button")
	b.has("#preview", "live=60% shadow=40%")
	b.fill("#why", "without a script")
	b.press("#shift")
	b.has(".notice.good", "orders was shifted to live=60% shadow=40%")
	b.goTo("/findings")
	b.press(".findings a")
	b.fill("#why", "known")
	b.press("form[action$='/acknowledge'] button")
	b.has(".notice.good", "acknowledged")
	b.goTo("/routes")
	b.fill("#url", "/api/cart/3")
	b.press(".asking button")
	b.has(".answer", "cart")
}

// With keys alone: to a migration, its slider, a shift, and the way back.
func TestKeyboardIsEnough(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/")
	b.keys(kb.Tab)
	if first := b.text(":focus"); first != "Skip to the content" {
		t.Errorf("the first stop is %q", first)
	}
	b.tabTo("a[href='/migrations/orders']")
	b.keys(kb.Enter)
	b.has("h1", "orders")
	b.tabTo("#why")
	b.do(chromedp.KeyEvent("by keys"))
	b.tabTo("#stage")
	b.tabTo("#share")
	b.keys(kb.End)
	b.has("#preview", "live=100%")
	b.keys(kb.Home, kb.ArrowRight, kb.ArrowRight)
	b.tabTo("#shift")
	b.keys(kb.Enter)
	b.has(".notice.good", "orders was shifted to live=")
	if e := w.last(); e.Reason != "by keys" || e.Actor != "alice" {
		t.Errorf("%+v", e)
	}
	b.tabTo("#back-why")
	b.do(chromedp.KeyEvent("keys too"))
	b.keys(kb.Enter)
	b.has(".notice.good", "orders was rolled back")
	if e := w.last(); e.Kind != migrations.RolledBack || e.Reason != "keys too" {
		t.Errorf("%+v", e)
	}
}

// What happens elsewhere is seen without asking.
func TestAnEventIsSeenOnEveryOpenPage(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/migrations/orders")
	b.live()
	if eval[bool](b, "!document.querySelector('.meanwhile').hidden") {
		t.Error("somebody changed it already")
	}
	began := time.Now()
	w.shift("orders", "live=30%", "from elsewhere")
	b.has(".head", "live=30% shadow=70%")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	b.has(".meanwhile", "Meanwhile", "ada", "from elsewhere")
	b.has("#latest", "orders was shifted to live=30% shadow=70%")
	b.goTo("/history")
	b.live()
	w.shift("orders", "live=31%", "once more")
	b.has(".newer", "There are newer events")
	b.goTo("/")
	b.live()
	w.shift("orders", "live=32%", "and once more")
	b.has("#migrations", "live=32% shadow=68%")
	b.has("#latest", "and once more")
}

// A page may be old. Then nothing is overrun, and what was entered is kept.
func TestTwoBrowsersRaceOnOneToggle(t *testing.T) {
	w := busy(t)
	people := []*tab{w.open(t, "alice"), w.open(t, "bob")}
	for i, b := range people {
		b.expect("409 (Conflict)")
		b.goTo("/migrations/orders")
		b.fill("#exact", fmt.Sprint(60+i))
		b.fill("#why", fmt.Sprint("mine: ", 60+i))
	}
	before := w.last().Seq
	status := make(chan [2]int, 2)
	for i, b := range people {
		go func() { status <- [2]int{i, b.press("#shift")} }()
	}
	got := map[int]int{}
	for range people {
		s := <-status
		got[s[0]] = s[1]
	}
	won, lost := 0, 1
	if got[0] != http.StatusOK {
		won, lost = 1, 0
	}
	if got[won] != http.StatusOK || got[lost] != http.StatusConflict {
		t.Fatalf("%v", got)
	}
	names := []string{"alice", "bob"}
	if e := w.last(); e.Seq != before+1 || e.Actor != names[won] {
		t.Errorf("%+v", e)
	}
	b := people[lost]
	b.has(".notice.bad", "Nothing was changed: "+names[won]+" was faster", fmt.Sprint("mine: ", 60+won))
	if role := eval[string](b, "document.querySelector('.notice').getAttribute('role')"); role != "alert" {
		t.Errorf("it is said as %q", role)
	}
	if why := eval[string](b, "document.getElementById('why').value"); why != fmt.Sprint("mine: ", 60+lost) {
		t.Errorf("the reason is %q", why)
	}
	b.has("#preview", fmt.Sprintf("live=%d%%", 60+lost))
	if status := b.press("#shift"); status != http.StatusOK { // now they know
		t.Errorf("%d", status)
	}
	if e := w.last(); e.Actor != names[lost] || !strings.HasPrefix(e.Split, fmt.Sprintf("live=%d%%", 60+lost)) {
		t.Errorf("%+v", e)
	}
}

// A page that is open when the gateway goes says so, and comes up to date when
// another one is there.
func TestAnOpenPageOutlivesTheGateway(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	for _, noise := range []string{"ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"} {
		b.expect(noise)
	}
	b.goTo("/migrations/orders")
	b.live()
	w.end()
	b.has("#connection", "Not live: trying to reach the gateway")
	w.start()
	b.has("#connection", "Live again: the gateway was restarted")
	w.shift("orders", "live=33%", "after the restart")
	b.has(".head", "live=33% shadow=67%")
	b.fill("#why", "the session holds") // and the form still works
	b.press(".way button")
	if e := w.last(); e.Kind != migrations.RolledBack || e.Actor != "alice" {
		t.Errorf("%+v", e)
	}
}
