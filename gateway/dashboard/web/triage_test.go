package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// of returns the finding of a migration that differs at a path.
func (w *world) of(migration, path string) dashboard.Finding {
	w.t.Helper()
	for _, f := range w.findings() {
		for _, s := range f.Signs {
			if f.Migration == migration && s.Path == path {
				return f
			}
		}
	}
	w.t.Fatalf("no finding at %s", path)
	return dashboard.Finding{}
}

func TestAFindingIsAcknowledgedMutedAndFixed(t *testing.T) {
	w := busy(t)
	f := w.of("cart", "$.note")
	b := w.open(t, "alice")
	b.goTo("/findings?migration=cart")
	b.press(".findings a")
	for _, step := range []struct {
		action string
		state  compare.State
	}{{"acknowledge", compare.Acknowledged}, {"mute", compare.Muted}, {"fix", compare.Fixed}} {
		b.fill("#why", "because of "+step.action)
		if status := b.press("[formaction$='/" + step.action + "'], form[action$='/" + step.action + "'] button"); status != http.StatusOK {
			t.Fatalf("%s: %d: %s", step.action, status, b.text(".notice"))
		}
		b.has(".notice.good", string(step.state))
		b.has(".title", string(step.state), "alice: because of "+step.action)
		for _, now := range w.findings() {
			if now.ID == f.ID && now.State != step.state {
				t.Errorf("it is %s", now.State)
			}
		}
	}
}

// Both answers, beside one another and one below the other, with exactly what differs marked.
func TestAFindingShowsWhatDiffers(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	b.goTo("/findings/" + w.of("orders", "$.total").ID)
	b.has(".diff.side", "total", "12.50", "12.05", "note", "not there")
	marks := eval[[]string](b, "[...document.querySelectorAll('mark')].map(m => m.innerText)")
	if strings.Join(marks, " ") != "50 05" {
		t.Errorf("marked are %q", marks)
	}
	b.press("a[href*='view=inline']")
	b.has(".diff.inline", "−", "+", "12.50", "12.05")
	traces := eval[[]string](b, "[...document.querySelectorAll('.example code')].map(c => c.innerText)")
	if len(traces) != 3 || len(traces[1]) != 32 || len(traces[2]) != 32 {
		t.Errorf("asked for and traces: %q", traces)
	}
}

func TestTheCommandsAreCopied(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		params := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: "granted", Origin: w.admin, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID}
		if _, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, params); err != nil {
			t.Fatal(err)
		}
	}
	b.goTo("/findings/" + w.of("orders", "$.total").ID)
	b.do(chromedp.Click(chromedp.CSS("section[aria-labelledby=curl-title] .copies")))
	b.has("section[aria-labelledby=curl-title] .copies", "Copied")
	if text := evalAwait(b, "navigator.clipboard.readText()"); strings.Count(text, "curl -sSi") != 2 || !strings.Contains(text, "/api/orders/7") || !strings.Contains(text, "ficus compare legacy.http modern.http") {
		t.Errorf("%q", text)
	}
}

// An accepted rule counts at once, says whose it is, and can be taken back.
func TestASuggestedRuleIsAcceptedAndTakenBack(t *testing.T) {
	w := busy(t)
	w.shift("cart", "off=100%", "rest")
	b := w.open(t, "alice")
	f := w.of("cart", "$.note")
	b.goTo("/findings/" + f.ID)
	b.has("section[aria-labelledby=rules-title]", "Compare nothing at $.note", "resolves", "do: ignore")
	b.fill("#accept-why", "the note is the monolith's own")
	if status := b.press("form[action$='/accept'] button.main"); status != http.StatusOK {
		t.Fatalf("%d: %s", status, b.text(".notice"))
	}
	b.has(".title", "acknowledged", "the note is the monolith's own", "accepted by ignore")
	before := f.Count
	w.shift("cart", "shadow=100%", "compare again")
	w.visit("/api/cart/7", 20)
	compared := func() uint64 {
		all, err := w.client.Comparisons(t.Context(), "cart")
		if err != nil {
			t.Fatal(err)
		}
		return all.Comparisons[0].Counts.Outcomes[compare.Match]
	}
	eventually(t, "answers match now", func() bool { return compared() >= 20 })
	if after := w.of("cart", "$.note").Count; after != before {
		t.Errorf("%d observations of it, %d before", after, before)
	}
	b.goTo("/migrations/cart")
	b.has("#compared", "Accepted until the config has it", "ignore: $.note", "alice, until")
	for range f.Signs {
		b.press(".taken button")
	}
	b.goTo("/migrations/cart")
	time.Sleep(10 * time.Millisecond)
	if text := b.text("#compared"); strings.Contains(text, "Accepted until") {
		t.Errorf("%s", text)
	}
	w.visit("/api/cart/7", 5)
	eventually(t, "it is found again", func() bool { return w.of("cart", "$.note").Count > before })
}
