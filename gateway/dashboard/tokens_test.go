package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

func TestATokenIsShownOnceAndRevoked(t *testing.T) {
	g := start(t)
	made := got[NewToken](t, g.post("/api/tokens", `{"name": "ci", "role": "operator", "groups": ["team-orders"], "for": "12h"}`), http.StatusCreated)
	if made.Info.By != "alice" || made.Info.Expires == nil || time.Until(*made.Info.Expires) > 12*time.Hour {
		t.Errorf("%+v", made.Info)
	}
	ci := with("Authorization", "Bearer "+made.Token)
	got[RollbackAll](t, g.ask(http.MethodPost, "/api/rollback", "", ci), http.StatusOK)

	listed := g.ask(http.MethodGet, "/api/tokens", "", g.bearing)
	all := got[Tokens](t, listed, http.StatusOK).Tokens
	if len(all) != 2 || !all[0].Shared || all[1].Name != "ci" || all[1].Used == nil || all[1].Groups[0] != "team-orders" {
		t.Errorf("%+v", all)
	}
	b := g.browser()
	if in := b.ask(http.MethodPost, "/login", "token="+made.Token, with("Content-Type", "application/x-www-form-urlencoded")); in.StatusCode != http.StatusSeeOther {
		t.Fatal(in.StatusCode)
	}
	got[RollbackAll](t, b.ask(http.MethodPost, "/api/rollback", ""), http.StatusOK)

	got[TokenInfo](t, g.ask(http.MethodDelete, "/api/tokens/"+made.Info.ID, "", g.bearing), http.StatusOK)
	refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", ci), http.StatusUnauthorized, Unauthorized)
	refusedAs(t, g.ask(http.MethodGet, "/api/state", "", ci), http.StatusUnauthorized, Unauthorized)
	refusedAs(t, b.ask(http.MethodPost, "/api/rollback", ""), http.StatusUnauthorized, Unauthorized) // its session is gone too
	refusedAs(t, g.ask(http.MethodDelete, "/api/tokens/"+made.Info.ID, "", g.bearing), http.StatusNotFound, NoToken)
	refusedAs(t, g.ask(http.MethodDelete, "/api/tokens/"+all[0].ID, "", g.bearing), http.StatusConflict, Refused)

	audited := g.ask(http.MethodGet, "/api/audit", "", g.bearing)
	var what []string
	for _, e := range got[Audit](t, audited, http.StatusOK).Entries {
		what = append(what, fmt.Sprintf("%s by %s", e.What, e.Actor))
	}
	want := "request refused by , request refused by , request refused by , token revoked by operator, signed in by ci, token created by alice"
	if text := strings.Join(what, ", "); text != want {
		t.Errorf("audited: %s\nwant:    %s", text, want)
	}
	if text := g.logged.String() + string(audited.body) + string(listed.body); strings.Contains(text, made.Token) || strings.Contains(text, made.Token[6:]) {
		t.Error("the token is in a log or a list")
	}
}

func TestTokensThatAreNotMade(t *testing.T) {
	g := start(t)
	got[NewToken](t, g.post("/api/tokens", `{"name": "ci", "role": "viewer"}`), http.StatusCreated)
	for body, want := range map[string]string{
		`{"role": "viewer"}`:                                            "say who will present the token",
		`{"name": "x"}`:                                                 "no role",
		`{"name": "x", "role": "root"}`:                                 "there are viewer, operator, admin and reporter",
		`{"name": "ficus", "role": "viewer"}`:                           "the gateway's own",
		`{"name": "ficus.token", "role": "viewer"}`:                     "the gateway's own",
		`{"name": "x", "role": "viewer", "for": "-1h"}`:                 "as in 90d or 12h",
		`{"name": "x", "role": "viewer", "for": "1e9d"}`:                "as in 90d or 12h",
		`{"name": "x", "role": "viewer", "for": "0s"}`:                  "as in 90d or 12h",
		`{"name": "x", "role": "viewer", "groups": [""]}`:               "no name of a group",
		`{"name": "` + strings.Repeat("é", 90) + `", "role": "viewer"}`: "at most 100 bytes",
	} {
		p := refusedAs(t, g.post("/api/tokens", body), http.StatusUnprocessableEntity, BadRequest)
		if !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %s, want %s", body, p.Detail, want)
		}
	}
	refusedAs(t, g.post("/api/tokens", `{"name": "ci", "role": "admin"}`), http.StatusConflict, Refused)
	if n := len(got[Tokens](t, g.ask(http.MethodGet, "/api/tokens", "", g.bearing), http.StatusOK).Tokens); n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// Whoever floods the audit with refusals is counted, and pushes nothing out.
func TestRefusalsDoNotPushOutWhatMatters(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	shared := access.NewToken()
	g := start(t, func(d *Deps) {
		d.Door = door(t, access.Options{Shared: shared, Now: func() time.Time { return at }})
	})
	g.token = shared
	got[NewToken](t, g.post("/api/tokens", `{"name": "ci", "role": "viewer", "for": "never"}`), http.StatusCreated)
	for range 500 {
		g.ask(http.MethodPost, "/api/rollback", "", host("evil.example"))
		g.ask(http.MethodPost, "/api/rollback", "")
	}
	at = at.Add(time.Second)
	g.ask(http.MethodPost, "/api/rollback", "")
	page := got[Audit](t, g.ask(http.MethodGet, "/api/audit?limit=1000", "", g.bearing), http.StatusOK)
	if n := len(page.Entries); n != 22 || page.Entries[n-1].What != access.TokenMade || page.Entries[0].Missed != 490 {
		t.Errorf("%d entries, the first %+v, the last %+v", n, page.Entries[0], page.Entries[n-1])
	}
	first := got[Audit](t, g.ask(http.MethodGet, "/api/audit?limit=1&what=request+refused", "", g.bearing), http.StatusOK)
	rest := got[Audit](t, g.ask(http.MethodGet, fmt.Sprintf("/api/audit?limit=1000&before=%d", first.Before), "", g.bearing), http.StatusOK)
	if first.Entries[0].Type != string(Unauthorized) || len(rest.Entries) != 21 || rest.Before != 0 {
		t.Errorf("%+v, then %d", first, len(rest.Entries))
	}
	for _, query := range []string{"what=x", "limit=0", "limit=1001", "before=x", "since=1"} {
		refusedAs(t, g.ask(http.MethodGet, "/api/audit?"+query, "", g.bearing), http.StatusBadRequest, BadRequest)
	}
}

func TestWhoGuessesAtTheLoginIsSlowedDown(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	shared := access.NewToken()
	g := start(t, func(d *Deps) {
		d.Door = door(t, access.Options{Shared: shared, Now: func() time.Time { return at }})
	})
	b := g.browser()
	for i := range 30 {
		r := b.login(access.NewToken(), "eve", "/")
		want := http.StatusUnauthorized
		if i >= 10 {
			want = http.StatusTooManyRequests
		}
		if r.StatusCode != want || r.Header.Get("Set-Cookie") != "" {
			t.Fatalf("try %d: %d", i, r.StatusCode)
		}
	}
	// Even the right token has to wait, or guessing would go on unhindered.
	if r := b.login(shared, "ada", "/"); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d", r.StatusCode)
	}
	// A program with a token is not kept from rolling back meanwhile.
	got[RollbackAll](t, g.ask(http.MethodPost, "/api/rollback", "", presents(shared)), http.StatusOK)
	at = at.Add(2 * time.Second)
	if r := b.login(shared, "ada", "/"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", r.StatusCode)
	}
}
