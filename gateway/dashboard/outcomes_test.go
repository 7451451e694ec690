package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// counting is a gateway that counts, and says which outcomes have come.
func counting(t *testing.T) (*gateway, *[]Outcome) {
	var came []Outcome
	g := start(t, func(d *Deps) {
		d.Report = func(_ context.Context, all []Outcome) (OutcomesCounted, error) {
			for i, o := range all {
				if o.Metric != "lost" {
					return OutcomesCounted{}, &OutcomeError{i, "metric", fmt.Sprintf("no metric %q", o.Metric)}
				}
			}
			came = append(came, all...)
			return OutcomesCounted{Counted: len(all)}, nil
		}
	})
	return g, &came
}

// A reporter posts outcomes, and nothing else; nobody else does but admins.
func TestATokenThatOnlyReports(t *testing.T) {
	g, came := counting(t)
	const body = `{"outcomes": [{"id": "1", "migration": "orders", "metric": "lost", "key": "alice", "bad": 1}]}`
	reporter := presents(g.issue("shop", access.Reporter))
	if n := got[OutcomesCounted](t, g.ask(http.MethodPost, "/api/outcomes", body, reporter), http.StatusOK); n.Counted != 1 {
		t.Errorf("%+v", n)
	}
	if o := (*came)[0]; o.Total != 1 || o.Key != "alice" || o.At != nil {
		t.Errorf("%+v", o)
	}
	got[OutcomesCounted](t, g.ask(http.MethodPost, "/api/outcomes", body, g.bearing), http.StatusOK)
	for _, path := range []string{"/api/state", "/api/routes", "/metrics", "/api/tokens", "/"} {
		refusedAs(t, g.ask(http.MethodGet, path, "", reporter), http.StatusForbidden, Forbidden)
	}
	refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", reporter), http.StatusForbidden, Forbidden)
	refusedAs(t, g.ask(http.MethodPost, "/api/migrations/orders/hold", "{}", reporter), http.StatusForbidden, Forbidden)
	for _, role := range []access.Role{access.Viewer, access.Operator} {
		refusedAs(t, g.ask(http.MethodPost, "/api/outcomes", body, presents(g.issue(string(role), role))), http.StatusForbidden, Forbidden)
	}
	refusedAs(t, g.ask(http.MethodPost, "/api/outcomes", body), http.StatusUnauthorized, Unauthorized)
	if in := g.browser().login(g.issue("shop 2", access.Reporter), "", "/"); in.StatusCode != http.StatusUnauthorized || in.Header.Get("Set-Cookie") != "" {
		t.Errorf("it signs in: %d", in.StatusCode)
	}
	if text := g.logged.String(); strings.Contains(text, `alice`) {
		t.Error("a targeting key is in the log")
	}
}

func TestAReporterOfAGroup(t *testing.T) {
	g, _ := counting(t)
	const outcome = `{"outcomes": [{"id": "1", "migration": %q, "metric": "lost", "key": "alice", "bad": 1}]}`
	carts, orders := presents(g.issue("carts", access.Reporter, "team-carts")), presents(g.issue("orders", access.Reporter, "team-orders"))
	refusedAs(t, g.ask(http.MethodPost, "/api/outcomes", fmt.Sprintf(outcome, "orders"), carts), http.StatusForbidden, NotOwner)
	refusedAs(t, g.ask(http.MethodPost, "/api/outcomes", fmt.Sprintf(outcome, "cart"), orders), http.StatusForbidden, NotOwner)
	got[OutcomesCounted](t, g.ask(http.MethodPost, "/api/outcomes", fmt.Sprintf(outcome, "orders"), orders), http.StatusOK)
}

func TestOutcomesThatAreRefused(t *testing.T) {
	g, came := counting(t)
	one := `{"id": "1", "migration": "orders", "metric": "lost", "key": "alice"}`
	for _, c := range []struct {
		name, body string
		status     int
		kind       ProblemType
		detail     string
	}{
		{"nothing", `{}`, 422, BadRequest, "outcomes: list"},
		{"no JSON", `outcomes`, 400, BadRequest, "not JSON"},
		{"another field", `{"outcomes": [{"id": "1", "user": "alice"}]}`, 400, BadRequest, "unknown field"},
		{"a number below 0", `{"outcomes": [{"id": "1", "bad": -1}]}`, 400, BadRequest, "bad"},
		{"no time", `{"outcomes": [{"id": "1", "at": "noon"}]}`, 400, BadRequest, "does not fit"},
		{"another metric", `{"outcomes": [` + one + `, {"id": "2", "migration": "orders", "metric": "found", "key": "bob"}]}`, 422, BadRequest, "outcomes[1].metric"},
		{"too many", `{"outcomes": [` + strings.Repeat(`{},`, maxOutcomes) + `{}]}`, 413, TooLarge, "send them in parts"},
		{"too large", `{"outcomes": [` + strings.Repeat(one+",", 1000) + one + `]}`, 413, TooLarge, "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := refusedAs(t, g.post("/api/outcomes", c.body), c.status, c.kind)
			contains(t, p.Detail, c.detail)
		})
	}
	refusedAs(t, g.ask(http.MethodPost, "/api/outcomes", "x", g.bearing, with("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, NotJSON)
	if len(*came) != 0 {
		t.Errorf("%d were counted", len(*came))
	}
}
