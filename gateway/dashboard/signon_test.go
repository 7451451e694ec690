package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access/idptest"
)

// withSignOn starts a gateway whose people come by way of an identity provider.
func withSignOn(t *testing.T, idp *idptest.Provider, edits ...func(*access.Options)) *gateway {
	t.Helper()
	var handler http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	g := start(t, func(d *Deps) {
		o := access.Options{Shared: access.NewToken(), Logger: d.Logger, SignOn: &access.SignOnOptions{
			Issuer: idp.URL, ClientID: idptest.ClientID, ClientSecret: idptest.ClientSecret, Redirect: front.URL + "/login/callback",
			Roles: map[access.Role][]string{access.Admin: {"platform"}, access.Operator: {"team-orders", "team-cart"}, access.Viewer: {"staff"}},
		}}
		for _, edit := range edits {
			edit(&o)
		}
		d.Door, d.URL = door(t, o), front.URL
	})
	var err error
	if handler, err = New(g.deps); err != nil {
		t.Fatal(err)
	}
	g.url = front.URL
	return g
}

// atProvider follows a redirect to the provider, and returns where it sends the browser.
func atProvider(t *testing.T, to string) (back string) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(httptest.NewRequest(http.MethodGet, to, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.Header.Get("Location")
}

// signOn goes all the way, and returns the answer to the callback. An edit
// changes where the provider sends the browser.
func (b *browser) signOn(edits ...func(url.Values)) reply {
	b.g.t.Helper()
	begun := b.ask(http.MethodGet, "/login/oidc?next=%2Fapi%2Fhistory", "")
	if begun.StatusCode != http.StatusSeeOther {
		return begun
	}
	back, err := url.Parse(atProvider(b.g.t, begun.Header.Get("Location")))
	if err != nil || !strings.HasPrefix(back.String(), b.g.url+"/login/callback?") {
		b.g.t.Fatalf("sent back to %v, %v", back, err)
	}
	q := back.Query()
	for _, edit := range edits {
		edit(q)
	}
	return b.ask(http.MethodGet, "/login/callback?"+q.Encode(), "", with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Mode", "navigate"))
}

func TestPeopleSignOnWithTheIdentityProvider(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "email_verified": true, "groups": []string{"team-orders", "others"}}
	g := withSignOn(t, idp)
	b := g.browser()
	contains(t, string(b.ask(http.MethodGet, "/login", "").body), `href="/login/oidc?next=%2F"`)
	refusedAs(t, b.ask(http.MethodGet, "/api/state", ""), http.StatusUnauthorized, Unauthorized) // with a URL nobody is known by their address

	in := b.signOn()
	if in.StatusCode != http.StatusOK {
		t.Fatalf("%d: %s", in.StatusCode, in.body)
	}
	contains(t, string(in.body), "You are ada@example.com", `content="0;url=/api/history"`)
	contains(t, strings.Join(in.Header.Values("Set-Cookie"), "\n"), "HttpOnly", "SameSite=Strict")

	shift := func(id string) reply {
		return b.ask(http.MethodPost, "/api/migrations/"+id+"/shift", `{"shares": "shadow=10%", "reason": "try", "expect": 2}`, as("eve"))
	}
	if done := got[Change](t, shift("orders"), http.StatusOK); done.Migration.Actor != "ada@example.com" {
		t.Errorf("by %s", done.Migration.Actor)
	}
	// Of another group than the owner, and in no group at all.
	bob := map[string]any{"sub": "2", "email": "bob@example.com", "groups": "team-cart"}
	idp.Person = bob
	b = g.browser()
	b.signOn()
	p := refusedAs(t, shift("orders"), http.StatusForbidden, NotOwner)
	contains(t, p.Detail, "orders belongs to team-orders, and bob@example.com is not of that group")
	got[Change](t, shift("cart"), http.StatusOK)
	got[Change](t, b.ask(http.MethodPost, "/api/migrations/orders/rollback", ""), http.StatusOK)

	idp.Person = map[string]any{"sub": "3", "email": "carl@example.com", "groups": []string{"staff"}}
	b = g.browser()
	b.signOn()
	p = refusedAs(t, shift("cart"), http.StatusForbidden, Forbidden)
	contains(t, p.Detail, "needs the role operator", "carl@example.com is a viewer")
	got[Change](t, b.ask(http.MethodPost, "/api/migrations/cart/rollback", `{"accept_data_loss": true}`), http.StatusOK)

	idp.Person = map[string]any{"sub": "4", "email": "dora@example.com", "groups": []string{"platform"}}
	b = g.browser()
	b.signOn()
	got[Tokens](t, b.ask(http.MethodGet, "/api/tokens", ""), http.StatusOK)
	entries := got[Audit](t, b.ask(http.MethodGet, "/api/audit?what=signed+in", ""), http.StatusOK).Entries
	if len(entries) != 4 || entries[0].Actor != "dora@example.com" || entries[0].Via != access.BySignOn {
		t.Errorf("%+v", entries)
	}
	if text := g.logged.String(); strings.Contains(text, idptest.ClientSecret) || strings.Contains(text, b.cookie()) {
		t.Error("a secret is in the log")
	}
}

func TestSignOnsThatAreRefused(t *testing.T) {
	ada := map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"platform"}}
	for _, test := range []struct {
		name   string
		edit   func(*idptest.Provider)
		answer func(url.Values)
		status int
		want   string // in the audit
	}{
		{"another nonce", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["nonce"] = "x" } }, nil, 401, "its nonce is another"},
		{"no nonce", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { delete(c, "nonce") } }, nil, 401, "its nonce is another"},
		{"another state", nil, func(q url.Values) { q.Set("state", "x") }, 401, "the state is another"},
		{"no state", nil, func(q url.Values) { q.Del("state") }, 401, "the state is another"},
		{"another audience", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["aud"] = "shop" } }, nil, 401, "expected audience"},
		{"an audience of several, issued for another", func(p *idptest.Provider) {
			p.Edit = func(c map[string]any) { c["aud"], c["azp"] = []string{"ficus", "shop"}, "shop" }
		}, nil, 401, `issued for "shop"`},
		{"an audience of several, issued for nobody", func(p *idptest.Provider) {
			p.Edit = func(c map[string]any) { c["aud"] = []string{"ficus", "shop"} }
		}, nil, 401, "issued for"},
		{"another issuer", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["iss"] = "https://evil.example" } }, nil, 401, "different provider"},
		{"an answer of another issuer", nil, func(q url.Values) { q.Set("iss", "https://evil.example") }, 401, "issuer https://evil.example"},
		{"expired", func(p *idptest.Provider) {
			p.Edit = func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }
		}, nil, 401, "token is expired"},
		{"signed by another key", func(p *idptest.Provider) { p.Sign = (*idptest.Provider).AnotherKey }, nil, 401, "failed to verify signature"},
		{"not signed", func(p *idptest.Provider) { p.Sign = (*idptest.Provider).Unsigned }, nil, 401, "the ID token"},
		{"signed with the public key", func(p *idptest.Provider) { p.Sign = (*idptest.Provider).PublicKeyAsSecret }, nil, 401, "the ID token"},
		{"nobody", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { delete(c, "sub") } }, nil, 401, "names nobody"},
		{"of another access token", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["at_hash"] = "x" } }, nil, 401, "another access token"},
		{"no group that has a role", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["groups"] = []string{"others"} } }, nil, 403, "groups: others"},
		{"no groups", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { delete(c, "groups") } }, nil, 403, "groups:"},
		{"a group of everybody", func(p *idptest.Provider) { p.Edit = func(c map[string]any) { c["groups"] = "*" } }, nil, 403, "groups:"},
		{"too many groups", func(p *idptest.Provider) {
			p.Edit = func(c map[string]any) {
				groups := []string{"platform"}
				for i := range 600 {
					groups = append(groups, fmt.Sprint(i))
				}
				c["groups"] = groups
			}
		}, nil, 403, "601 groups"},
		{"denied", func(p *idptest.Provider) { p.Deny = "access_denied" }, nil, 401, "access_denied"},
		{"a code of nowhere", nil, func(q url.Values) { q.Set("code", "x") }, 401, "invalid_grant"},
		{"no code", nil, func(q url.Values) { q.Del("code") }, 401, "there is no code"},
		{"an answer without end", func(p *idptest.Provider) { p.Long = 4 << 20 }, nil, 502, "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			idp := idptest.Start(t)
			idp.Person = ada
			if test.edit != nil {
				test.edit(idp)
			}
			g := withSignOn(t, idp)
			b := g.browser()
			var edits []func(url.Values)
			if test.answer != nil {
				edits = append(edits, test.answer)
			}
			r := b.signOn(edits...)
			if r.StatusCode != test.status || b.cookie() != "" {
				t.Errorf("%d, and the cookie is %q: %s", r.StatusCode, b.cookie(), r.body)
			}
			entries, _ := g.deps.Door.Audit(access.AuditFilter{})
			if len(entries) != 1 || entries[0].What != access.LoginRefused || !strings.Contains(entries[0].Detail, test.want) {
				t.Errorf("%+v, want %s", entries, test.want)
			}
			if strings.Contains(g.logged.String(), idptest.ClientSecret) {
				t.Error("the client secret is in the log")
			}
		})
	}
}

