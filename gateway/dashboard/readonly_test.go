package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/routes"
)

// With changes: git the server refuses every change but holds and rollbacks,
// and what is no change of a migration. An endpoint that is new is refused.
func TestChangesByGitLeaveHoldAndRollback(t *testing.T) {
	g := start(t, func(d *Deps) {
		table := *d.Table()
		table.Changes = routes.ByGit
		d.Table = func() *routes.Table { return &table }
		d.OFREP = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, struct{}{}) })
	})
	a, err := newAPI(g.deps)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{
		"POST /api/migrations/{id}/hold": true, "POST /api/migrations/{id}/rollback": true, "POST /api/rollback": true,
		"POST /api/explain": true, "POST /api/reload": true, "POST /api/findings/erase": true, "POST /api/outcomes": true,
		"POST /api/tokens": true, "DELETE /api/tokens/{id}": true, "POST /login": true, "POST /logout": true,
		"POST /ofrep/v1/evaluate/flags": true, "POST /ofrep/v1/evaluate/flags/{key}": true,
	}
	refused := 0
	err = chi.Walk(a.router(), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method == http.MethodGet || method == http.MethodHead {
			return nil
		}
		path := strings.NewReplacer("{id}", "orders", "{key}", "orders").Replace(route)
		r := g.ask(method, path, `{}`, presents(g.token))
		readOnly := r.StatusCode == http.StatusForbidden && strings.Contains(string(r.body), string(ReadOnly))
		if readOnly == allowed[method+" "+route] {
			t.Errorf("%s %s: %d %s", method, route, r.StatusCode, r.body)
		}
		if readOnly {
			refused++
		}
		return nil
	})
	if err != nil || refused < 8 {
		t.Errorf("%d endpoints were refused, %v", refused, err)
	}
	if r := g.ask("GET", "/api/state", ""); !strings.Contains(string(r.body), `"changes": "git"`) {
		t.Errorf("%s", r.body)
	}
}
