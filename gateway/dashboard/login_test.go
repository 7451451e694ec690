package dashboard

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A browser keeps cookies, and follows no redirects so that tests see them.
type browser struct {
	g   *gateway
	jar http.CookieJar
}

func (g *gateway) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return &browser{g, jar}
}

func (b *browser) ask(method, path, body string, edits ...func(*http.Request)) reply {
	b.g.t.Helper()
	at, err := url.Parse(b.g.url)
	if err != nil {
		b.g.t.Fatal(err)
	}
	r := b.g.ask(method, path, body, append([]func(*http.Request){with("Sec-Fetch-Site", "same-origin"), func(r *http.Request) {
		for _, c := range b.jar.Cookies(at) {
			r.AddCookie(c)
		}
	}}, edits...)...)
	b.jar.SetCookies(at, r.Cookies())
	return r
}

// login submits the form.
func (b *browser) login(token access.Token, name, next string) reply {
	b.g.t.Helper()
	form := url.Values{"token": {token.Reveal()}, "name": {name}, "next": {next}}
	return b.ask(http.MethodPost, "/login", form.Encode(), with("Content-Type", "application/x-www-form-urlencoded"))
}

func (b *browser) cookie() string {
	at, _ := url.Parse(b.g.url)
	for _, c := range b.jar.Cookies(at) {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	return ""
}

func TestABrowserSignsInWithATokenAndOut(t *testing.T) {
	g := start(t)
	b := g.browser()
	page := b.ask(http.MethodGet, "/login?next=%2Fapi%2Fstate", "")
	contains(t, string(page.body), `name="token"`, `value="/api/state"`)
	refusedAs(t, b.ask(http.MethodPost, "/api/rollback", ""), http.StatusUnauthorized, Unauthorized)

	in := b.login(g.token, "ada", "/api/state")
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/api/state" {
		t.Fatalf("%d to %q: %s", in.StatusCode, in.Header.Get("Location"), in.body)
	}
	set := in.Header.Get("Set-Cookie")
	contains(t, set, "ficus_admin=", "HttpOnly", "SameSite=Strict", "Path=/")
	if strings.Contains(set, "Domain") {
		t.Error(set)
	}
	// Who has signed in has the name that they gave then; a header changes nothing about it.
	done := got[Change](t, b.ask(http.MethodPost, "/api/migrations/orders/rollback", "", as("eve")), http.StatusOK)
	if done.Migration.Actor != "ada" {
		t.Errorf("by %s", done.Migration.Actor)
	}
	// The cookie alone is not enough for another site.
	refusedAs(t, b.ask(http.MethodPost, "/api/rollback", "", with("Sec-Fetch-Site", "cross-site")), http.StatusForbidden, CrossOrigin)

	kept := b.cookie()
	if out := b.ask(http.MethodPost, "/logout", ""); out.StatusCode != http.StatusSeeOther || b.cookie() != "" {
		t.Errorf("%d, and the cookie is %q", out.StatusCode, b.cookie())
	}
	refusedAs(t, b.ask(http.MethodPost, "/api/rollback", "", with("Cookie", sessionCookie+"="+kept)), http.StatusUnauthorized, Unauthorized)
	if strings.Contains(g.logged.String(), kept) || strings.Contains(g.logged.String(), g.token.Reveal()) {
		t.Error("a secret is in the log")
	}
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{
		"/":                    "/",
		"/migrations/orders?x": "/migrations/orders?x",
		"":                     "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "/\tx": "/",
		"javascript:alert(1)": "/", "migrations": "/", "/login": "/", "/logout": "/", "///evil.example": "/", "/%": "/", "/\u202ex": "/", "/a b": "/",
	} {
		if got := nextPage(next); got != want {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func TestOnlyOwnersAndAdminsChangeAMigration(t *testing.T) {
	g := start(t)
	shift := func(token access.Token, id string) reply {
		return g.ask(http.MethodPost, "/api/migrations/"+id+"/shift", `{"shares": "shadow=10%", "reason": "try", "expect": 2}`, presents(token))
	}
	bob := g.issue("bob", access.Operator, "team-cart")
	p := refusedAs(t, shift(bob, "orders"), http.StatusForbidden, NotOwner)
	contains(t, p.Detail, "orders belongs to team-orders", "bob")
	done := got[Change](t, shift(g.issue("ada", access.Operator, "team-cart", "team-orders"), "orders"), http.StatusOK)
	if done.Migration.Actor != "ada" {
		t.Errorf("by %s", done.Migration.Actor)
	}
	got[Change](t, shift(bob, "cart"), http.StatusOK) // nobody's
	back := g.ask(http.MethodPost, "/api/migrations/orders/rollback", "", presents(g.issue("eve", access.Viewer)))
	got[Change](t, back, http.StatusOK)
}

// A session that somebody planted in a browser before the login is not the one
// after it, and the one of before opens nothing.
func TestALoginChangesTheSession(t *testing.T) {
	g := start(t)
	planted := with("Cookie", sessionCookie+"=0123456789abcdef0123456789abcdef0123456789a")
	form := url.Values{"token": {g.token.Reveal()}}.Encode()
	in := g.ask(http.MethodPost, "/login", form, with("Content-Type", "application/x-www-form-urlencoded"), planted)
	if in.StatusCode != http.StatusSeeOther {
		t.Fatal(in.StatusCode)
	}
	refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", planted), http.StatusUnauthorized, Unauthorized)

	b := g.browser()
	b.login(g.token, "ada", "/")
	first := b.cookie()
	b.login(g.token, "ada", "/")
	if b.cookie() == first {
		t.Error("the session is the same after another login")
	}
	refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", with("Cookie", sessionCookie+"="+first)), http.StatusUnauthorized, Unauthorized)
	got[RollbackAll](t, b.ask(http.MethodPost, "/api/rollback", ""), http.StatusOK)
}

func TestALoginFromAnotherOriginIsRefused(t *testing.T) {
	g := start(t)
	form := url.Values{"token": {g.token.Reveal()}}.Encode()
	for _, forge := range []func(*http.Request){with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Site", "same-site"), with("Origin", "https://evil.example")} {
		for _, path := range []string{"/login", "/logout"} {
			r := g.ask(http.MethodPost, path, form, with("Content-Type", "application/x-www-form-urlencoded"), forge)
			refusedAs(t, r, http.StatusForbidden, CrossOrigin)
			if r.Header.Get("Set-Cookie") != "" {
				t.Error("a cookie is set")
			}
		}
	}
}

func TestTheLoginPageRunsNothingOfOthers(t *testing.T) {
	g := start(t)
	hostile := `"><script>alert(1)</script>` + "\u202e"
	r := g.ask(http.MethodPost, "/login", url.Values{"token": {"x"}, "name": {hostile}, "next": {"/" + hostile}}.Encode(), with("Content-Type", "application/x-www-form-urlencoded"))
	if r.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", r.StatusCode)
	}
	policy, page := r.Header.Get("Content-Security-Policy"), string(r.body)
	if strings.Contains(page, "<script") || strings.Contains(page, "\u202e") || !strings.Contains(page, "&lt;script") {
		t.Errorf("%s", page)
	}
	contains(t, policy, "default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'")
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Error(policy)
	}
	_, nonce, _ := strings.Cut(policy, "style-src 'nonce-")
	nonce, _, _ = strings.Cut(nonce, "'")
	contains(t, page, `href="/assets/ficus.css" nonce="`+nonce+`">`)
	if again := g.get("/login").Header.Get("Content-Security-Policy"); strings.Contains(again, nonce) {
		t.Error("the nonce is used twice")
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
		if r.Header.Get(name) != want {
			t.Errorf("%s: %q", name, r.Header.Get(name))
		}
	}
}

// A page that keeps itself up to date on a screen that nobody looks at does not
// keep its session from ending.
func TestListeningIsNotUse(t *testing.T) {
	at := time.Now()
	shared := access.NewToken()
	g := start(t, func(d *Deps) {
		d.Door, d.ReadsNeedToken = door(t, access.Options{Shared: shared, Idle: time.Hour, Now: func() time.Time { return at }}), true
	})
	listening, acting := g.browser(), g.browser()
	listening.login(shared, "a", "/")
	acting.login(shared, "b", "/")
	for range 3 {
		at = at.Add(25 * time.Minute)
		listening.ask(http.MethodGet, "/api/version", "", with("Accept", "text/event-stream"))
		acting.ask(http.MethodGet, "/api/version", "", with("Accept", "*/*"))
	}
	refusedAs(t, listening.ask(http.MethodGet, "/api/version", ""), http.StatusUnauthorized, Unauthorized)
	got[Version](t, acting.ask(http.MethodGet, "/api/version", ""), http.StatusOK)
}
