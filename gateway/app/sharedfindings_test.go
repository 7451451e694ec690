package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// body is an application that answers with a JSON body.
func body(t testing.TB, text string) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, text)
	}))
}

// shares exchanges findings now, rather than in a while.
func (r *running) shares() {
	r.t.Helper()
	if err := r.shared.findings.exchange(r.t.Context(), true); err != nil {
		r.t.Fatal(err)
	}
}

// found waits for findings of all gateways, as one of them shows them.
func (r *running) found(state string, n int) []dashboard.Finding {
	r.t.Helper()
	var page dashboard.FindingsPage
	eventually(r.t, fmt.Sprintf("%d findings are %s", n, state), func() (ok bool) {
		r.shares()
		var err error
		page, err = r.client.Findings(r.t.Context(), dashboard.FindingsFilter{State: state})
		return err == nil && len(page.Findings) == n
	})
	return page.Findings
}

// TestFindingsOfAllGatewaysAreOneList: counts add up, what somebody says at one
// gateway holds at all, and an erasure leaves nothing anywhere.
func TestFindingsOfAllGatewaysAreOneList(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + fmt.Sprintf(`
upstreams: {monolith: "%s", orders: "%s"}
migrations: {orders: {from: monolith, to: orders, key: cookie:uid}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, body(t, `{"total": 5, "currency": "EUR"}`), body(t, `{"total": "5"}`))
	a, b := start(t, config), start(t, config)
	m, err := a.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.Shift(t.Context(), "orders", shadowAll, "look", m.Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b compares", func() bool {
		return b.follower.State().Migrations["orders"].Split.Equal(a.follower.State().Migrations["orders"].Split)
	})
	for n, g := range []*running{a, a, a, b, b} {
		if answer := fetch(fmt.Sprint(g.url, "/orders/", n), "Cookie: uid=7"); !strings.Contains(answer, "EUR") {
			t.Fatal(answer)
		}
	}
	for _, g := range []*running{a, b} {
		eventually(t, "they are compared", func() bool {
			g.shares()
			c, err := g.client.Comparisons(t.Context(), "orders")
			return err == nil && c.Comparisons[0].Counts.Pending == 0 && c.Comparisons[0].Counts.Sampled > 0
		})
	}
	var f dashboard.Finding
	for _, g := range []*running{a, b, a} {
		eventually(t, "the counts add up", func() bool {
			f = g.found("", 1)[0]
			return f.Count == 5 && f.Of == 5
		})
	}

	// Said at the one, it holds at the other, also if it is restarted or new.
	if _, err := a.client.Acknowledge(t.Context(), f.ID, "known"); err != nil {
		t.Fatal(err)
	}
	a.shares()
	b = b.again(config)
	late := start(t, config)
	for _, g := range []*running{b, late} {
		if f := g.found(string(compare.Acknowledged), 1)[0]; f.Note != "ada: known" || f.Count != 5 {
			t.Errorf("%+v", f)
		}
	}
	// A finding that this gateway has never seen can be spoken of.
	if _, err := late.client.Fix(t.Context(), f.ID, "deployed"); err != nil {
		t.Fatal(err)
	}
	for _, g := range []*running{a, b, late} {
		if f := g.found(string(compare.Fixed), 1)[0]; f.Note != "ada: deployed" {
			t.Errorf("%+v", f)
		}
	}
	// It comes back at one of them, and that is what all say.
	fetch(a.url+"/orders/9", "Cookie: uid=8")
	for _, g := range []*running{a, b, late} {
		eventually(t, "it is back", func() bool {
			a.shares()
			f := g.found("", 1)[0]
			return f.RegressedAt != nil && f.Count == 6
		})
	}

	// An erasure at any gateway takes the examples from all, also from one that has ended.
	if err := b.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	erased, err := late.client.EraseKey(t.Context(), "7")
	if err != nil || erased.Erased == 0 {
		t.Fatalf("%+v, %v", erased, err)
	}
	late.shares()
	for _, g := range []*running{a, late} {
		eventually(t, "nothing is left", func() bool {
			a.shares()
			g.shares()
			one, err := g.client.Finding(t.Context(), f.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range one.Examples {
				if !strings.Contains(e.Target, "/orders/9") {
					return false
				}
			}
			return one.Count == 6
		})
	}
}

// TestAcceptedRulesCountOnEveryGateway until they are taken back on any.
func TestAcceptedRulesCountOnEveryGateway(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	rule := compare.Rule{Do: compare.Ignore, Path: "$.total", Owner: "ada", Until: time.Now().Add(time.Hour).UTC().Truncate(time.Second)}
	if err := a.findings().Accept("orders", []compare.Rule{rule}); err != nil {
		t.Fatal(err)
	}
	a.shares()
	late := start(t, config)
	for _, g := range []*running{a, b, late} {
		g.shares()
		if rules := g.findings().Accepted("orders"); len(rules) != 1 || rules[0] != rule {
			t.Errorf("%v", rules)
		}
	}
	if !b.findings().Withdraw("orders", rule) {
		t.Error("it is not there")
	}
	b.shares()
	for _, g := range []*running{a, b, late} {
		g.shares()
		if rules := g.findings().Accepted("orders"); len(rules) != 0 {
			t.Errorf("%v", rules)
		}
	}
}

// TestFindingsDoWithoutRedis: what is said while Redis is away holds here, and
// elsewhere when it is back.
func TestFindingsDoWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := newRedis(t, durable...)
	config := redis.together() + fmt.Sprintf(`
upstreams: {monolith: "%s", orders: "%s"}
migrations: {orders: {from: monolith, to: orders, key: cookie:uid}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, body(t, `{"total": 5}`), body(t, `{"total": "5"}`))
	a, b := start(t, config), start(t, config)
	m, err := a.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.Shift(t.Context(), "orders", shadowAll, "look", m.Seq); err != nil {
		t.Fatal(err)
	}
	fetch(a.url+"/orders/1", "Cookie: uid=7")
	f := a.found("", 1)[0]
	b.found("", 1)
	redis.kill()
	if _, err := a.client.Acknowledge(t.Context(), f.ID, "known"); err != nil {
		t.Fatal(err)
	}
	one, err := a.client.Finding(t.Context(), f.ID)
	if err != nil || one.State != compare.Acknowledged {
		t.Errorf("it is %s, %v", one.State, err)
	}
	redis.start()
	eventually(t, "b knows", func() bool {
		one, err := b.client.Finding(t.Context(), f.ID)
		return err == nil && one.State == compare.Acknowledged
	})
}