// The answer to one browser's sign-on, and its code, are of no use to another.
func TestASignOnBelongsToOneBrowser(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"platform"}}
	g := withSignOn(t, idp)
	victim, attacker := g.browser(), g.browser()
	begun := attacker.ask(http.MethodGet, "/login/oidc", "")
	back := strings.TrimPrefix(atProvider(t, begun.Header.Get("Location")), g.url)
	for _, b := range []*browser{victim, g.browser()} {
		if r := b.ask(http.MethodGet, back, ""); r.StatusCode != http.StatusUnauthorized || b.cookie() != "" {
			t.Errorf("%d, and the cookie is %q", r.StatusCode, b.cookie())
		}
	}
	victim.ask(http.MethodGet, "/login/oidc", "") // it has begun one of its own
	if r := victim.ask(http.MethodGet, back, ""); r.StatusCode != http.StatusUnauthorized || victim.cookie() != "" {
		t.Errorf("%d", r.StatusCode)
	}
	if r := attacker.ask(http.MethodGet, back, ""); r.StatusCode != http.StatusOK {
		t.Errorf("%d", r.StatusCode)
	}
	if r := attacker.ask(http.MethodGet, back, ""); r.StatusCode != http.StatusUnauthorized { // once is all
		t.Errorf("%d", r.StatusCode)
	}
}

