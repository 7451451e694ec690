package web_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// A config that is wrong is shown with the lines that are, and the last good
// one serves on.
func TestABadConfigIsShownWithItsLines(t *testing.T) {
	w := busy(t)
	good, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), "to: orders", "to: order", 1) + "  - {path: /x, upstream: nowhere, request: {set: {X-Token: hunter2}}}\n"
	w.edit(bad)
	b := w.open(t, "alice")
	b.goTo("/routes")
	b.press("form[action='/routes/reload'] button")
	b.has("#reload", "The files are not valid, and the last good table serves on", `no upstream "order"; did you mean "orders"?`, `no upstream "nowhere"`)
	offends := eval[[]string](b, "[...document.querySelectorAll('.offends')].map(l => l.innerText.trim())")
	if len(offends) < 2 || !strings.Contains(offends[0], "to: order") || !strings.Contains(strings.Join(offends, "\n"), "path: /x") {
		t.Errorf("%q", offends)
	}
	if strings.Contains(b.text("main"), "hunter2") {
		t.Error("a secret of the config is shown")
	}
	b.picture("routes-bad-config")
	b.has("#status", "config:")
	if side := w.side("/api/cart/7", "anybody"); side != "legacy" {
		t.Errorf("%s", side)
	}
	w.edit(string(good))
	b.press("form[action='/routes/reload'] button")
	b.has("#reload", "The table in force is what the files say")
}

func TestWhereARequestWouldGoIsExplained(t *testing.T) {
	w := busy(t)
	b := w.open(t, "")
	b.goTo("/routes")
	b.fill("#url", "https://shop.example/api/orders/7?x=1")
	b.press(".asking button")
	b.has(".answer", "It goes to", "/api/orders/7?x=1", "none: keyless", "What nearly took it")
	if n := eval[int](b, "document.querySelectorAll('tr.hit').length"); n != 1 {
		t.Errorf("%d routes are marked", n)
	}
	b.fill("#url", "not a url")
	b.press(".asking button")
	b.has(".wrong", "neither a path")
	b.fill("#find", "cart")
	b.press("form.find button")
	if n := eval[int](b, "document.querySelectorAll('.routes tbody tr').length"); n != 1 {
		t.Errorf("%d routes are found", n)
	}
}

func TestATokenIsMadeShownOnceAndRevoked(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/access")
	b.fill("#t-name", "pipeline")
	b.fill("#t-groups", "team-orders, team-cart")
	if status := b.press("form[action='/access/tokens'] button"); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	b.has(".made", "The token of pipeline", "shown this once")
	token := strings.TrimSpace(b.text(".made pre"))
	ask := func() int {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.admin+"/api/migrations/cart/rollback", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	if status := ask(); status != http.StatusOK || w.last().Actor != "pipeline" {
		t.Errorf("%d, by %s", status, w.last().Actor)
	}
	b.goTo("/access")
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), token) {
		t.Error("the token is shown again")
	}
	b.has("main", "pipeline", "team-orders", "token created")
	b.press("form[action$='/revoke'] button")
	b.has("main", "token revoked")
	if status := ask(); status != http.StatusUnauthorized {
		t.Errorf("the token still opens: %d", status)
	}
}

// What happened is asked for by migration, kind and actor, and answers why.
func TestHistoryIsFilteredAndAnswersWhy(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/migrations/cart")
	b.press(".way button")
	b.goTo("/history?actor=alice")
	if n := eval[int](b, "document.querySelectorAll('.log > li').length"); n != 1 {
		t.Errorf("%d events of alice", n)
	}
	b.goTo("/history?migration=orders&kind=shifted")
	b.has(".log", "shadow=100%", "live=25% shadow=75%")
	if text := b.text(".log"); strings.Contains(text, "cart") {
		t.Errorf("%s", text)
	}
	b.press(".log .asks")
	b.has("main", "the first users", "ada", "shifted", "shadow=100%", "live=25% shadow=75%")
	b.press(".beside a[href^='/past']")
	b.has("main", "After event", "orders", "cart")
	if w.last().Kind != migrations.RolledBack {
		t.Errorf("%+v", w.last())
	}
}
