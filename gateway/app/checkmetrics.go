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
			for _, f := range w {
				warnings = append(warnings, t.MetricProblem(id, i, f.text, f.hint))
			}
			for _, f := range p {
				problems = append(problems, t.MetricProblem(id, i, f.text, f.hint))
			}
		}
	}
	return warnings, problems
}

// A found is what is to be said of a metric.
type found struct{ text, hint string }

// check asks for one metric.
func (q promql) check(ctx context.Context, m migrations.GuardMetric, now time.Time) (warnings, problems []found) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	const holds = "until it gives both sides, the ramp does not go forward"
	for _, one := range [...]struct {
		name  string
		query migrations.Query
	}{{"bad", m.Prometheus.Bad}, {"total", m.Prometheus.Total}} {
		sides, err := q.sides(ctx, m.Prometheus, one.query, now)
		if errors.Is(err, errQuery) {
			problems = append(problems, found{fmt.Sprintf("%s: %v", one.name, err), "try the query in Prometheus"})
			continue
		}
		if err != nil {
			return append(warnings, found{fmt.Sprintf("%s: %v", one.name, err), "until it answers, the ramp does not go forward"}), problems
		}
		by := ""
		if one.query.Both != "" {
			by = ", by the label " + m.Prometheus.Label
		}
		legacy, modern := len(sides[evidence.Legacy]) == 0, len(sides[evidence.Modern]) == 0
		switch {
		case one.name == "bad" && legacy && modern: // of one side it may never have happened
			warnings = append(warnings, found{"bad: the query gives nothing for either side" + by, "if it has never happened, this is as it should be; else look at the name and the labels"})
		case one.name == "bad":
		case legacy && modern:
			warnings = append(warnings, found{"total: the query gives nothing for either side" + by, holds})
		case legacy || modern:
			side := evidence.Legacy
			if modern {
				side = evidence.Modern
			}
			warnings = append(warnings, found{fmt.Sprintf("total: the query gives nothing for %s%s", side, by), holds})
		}
	}
	return warnings, problems
}
