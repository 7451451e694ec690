package app

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ficus-gateway/ficus/migrations"
)

// An expression is one of PromQL in the docs.
type expression struct{ where, expr string }

// rules reads the alerts of the docs as Prometheus does.
func rules(t *testing.T) (all []expression) {
	t.Helper()
	text, err := os.ReadFile("../../docs/monitoring/ficus.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: for: %v", r.Alert, err)
			}
			if !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s has the labels %v and says %v", r.Alert, r.Labels, r.Annotations)
			}
			for _, m := range label.FindAllStringSubmatch(fmt.Sprint(r.Annotations), -1) {
				if !regexp.MustCompile(`by \([^)]*\b` + m[1] + `\b`).MatchString(r.Expr) {
					t.Errorf("%s speaks of the label %s, which its expression does not keep", r.Alert, m[1])
				}
			}
			all = append(all, expression{"alert " + r.Alert, r.Expr})
		}
	}
	return all
}

// panels reads the dashboard of the docs as Grafana does.
func panels(t *testing.T) (all []expression) {
	t.Helper()
	text, err := os.ReadFile("../../docs/monitoring/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Annotations struct{ List []struct{ Name, Expr string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %+v", p)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all = append(all, expression{"panel " + p.Title, target.Expr})
		}
	}
	for _, v := range board.Templating.List {
		all = append(all, expression{"variable " + v.Name, v.Definition})
	}
	for _, a := range board.Annotations.List {
		all = append(all, expression{"annotation " + a.Name, a.Expr})
	}
	return all
}

// exported are the labels of every metric that a gateway exports which has
// something to say of everything.
func exported(t *testing.T) map[string]map[string]bool {
	t.Helper()
	monolith := named(t, "monolith")
	service := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "broken") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "orders")
	}))
	lag := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "0.1") }))
	pager := newPager(t)
	r := start(t, strings.NewReplacer("$MONOLITH", monolith, "$SERVICE", service, "$LAG", lag).Replace(anywhere+`
upstreams: {monolith: $MONOLITH, orders: {url: $SERVICE, max_conns: 8}}
migrations:
  orders:
    from: monolith
    to: orders
    key: "header:X-User"
    data: {synced: {lag: $LAG, max_lag: 30s}}
    auto: true
    ramp: [{stage: shadow}, {stage: live, share: 50%}, {stage: complete}]
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`)+pager.config())
	eventually(t, "the ramp begins", func() bool { return r.follower.State().Migrations["orders"].Step == 1 })
	m, err := r.client.Migration(t.Context(), "orders")
	if err == nil {
		_, err = r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 50_000}}, "half", m.Seq)
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the lag is known", func() bool { return r.counts("orders").Lag.Known })
	for i := range 40 {
		user := fmt.Sprintf("X-User: %d", i)
		fetch(r.url+"/", user)
		fetch(r.url+"/orders/1", user)
		if i < 4 { // more, and it is rolled back
			fetch(r.url+"/orders/broken", user)
		}
	}
	eventually(t, "something is told", func() bool { return pager.has("orders shifted") })
	time.Sleep(lookFor)
	found := map[string]map[string]bool{}
	line := regexp.MustCompile(`^(ficus_\w+)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`(\w+)="`)
	for text := range strings.Lines(fetch(r.admin + "/metrics")) {
		m := line.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if found[m[1]] == nil {
			found[m[1]] = map[string]bool{}
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			found[m[1]][l[1]] = true
		}
	}
	return found
}

func TestEveryMetricThatIsAskedForIsExported(t *testing.T) {
	metrics := exported(t)
	name := regexp.MustCompile(`\bficus_\w+`)
	selector := regexp.MustCompile(`\b(ficus_\w+)\{([^}]*)\}`)
	matched := regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
	kept := regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	used := map[string]bool{}
	for _, q := range slices.Concat(rules(t), panels(t)) {
		if strings.Count(q.expr, "(") != strings.Count(q.expr, ")") || strings.Count(q.expr, "{") != strings.Count(q.expr, "}") || strings.Count(q.expr, `"`)%2 != 0 {
			t.Errorf("%s: unbalanced: %s", q.where, q.expr)
		}
		labels := map[string]bool{}
		for _, n := range name.FindAllString(q.expr, -1) {
			if metrics[n] == nil {
				t.Errorf("%s asks for %s, which nobody exports", q.where, n)
			}
			used[n] = true
			maps.Copy(labels, metrics[n])
		}
		for _, s := range selector.FindAllStringSubmatch(q.expr, -1) {
			for _, l := range matched.FindAllStringSubmatch(s[2], -1) {
				if !metrics[s[1]][l[1]] {
					t.Errorf("%s: %s has no label %s", q.where, s[1], l[1])
				}
			}
		}
		for _, k := range kept.FindAllStringSubmatch(q.expr, -1) {
			for l := range strings.SplitSeq(k[1], ",") {
				if l = strings.TrimSpace(l); !labels[l] {
					t.Errorf("%s keeps the label %s, which none of its metrics has: %s", q.where, l, q.expr)
				}
			}
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d metrics are asked for; does the search still work?", len(used))
	}
}