func TestASignOnThatTakesTooLongIsOver(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"platform"}}
	at := time.Now()
	g := withSignOn(t, idp, func(o *access.Options) { o.Now = func() time.Time { return at } })
	b := g.browser()
	if r := b.signOn(func(url.Values) { at = at.Add(11 * time.Minute) }); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", r.StatusCode)
	}
	entries, _ := g.deps.Door.Audit(access.AuditFilter{})
	contains(t, entries[0].Detail, "begun more than 10m0s ago")
}

// Without the provider nobody signs on, but the gateway starts, and a token
// still opens: whoever has to roll back is not to wait for another system.
func TestAProviderThatIsAwayKeepsNobodyWithATokenOut(t *testing.T) {
	idp := idptest.Start(t)
	idp.Stop()
	at := time.Now()
	shared := access.NewToken()
	g := withSignOn(t, idp, func(o *access.Options) {
		o.Shared, o.Now = shared, func() time.Time { return at }
	})
	b := g.browser()
	r := b.signOn()
	if r.StatusCode != http.StatusBadGateway {
		t.Errorf("%d: %s", r.StatusCode, r.body)
	}
	contains(t, string(r.body), "sign in with a token", `name="token"`)
	if in := b.login(shared, "ada", "/"); in.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", in.StatusCode)
	}
	got[RollbackAll](t, b.ask(http.MethodPost, "/api/rollback", ""), http.StatusOK)
}

