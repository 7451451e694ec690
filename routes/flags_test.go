package routes

import (
	"strings"
	"testing"
)

func TestWhatDoesNotCountBesideAnOutsideFlagIsAWarning(t *testing.T) {
	table := config(t, `flags: {source: "http://user:hunter2@flags.internal/flags.json?key=hunter2", attributes: {email: "header:X-Email"}}
upstreams: {monolith: http://127.0.0.1:1, orders: http://127.0.0.1:2}
migrations:
  orders:
    {from: monolith, to: orders, key: ip, cohorts: [{name: staff, when: {header: X-Staff}, stage: live}], ramp: [{stage: live, share: 5%}]}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`)
	var got strings.Builder
	for _, w := range table.Warnings {
		got.WriteString(w.Error() + "\n")
	}
	for _, want := range []string{
		"flags.source: the token is sent over a connection that is not encrypted",
		"flags.attributes: attributes count from trusted proxies only, and there are none",
		"cohorts: do not count: http://flags.internal/flags.json decides",
		"ramp: nothing moves by it: http://flags.internal/flags.json decides",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no warning %q in\n%s", want, got.String())
		}
	}
	if strings.Contains(got.String(), "hunter2") || strings.Contains(table.Summary(), "hunter2") {
		t.Errorf("the password is shown:\n%s%s", got.String(), table.Summary())
	}
}
