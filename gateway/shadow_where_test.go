package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A finding says which requests show it, in either direction, and nothing that
// a user has sent.
func TestAFindingSaysWhichRequestsShowIt(t *testing.T) {
	for _, stage := range []migrations.Stage{migrations.Shadow, migrations.Live} {
		t.Run(string(stage), func(t *testing.T) {
			legacy := httptest.NewServer(order(""))
			defer legacy.Close()
			modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				more := ""
				if _, err := r.Cookie("beta"); err == nil && r.Header.Get("X-Tenant") != "" {
					more = `,"discount":0.5`
				}
				order(more)(w, r)
			}))
			defer modern.Close()
			url, s := comparing(t, legacy.URL, modern.URL, stage, shadow.Options{MaskKey: []byte("key")})
			for i := range 120 {
				header := []string{"X-User", fmt.Sprint("user ", i), "Cookie", "theme=dark"}
				if i%2 == 0 {
					header[3] = "theme=dark; beta=topsecret"
				}
				if i%3 == 0 {
					header = append(header, "X-Tenant", "topsecret")
				}
				request(t, http.MethodGet, fmt.Sprintf("%s/api/orders/%d", url, i), nil, header...)
				if i%40 == 39 {
					settled(t, s) // nothing is dropped for want of room
				}
			}
			settled(t, s)
			var where []string
			s.Find("orders").View(func(study *compare.Study) {
				for _, f := range study.Findings.All(time.Now()) {
					where = append(where, study.Where(f.ID))
				}
			})
			if len(where) != 1 || !strings.HasPrefix(where[0], "only requests with the cookie beta and with the header X-Tenant: 20 of 20 sampled users had answers that differ; 0 of ") &&
				!strings.HasPrefix(where[0], "only requests with the header X-Tenant and with the cookie beta: 20 of 20 sampled users had answers that differ; 0 of ") {
				t.Errorf("%q", where)
			}
			if text := fmt.Sprint(where); strings.Contains(text, "topsecret") || strings.Contains(text, "user ") {
				t.Errorf("it tells what users sent: %s", text)
			}
		})
	}
}

// One of two endpoints of the service runs an older version: the finding names
// it, and so do the offenders.
func TestAFindingNamesTheEndpointOfTheService(t *testing.T) {
	for _, stage := range []migrations.Stage{migrations.Shadow, migrations.Live} {
		t.Run(string(stage), func(t *testing.T) {
			legacy, good, old := httptest.NewServer(order("")), httptest.NewServer(order("")), httptest.NewServer(order(`,"old":true`))
			defer legacy.Close()
			defer good.Close()
			defer old.Close()
			config := fmt.Sprintf(`
upstreams:
  monolith: %s
  orders: {url: [%s, %s]}
migrations: {orders: {from: monolith, to: orders, key: [header:X-User]}}
routes:
  - {path: /api/orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`, legacy.URL, good.URL, old.URL)
			g, s := comparingGateway(t, config, stage, shadow.Options{MaskKey: []byte("key")})
			front := httptest.NewServer(g)
			defer front.Close()
			for i := range 80 {
				request(t, http.MethodGet, front.URL+"/api/orders/1", nil, "X-User", fmt.Sprint("user ", i))
				settled(t, s) // so that load does not choose one endpoint again and again
			}
			var where string
			s.Find("orders").View(func(study *compare.Study) {
				for _, f := range study.Findings.All(time.Now()) {
					where = study.Where(f.ID)
				}
			})
			address := strings.TrimPrefix(old.URL, "http://")
			if !strings.HasPrefix(where, "only requests to the upstream endpoint "+address+": ") {
				t.Errorf("%q", where)
			}
			_, offenders := g.BlameComparisons("orders", "")
			for _, o := range offenders {
				if o.Status != http.StatusOK || o.Upstream != address {
					t.Errorf("%+v", o)
				}
			}
			if len(offenders) == 0 {
				t.Error("no offenders")
			}
		})
	}
}