func TestAProviderThatIsSlowIsNotWaitedForForever(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"platform"}}
	idp.Wait = time.Minute
	b := withSignOn(t, idp, func(o *access.Options) { o.SignOn.Timeout = 300 * time.Millisecond }).browser()
	if r := b.signOn(); r.StatusCode != http.StatusBadGateway {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestGroupsMayComeFromUserinfo(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com"}
	idp.UserInfo = map[string]any{"sub": "1", "groups": []string{"staff"}}
	if r := withSignOn(t, idp).browser().signOn(); r.StatusCode != http.StatusOK {
		t.Errorf("%d: %s", r.StatusCode, r.body)
	}
	idp.UserInfo = map[string]any{"sub": "2", "groups": []string{"platform"}}
	if r := withSignOn(t, idp).browser().signOn(); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo of another: %d", r.StatusCode)
	}
}

// Who may choose the name in the history could write under another's.
func TestANameThatNobodyVerifiedIsNotTaken(t *testing.T) {
	for name, test := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"verified":        {map[string]any{"email": "ada@example.com", "email_verified": true}, "ada@example.com"},
		"nothing said":    {map[string]any{"email": "ada@example.com"}, "ada@example.com"},
		"not verified":    {map[string]any{"email": "ada@example.com", "email_verified": false}, "subject"},
		"not, as a text":  {map[string]any{"email": "ada@example.com", "email_verified": "false"}, "subject"},
		"no email":        {nil, "subject"},
		"the gateway's":   {map[string]any{"email": "ficus"}, "subject"},
		"not even a text": {map[string]any{"email": []int{1}}, "subject"},
	} {
		idp := idptest.Start(t)
		idp.Person = map[string]any{"sub": "subject", "groups": []string{"staff"}}
		for claim, v := range test.claims {
			idp.Person[claim] = v
		}
		b := withSignOn(t, idp).browser()
		b.signOn()
		done := got[Change](t, b.ask(http.MethodPost, "/api/migrations/orders/rollback", ""), http.StatusOK)
		if done.Migration.Actor != test.want {
			t.Errorf("%s: %s", name, done.Migration.Actor)
		}
	}
}

// A group that loses its role in the config loses it for the sessions too.
func TestASessionIsWorthWhatItsGroupsAreWorthNow(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"platform"}}
	dir := t.TempDir()
	g := withSignOn(t, idp, func(o *access.Options) { o.Dir = dir })
	b := g.browser()
	b.signOn()
	got[Tokens](t, b.ask(http.MethodGet, "/api/tokens", ""), http.StatusOK)
	if err := g.deps.Door.Close(); err != nil {
		t.Fatal(err)
	}
	cookie := with("Cookie", sessionCookie+"="+b.cookie())
	for _, test := range []struct {
		edit   func(*access.SignOnOptions)
		status int
	}{
		{func(*access.SignOnOptions) {}, http.StatusOK},
		{func(o *access.SignOnOptions) { o.Roles = map[access.Role][]string{access.Viewer: {"*"}} }, http.StatusForbidden},
		{func(o *access.SignOnOptions) { o.Roles = map[access.Role][]string{access.Admin: {"others"}} }, http.StatusUnauthorized},
	} {
		again := withSignOn(t, idp, func(o *access.Options) {
			o.Dir = dir
			test.edit(o.SignOn)
		})
		if r := again.ask(http.MethodGet, "/api/tokens", "", cookie); r.StatusCode != test.status {
			t.Errorf("%d, want %d", r.StatusCode, test.status)
		}
	}
}

// Browsers keep cookies by host, so that a sign-on begins where it will end.
func TestASignOnBeginsAtTheGatewaysURL(t *testing.T) {
	idp := idptest.Start(t)
	g := withSignOn(t, idp)
	r := g.ask(http.MethodGet, "/login/oidc?next=%2Fx", "", host("localhost"))
	if r.Header.Get("Location") != g.url+"/login/oidc?next=%2Fx&here=1" {
		t.Errorf("to %s", r.Header.Get("Location"))
	}
	r = g.ask(http.MethodGet, "/login/oidc?next=%2Fx&here=1", "", host("localhost"))
	if !strings.HasPrefix(r.Header.Get("Location"), idp.URL) {
		t.Errorf("to %s", r.Header.Get("Location"))
	}
}

