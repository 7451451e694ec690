package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// checkPatience bounds the wait for one metric.
const checkPatience = 5 * time.Second

// checkMetrics asks each Prometheus once for what the guards watch. A query
// that it does not take is an error; one that gives nothing, or a Prometheus
// that does not answer here and now, is a warning.
func checkMetrics(ctx context.Context, t *routes.Table, now time.Time) (warnings, problems routes.Problems) {
	q := newPromQL()
	defer q.client.CloseIdleConnections()
	for _, id := range sortedNames(t.Plans) {
		plan := t.Plans[id]
		for i, m := range plan.Guard.Metrics {
			if m.Prometheus == nil || plan.Retired {
				continue
			}
			w, p := q.check(ctx, m, now)
			for _, text := range w {
				warnings = append(warnings, t.MetricProblem(id, i, text, "until it gives both sides, the ramp does not go forward"))
			}
			for _, text := range p {
				problems = append(problems, t.MetricProblem(id, i, text, "try the query in Prometheus"))
			}
		}
	}
	return warnings, problems
}

// check asks for one metric.
func (q promql) check(ctx context.Context, m migrations.GuardMetric, now time.Time) (warnings, problems []string) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	for _, one := range [...]struct {
		name  string
		query migrations.Query
	}{{"bad", m.Prometheus.Bad}, {"total", m.Prometheus.Total}} {
		sides, err := q.sides(ctx, m.Prometheus, one.query, now)
		if errors.Is(err, errQuery) {
			problems = append(problems, fmt.Sprintf("%s: %v", one.name, err))
			continue
		}
		if err != nil {
			return append(warnings, fmt.Sprintf("%s: %v", one.name, err)), problems
		}
		for side, found := range sides {
			if len(found) > 0 {
				continue
			}
			what := fmt.Sprintf("%s: the query gives nothing for %s", one.name, evidence.Side(side))
			if one.query.Both != "" {
				what += fmt.Sprintf(", by the label %s", m.Prometheus.Label)
			}
			warnings = append(warnings, what)
		}
	}
	return warnings, problems
}
