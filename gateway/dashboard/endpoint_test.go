package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// needed says for each endpoint that asks for more than reading who may call it.
var needed = map[string]grant{
	"GET /healthz": anyone, "GET /readyz": anyone, "GET /login": anyone, "POST /login": anyone, "POST /logout": anyone,
	"GET /login/oidc": anyone, "GET /login/callback": anyone,
	"GET /debug/pprof/": admin, "GET /debug/pprof/{profile}": admin,
	"POST /api/explain":                        member,
	"POST /api/migrations/{id}/rollback":       member,
	"POST /api/rollback":                       member,
	"POST /api/migrations/{id}/shift":          operator,
	"POST /api/migrations/{id}/hold":           operator,
	"POST /api/migrations/{id}/resume":         operator,
	"POST /api/migrations/{id}/approve":        operator,
	"POST /api/migrations/{id}/skip":           operator,
	"POST /api/migrations/{id}/restart":        operator,
	"POST /api/migrations/{id}/freeze":         operator,
	"POST /api/migrations/{id}/thaw":           operator,
	"POST /api/freeze":                         operator,
	"POST /api/thaw":                           admin,
	"POST /api/reload":                         operator,
	"POST /api/findings/{id}/acknowledge":      operator,
	"POST /api/findings/{id}/mute":             operator,
	"POST /api/findings/{id}/fix":              operator,
	"POST /api/findings/{id}/accept":           operator,
	"POST /api/migrations/{id}/rules/withdraw": operator,
	"POST /api/findings/erase":                 admin,
	"POST /ofrep/v1/evaluate/flags":            asker,
	"POST /ofrep/v1/evaluate/flags/{key}":      asker,
	"POST /api/outcomes":                       reporter,
	"GET /api/audit":                           admin,
	"GET /api/tokens":                          admin,
	"POST /api/tokens":                         admin,
	"DELETE /api/tokens/{id}":                  admin,
}

// Every endpoint is asked for by everybody. One that is new reads, or stands in needed.
func TestEveryEndpointKeepsItsRole(t *testing.T) {
	g := start(t, func(d *Deps) { d.ReadsNeedToken = true })
	tokens := map[access.Role]string{"": ""}
	for _, role := range access.Roles {
		tokens[role] = g.issue(string(role), role).Reveal()
	}
	a, err := newAPI(g.deps)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	err = chi.Walk(a.router(), func(method, route string, h http.Handler, _ ...func(http.Handler) http.Handler) error {
		name := method + " " + route
		seen[name] = true
		e, ok := h.(endpoint)
		if !ok {
			t.Fatalf("%s has no grant: register it by may or mayPage", name)
		}
		want, ok := needed[name]
		if !ok {
			want = viewer
			if method != http.MethodGet && method != http.MethodHead {
				t.Errorf("%s changes something and does not stand in needed", name)
			}
		}
		if e.needs != want {
			t.Errorf("%s needs %+v, want %+v", name, e.needs, want)
		}
		for role, token := range tokens {
			if role.Covers(want.role) && (role != "" || want == anyone) {
				continue // what it answers is for other tests
			}
			path := strings.NewReplacer("{id}", "orders", "{seq}", "1", "{profile}", "heap").Replace(route)
			r := g.ask(method, path, "", func(r *http.Request) {
				if token != "" {
					r.Header.Set("Authorization", "Bearer "+token)
				}
			})
			switch {
			case e.page && role == "":
				if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/login") {
					t.Errorf("%s: nobody gets %d", name, r.StatusCode)
				}
			case e.page:
				if r.StatusCode != http.StatusForbidden {
					t.Errorf("%s: a %s gets %d", name, role, r.StatusCode)
				}
			case role == "":
				refusedAs(t, r, http.StatusUnauthorized, Unauthorized)
			default:
				p := refusedAs(t, r, http.StatusForbidden, Forbidden)
				contains(t, p.Detail, "needs the role "+string(want.role), string(role))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range needed {
		if !seen[name] {
			t.Errorf("nothing is served at %s", name)
		}
	}
}