func TestCookiesBehindTLSAreForTLSOnly(t *testing.T) {
	g := start(t, func(d *Deps) { d.URL = "https://ficus.example" })
	form := url.Values{"token": {g.token.Reveal()}}.Encode()
	in := g.ask(http.MethodPost, "/login", form, with("Content-Type", "application/x-www-form-urlencoded"), host("ficus.example"))
	set := in.Header.Get("Set-Cookie")
	contains(t, set, "__Host-ficus_admin=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/")
	value, _, _ := strings.Cut(strings.TrimPrefix(set, "__Host-ficus_admin="), ";")
	refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", with("Cookie", "ficus_admin="+value)), http.StatusUnauthorized, Unauthorized)
	got[RollbackAll](t, g.ask(http.MethodPost, "/api/rollback", "", with("Cookie", "__Host-ficus_admin="+value)), http.StatusOK)
}

// Whoever guesses tokens, behind the same proxy even, keeps nobody from signing on.
func TestGuessingTokensKeepsNobodyFromSigningOn(t *testing.T) {
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com\u202e\x1b[2J", "groups": []string{"staff"}}
	at := time.Now()
	g := withSignOn(t, idp, func(o *access.Options) { o.Now = func() time.Time { return at } })
	guesser := g.browser()
	for range 20 {
		guesser.login(access.NewToken(), "ada", "/")
	}
	b := g.browser()
	if r := b.signOn(); r.StatusCode != http.StatusOK {
		t.Errorf("%d", r.StatusCode)
	}
	entries, _ := g.deps.Door.Audit(access.AuditFilter{})
	for _, e := range entries {
		if e.What == access.LoginRefused && e.Actor != "" {
			t.Errorf("a name that anybody can claim is kept: %+v", e)
		}
	}
	if entries[0].Actor != "ada@example.com [2J" {
		t.Errorf("%q", entries[0].Actor)
	}
}

func TestTriesCountForTheClientBehindATrustedProxy(t *testing.T) {
	at := time.Now()
	g := start(t, func(d *Deps) {
		d.Client = func(r *http.Request) string { return r.Header.Get("X-Forwarded-For") }
		d.Door = door(t, access.Options{Now: func() time.Time { return at }})
	})
	from := func(client string) int {
		b := g.browser()
		form := url.Values{"token": {"x"}}.Encode()
		return b.ask(http.MethodPost, "/login", form, with("Content-Type", "application/x-www-form-urlencoded"), with("X-Forwarded-For", client)).StatusCode
	}
	for range 15 {
		from("203.0.113.7")
	}
	if status := from("203.0.113.7"); status != http.StatusTooManyRequests {
		t.Errorf("%d", status)
	}
	if status := from("203.0.113.8"); status != http.StatusUnauthorized {
		t.Errorf("%d", status)
	}
	entries, _ := g.deps.Door.Audit(access.AuditFilter{})
	if entries[0].Client != "203.0.113.7" || !strings.HasPrefix(entries[0].Peer, "127.0.0.1:") {
		t.Errorf("%+v", entries[0])
	}
}

// A link that somebody sent leads from another site, and so without the
// cookie; a page of ours leads on, with it.
func TestALinkFromAnotherSiteFindsOneSignedIn(t *testing.T) {
	g := start(t, func(d *Deps) {
		d.ReadsNeedToken = true
		d.Pages = func(_ http.Handler, serve func(method, pattern string, h http.HandlerFunc)) {
			serve(http.MethodGet, "/page", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte("hello " + IdentityOf(r).Actor))
			})
		}
	})
	led := []func(*http.Request){with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Mode", "navigate")}
	r := g.ask(http.MethodGet, "/page?x=1", "", led...)
	if r.StatusCode != http.StatusOK || !strings.Contains(string(r.body), `content="0;url=/page?x=1"`) {
		t.Errorf("%d: %s", r.StatusCode, r.body)
	}
	if r := g.ask(http.MethodGet, "/page?x=1", "", with("Sec-Fetch-Site", "same-origin")); r.Header.Get("Location") != "/login?next=%2Fpage%3Fx%3D1" {
		t.Errorf("who is not signed in is led to %q", r.Header.Get("Location"))
	}
	b := g.browser()
	b.login(g.token, "ada", "/")
	if r := b.ask(http.MethodGet, "/page", "", led...); string(r.body) != "hello ada" {
		t.Errorf("%s", r.body)
	}
}
