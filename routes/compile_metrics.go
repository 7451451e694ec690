package routes

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// metricForm is what a metric of the application may be called: what it is
// called in Prometheus and in a field of an answer, too.
var metricForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// The intervals by which a metric may be counted.
const (
	shortestInterval = time.Second
	longestInterval  = 10 * time.Minute
)

const metricHint = "write prometheus: {url: ..., bad: ..., total: ...}, or reported: keys"

// metrics compiles what the guard watches of the application.
func metrics(at spot, m MigrationConfig) []migrations.GuardMetric {
	var out []migrations.GuardMetric
	names := map[string]bool{}
	if len(m.Guard.Metrics) > migrations.MaxMetrics {
		at.index(migrations.MaxMetrics).fail("keep those that matter most: each makes all others slower to see", "there may be %d at most", migrations.MaxMetrics)
	}
	for i, mc := range m.Guard.Metrics {
		item := at.index(i)
		switch {
		case mc.Name == "":
			item.follow("write name: lost_orders", "has no name")
		case !metricForm.MatchString(mc.Name):
			item.key("name").fail("use lower case letters, digits and underscores, such as lost_orders", "%s cannot be the name of a metric", item.key("name").quote(mc.Name))
		case names[mc.Name]:
			item.key("name").fail("give each metric a name of its own", "there is a metric %s already", item.key("name").quote(mc.Name))
		}
		names[mc.Name] = true
		out = append(out, metric(item, mc, len(m.Cells) > 0))
	}
	return out
}

// metric compiles one. Numbers by side know nothing of cells: one side may
// have the better cells.
func metric(at spot, mc MetricConfig, cells bool) migrations.GuardMetric {
	out := migrations.GuardMetric{Name: mc.Name, By: migrations.ReportedBy(mc.Reported)}
	switch {
	case mc.Prometheus != nil && mc.Reported != "":
		at.key("reported").fail("write one of them", "the metric is asked of Prometheus as well")
	case mc.Prometheus != nil:
		out.By = migrations.BySides
		out.Prometheus = prometheus(at.key("prometheus"), *mc.Prometheus)
	case mc.Reported == "":
		at.follow(metricHint, "does not say who knows it")
	}
	if mc.WorseBy != nil {
		out.WorseBy = float64(*mc.WorseBy)
	} else if out.By == migrations.BySides {
		out.WorseBy = migrations.SidesWorseBy
	}
	if out.WorseBy > 10 {
		at.key("worse_by").fail("write a percentage from 0% to 1000%, such as 50%", "is more than ten times as bad")
	}
	if out.By != migrations.BySides {
		if mc.Every != nil {
			at.key("every").follow("remove it", "what is known of people has no intervals")
		}
		return out
	}
	if out.Every = valueOr(mc.Every, defaultMetricEvery).std(); out.Every < shortestInterval || out.Every > longestInterval || out.Every%time.Second != 0 {
		at.key("every").fail("write whole seconds from 1s to 10m, such as 15s", "is no interval")
	}
	if cells {
		at.follow("have the application report it by key: reported: keys", "numbers by side do not tell the cells of the migration apart")
	}
	return out
}

func prometheus(at spot, pc PrometheusConfig) *migrations.Prometheus {
	out := &migrations.Prometheus{
		URL: pc.URL, Token: pc.Token, Label: or(pc.Label, "ficus_side"), Bad: migrations.Query(pc.Bad), Total: migrations.Query(pc.Total),
	}
	u, err := url.Parse(pc.URL) // it may hold a secret, and is not quoted
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		at.key("url").follow("write url: http://127.0.0.1:9090", "is not the URL of a Prometheus")
	case u.User != nil:
		at.key("url").fail("write token: ${PROMETHEUS_TOKEN}, or let a proxy on this machine add a password", "holds a password, which the event log would keep")
	}
	for _, q := range [...]struct {
		name  string
		query QueryConfig
	}{{"bad", pc.Bad}, {"total", pc.Total}} {
		both, one, other := q.query.Both != "", q.query.Legacy != "", q.query.Modern != ""
		switch {
		case both && (one || other):
			at.key(q.name).follow("write one query that gives both sides, or one for each", "asks for both sides and for one")
		case !both && !(one && other):
			at.key(q.name).follow(fmt.Sprintf("write %s: {legacy: 'orders_total{ficus_side=\"legacy\"}', modern: 'orders_total{ficus_side=\"modern\"}'}, or %s: orders_total", q.name, q.name),
				"does not say what to ask for both sides")
		}
	}
	return out
}

// metricPath is where a metric stands in the config.
func metricPath(migration string, i int) string {
	return fmt.Sprintf("migrations.%s.guard.metrics[%d]", migration, i)
}

// MetricProblem returns a problem with a metric of the application that shows
// only when it is asked for.
func (t *Table) MetricProblem(migration string, i int, text, hint string) Problem {
	path := metricPath(migration, i)
	return Problem{At: t.at[path], Path: path, Text: text, Hint: hint}
}
