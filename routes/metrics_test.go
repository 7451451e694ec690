package routes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

const withMetrics = `
upstreams:
  monolith: http://127.0.0.1:3000
  orders: http://127.0.0.1:3001
migrations:
  orders:
    from: monolith
    to: orders
    guard:
      metrics:
        - name: lost_orders
          prometheus:
            url: http://127.0.0.1:9090/prom
            token: s3cr3t-t0k3n
            bad: {legacy: 'sum(lost{side="legacy"})', modern: 'sum(lost{side="modern"})'}
            total: 'sum by (side) (orders)'
            label: side
          every: 30s
          worse_by: 20%
        - name: late_orders
          prometheus: {url: http://127.0.0.1:9090, bad: late, total: orders}
        - {name: lost_baskets, reported: keys}
        - {name: calls, reported: sides, every: 1m}
routes:
  - {path: /*, migration: orders}
`

func TestMetricsOfTheApplication(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(path, []byte(withMetrics), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	plan := table.Plans["orders"]
	want := []migrations.GuardMetric{
		{Name: "lost_orders", By: migrations.BySides, Every: 30 * time.Second, WorseBy: 0.2, Prometheus: &migrations.Prometheus{
			URL: "http://127.0.0.1:9090/prom", Token: "s3cr3t-t0k3n", Label: "side",
			Bad:   migrations.Query{Legacy: `sum(lost{side="legacy"})`, Modern: `sum(lost{side="modern"})`},
			Total: migrations.Query{Both: "sum by (side) (orders)"},
		}},
		{Name: "late_orders", By: migrations.BySides, Every: 15 * time.Second, WorseBy: 0.5, Prometheus: &migrations.Prometheus{
			URL: "http://127.0.0.1:9090", Label: "ficus_side", Bad: migrations.Query{Both: "late"}, Total: migrations.Query{Both: "orders"},
		}},
		{Name: "lost_baskets", By: migrations.ByKeys},
		{Name: "calls", By: migrations.BySides, Every: time.Minute, WorseBy: 0.5},
	}
	if diff := cmp.Diff(want, plan.Guard.Metrics); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	text, err := json.Marshal(plan)
	if err != nil || strings.Contains(string(text), "s3cr3t") {
		t.Errorf("the plan, which the event log keeps, holds the token: %s %v", text, err)
	}
	if p := table.MetricProblem("orders", 1, "gives nothing", "ask"); p.At.Line != 20 || p.Path != "migrations.orders.guard.metrics[1]" {
		t.Errorf("a problem with the second metric is at %v", p)
	}
}
