package dashboard

import (
	"net/http"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

func TestAFindingIsAcceptedByTheRulesThatItSuggests(t *testing.T) {
	g, s := compared(t)
	s.observe(t, "GET /api/orders/{id}", "/api/orders/7", "ada", `{"total":1,"note":"x"}`, `{"total":2,"note":"y"}`, false)
	id := got[FindingsPage](t, g.get("/api/findings?state=all"), http.StatusOK).Findings[0].ID
	path := "/api/findings/" + id + "/accept"

	refusedAs(t, g.post(path, `{"rules":[{"do":"ignore","path":"$.total"}]}`), http.StatusUnprocessableEntity, BadRequest) // no reason
	refusedAs(t, g.post(path, `{"reason":"x","rules":[{"do":"ignore","path":"$.other"}]}`), http.StatusUnprocessableEntity, Refused)
	refusedAs(t, g.post(path, `{"reason":"x","rules":[]}`), http.StatusUnprocessableEntity, Refused)
	refusedAs(t, g.post(path, `{"reason":"x","for":"-1h"}`), http.StatusUnprocessableEntity, BadRequest)
	if len(s.accepted) != 0 {
		t.Fatalf("%+v", s.accepted)
	}
	f := got[Finding](t, g.post(path, `{"reason":"it is a clock","rules":[{"do":"ignore","path":"$.total"}]}`), http.StatusOK)
	if f.State != compare.Acknowledged {
		t.Errorf("%+v", f)
	}
	contains(t, f.Note, "alice", "it is a clock", "ignore: $.total")
	if len(s.accepted) != 1 || s.accepted[0].Owner != "alice" || time.Until(s.accepted[0].Until) < 29*24*time.Hour {
		t.Errorf("%+v", s.accepted)
	}
	got[Finding](t, g.post(path, `{"reason":"both","for":"24h"}`), http.StatusOK)
	all := got[Comparisons](t, g.get("/api/comparisons"), http.StatusOK).Comparisons[0].Accepted
	if len(all) != 3 || all[0].Path != "$.total" || all[0].Owner != "alice" {
		t.Errorf("%+v", all)
	}
	left := got[Withdrawn](t, g.post("/api/migrations/orders/rules/withdraw", `{"do":"ignore","path":"$.total"}`), http.StatusOK)
	if len(left.Accepted) != 1 {
		t.Errorf("%+v", left)
	}
	refusedAs(t, g.post("/api/migrations/orders/rules/withdraw", `{"do":"ignore","path":"$.total"}`), http.StatusNotFound, NotFound)
	refusedAs(t, g.post("/api/migrations/cart/rules/withdraw", `{"do":"ignore","path":"$.total"}`), http.StatusNotFound, NotFound)
	entries, _ := g.deps.Door.Audit(access.AuditFilter{What: access.Judged, Limit: 10})
	if len(entries) != 3 || entries[0].Actor != "alice" {
		t.Errorf("%+v", entries)
	}
}
