package routes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsProbablyNotMeantIsAWarning(t *testing.T) {
	table := config(t, `upstreams:
  monolith: http://127.0.0.1:1
  orders: http://127.0.0.1:2
  forgotten: http://127.0.0.1:3
migrations:
  orders:
    from: monolith
    to: orders
    cohorts:
      - {name: staff, when: {header: X-Staff}, stage: live}
    ramp:
      - {stage: dualwrite}
      - {stage: live, share: 5%}
  idle: {from: monolith, to: orders, key: ip}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`)
	var got []string
	for _, w := range table.Warnings {
		w.At.File = "ficus.yaml"
		got = append(got, w.Error())
	}
	want := []string{
		"ficus.yaml:4:14: upstreams.forgotten: no route and no migration uses this upstream; send a route to it, or remove it",
		"ficus.yaml:9:5: migrations.orders.cohorts: cohorts count only for requests from a trusted proxy, and there is none; name the proxies that set these facts in trusted_proxies",
		"ficus.yaml:11:5: migrations.orders.ramp: without a key every request stays on the monolith, so the ramp moves nobody; write key: [cookie:NAME, anonymous], or key: request for random shares",
		"ficus.yaml:12:17: migrations.orders.ramp[0].stage: without writes: dual this stage is the same as off; leave the step out",
		"ficus.yaml:14:9: migrations.idle: no route uses this migration; add a route such as {path: /api/*, migration: idle}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
