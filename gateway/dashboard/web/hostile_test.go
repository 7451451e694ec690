package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// evil is what somebody may put wherever a text goes: markup, quotes, what
// turns the direction of writing, and a template's own words.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "\u202e\u2066{{.}}" + `</svg></title>--><a href="javascript:alert(3)">`

// Texts that come from traffic, people and addresses are shown as texts.
func TestHostileTextsAreShownAsTexts(t *testing.T) {
	w := busy(t)
	w.visit("/api/orders/"+url.PathEscape(evil)+"?q="+url.QueryEscape(evil), 10)
	w.visit("/api/orders/hostile", 10) // whose answers are hostile too
	w.visit("/api/cart/hostile", 10)
	eventually(t, "hostile findings", func() bool {
		for _, f := range w.findings() {
			for _, s := range f.Signs {
				if strings.Contains(s.Path, "<script>") {
					return true
				}
			}
		}
		return false
	})
	b := w.open(t, evil)
	b.expect("404 (Not Found)")
	b.expect("400 (Bad Request)")
	b.expect("409 (Conflict)") // another test may begin between the page and the form
	b.goTo("/migrations/orders")
	b.do(chromedp.SetValue(chromedp.CSS("#why"), evil+strings.Repeat("x", 50_000)))
	b.press("#shift")
	w.shift("cart", "live=1%", evil)
	b.do(chromedp.Navigate(w.admin + "/rollback"))
	b.do(chromedp.SetValue(chromedp.CSS("#why-freeze"), evil))
	b.press("form[action='/ramps/freeze'] button")

	paths := []string{
		"/?name=" + url.QueryEscape(evil), "/findings?endpoint=" + url.QueryEscape(evil), "/findings?migration=" + url.QueryEscape(evil), "/history?actor=" + url.QueryEscape(evil),
		"/history?migration=" + url.QueryEscape(evil), "/migrations/" + url.PathEscape(evil), "/findings/" + url.PathEscape(evil), "/history/" + url.PathEscape(evil),
		"/past?at=" + url.QueryEscape(evil), "/past?seq=" + url.QueryEscape(evil), "/routes?url=/" + url.QueryEscape(evil) + "&method=" + url.QueryEscape(evil) + "&find=" + url.QueryEscape(evil),
		"/routes?url=/api/orders/7&headers=" + url.QueryEscape("Cookie: uid="+evil), "/login?next=" + url.QueryEscape(evil), "/?done=" + url.QueryEscape(evil),
	}
	for _, p := range pages(w) {
		if p.name != "problem" {
			paths = append(paths, p.path)
		}
	}
	for _, f := range w.findings() {
		paths = append(paths, "/findings/"+f.ID, "/findings/"+f.ID+"?view=inline")
	}
	for _, path := range paths {
		b.goTo(path)
		for what, bad := range map[string]bool{
			"a script":  eval[int](b, "document.scripts.length") > 1,
			"a picture": eval[int](b, "document.querySelectorAll('img:not([src^=\"/assets/\"])').length") > 0,
			"a link":    eval[int](b, "[...document.links].filter(a => a.protocol === 'javascript:').length") > 0,
		} {
			if bad {
				t.Errorf("%s: %s became %s", path, "a text", what)
			}
		}
		if size := eval[int](b, "document.documentElement.outerHTML.length"); size > 200_000 {
			t.Errorf("%s: %d bytes", path, size)
		}
		if text := eval[string](b, "document.body.innerText"); strings.ContainsAny(text, "\u202e\u2066") && !strings.Contains(path, "%E2%80%AE") {
			t.Errorf("%s: what turns the direction of writing is shown", path)
		}
	}
	if h, err := w.client.History(t.Context(), dashboard.Filter{Limit: 1, Kind: migrations.Frozen}); err != nil || len(h.Events) != 1 {
		t.Errorf("%v, %v", h, err)
	}
}

// A form of another origin changes nothing, and a link of ours leads nowhere else.
func TestOtherOriginsChangeNothing(t *testing.T) {
	w := busy(t)
	before := w.last().Seq
	alice := w.session("alice")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		for _, path := range []string{"/migrations/orders/rollback", "/rollback", "/ramps/freeze", "/access/tokens", "/routes/reload"} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.admin+path, strings.NewReader("reason=x&name=x&role=admin"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			r.AddCookie(alice)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %d", path, name, res.StatusCode)
			}
		}
	}
	if w.last().Seq != before {
		t.Error("something was changed")
	}
}
