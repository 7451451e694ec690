package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// One finding says which requests show it; the list does not, since that would
// have to be found out for each of them.
func TestOneFindingSaysWhichRequestsShowIt(t *testing.T) {
	g, s := compared(t)
	_ = s.Change("orders", func(study *compare.Study) error {
		for i := range 60 {
			body, features := `{"total": 5}`, "http=1\n"
			if i%3 == 0 {
				body, features = `{"total": 5000000}`, "http=1\ncookie:beta\n"
			}
			header := http.Header{"Content-Type": {"application/json"}}
			r := compare.Compare(&compare.Answer{Status: 200, Header: header, Body: []byte(`{"total": 5}`)}, &compare.Answer{Status: 200, Header: header, Body: []byte(body)}, s.rules, nil)
			study.Add(&compare.Observation{
				Endpoint: "GET /api/carts/{id}", Time: time.Now(), Result: r, Key: s.rules.Mark(fmt.Sprint("u", i)),
				Request: compare.Request{Features: features, Route: "carts", User: uint64(i + 1)},
			})
		}
		return nil
	})
	page := got[FindingsPage](t, g.get("/api/findings?endpoint=carts"), http.StatusOK)
	if len(page.Findings) != 1 || page.Findings[0].Where != "" {
		t.Fatalf("%+v", page)
	}
	f := got[Finding](t, g.get("/api/findings/"+page.Findings[0].ID), http.StatusOK)
	if want := "only requests with the cookie beta: 20 of 20 users had answers that differ; 0 of 40 without it"; f.Where != want {
		t.Errorf("%q, not %q", f.Where, want)
	}
	old := got[Finding](t, g.get("/api/findings/"+got[FindingsPage](t, g.get("/api/findings?endpoint=orders"), http.StatusOK).Findings[0].ID), http.StatusOK)
	if strings.Contains(old.Where, "beta") {
		t.Errorf("of an endpoint whose requests are not known it says %q", old.Where)
	}
}
