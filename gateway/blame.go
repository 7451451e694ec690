package gateway

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/condition"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Blame says which requests go wrong on the service in the present test of a
// cell, named as in events (empty: of the whole migration), as far as this
// gateway has seen them, and lists the latest of them. Wrong is what the metric
// counts, if it is one of a class of outcome; else what failed or was slow.
func (g *Gateway) Blame(migration, cell string, metric evidence.Metric) (condition.Finding, []migrations.Offender) {
	wrong := func(x *sample) bool { return x.bad && x.failed }
	if slices.Contains(evidence.Classes, metric) {
		wrong = func(x *sample) bool { return x.bad && metricOf[x.class] == metric }
	}
	return g.blame(migration, cell, func(s *samples) *rings { return &s.requests }, wrong)
}

// BlameComparisons is [Gateway.Blame] of requests that the service would have
// answered otherwise than the monolith.
func (g *Gateway) BlameComparisons(migration, cell string) (condition.Finding, []migrations.Offender) {
	return g.blame(migration, cell, func(s *samples) *rings { return &s.compared }, func(x *sample) bool { return x.bad })
}

// BlameControl is [Gateway.Blame] of requests that went wrong on the monolith.
func (g *Gateway) BlameControl(migration, cell string) (condition.Finding, []migrations.Offender) {
	return g.blame(migration, cell, func(s *samples) *rings { return &s.control }, func(x *sample) bool { return x.bad })
}

func (g *Gateway) blame(migration, name string, of func(*samples) *rings, wrong func(*sample) bool) (condition.Finding, []migrations.Offender) {
	snap := g.snapshot.Load()
	for i, mp := range snap.plan.migrations {
		if mp.ID != migration {
			continue
		}
		var asked []*cell
		cells := snap.standings[i].cells
		for j := range cells {
			if c := &cells[j]; c.samples != nil && (name == "" || c.name == name) {
				asked = append(asked, c)
			}
		}
		return snap.plan.books[i].sampled.blame(asked, of, wrong)
	}
	return condition.Finding{}, nil
}

func (s *sampled) blame(cells []*cell, of func(*samples) *rings, wrong func(*sample) bool) (condition.Finding, []migrations.Offender) {
	type told struct {
		sample
		endpoint string
	}
	var all []told
	seen := make(map[*samples]bool)
	for _, c := range cells {
		if seen[c.samples] {
			continue // two cells that the log knows as one
		}
		seen[c.samples] = true
		from := of(c.samples)
		from.mu.Lock()
		for _, x := range slices.Concat(from.bad.samples, from.good.samples) {
			x.cell, x.bad = c.name, wrong(&x)
			all = append(all, told{sample: x})
		}
		from.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	all = all[max(len(all)-condition.MaxSamples, 0):]

	s.mu.Lock()
	if s.templates == nil {
		s.templates = compare.NewTemplates(0)
	}
	for i := range all { // what is learned of the last says how the first is told
		all[i].template(s.templates)
	}
	users := make(map[string]uint64)
	for i := range all {
		x := &all[i]
		x.endpoint = x.template(s.templates)
		if u, ok := users[x.endpoint]; ok && u != x.user {
			users[x.endpoint] = 0 // of more than one
		} else if !ok {
			users[x.endpoint] = x.user
		}
	}
	s.mu.Unlock()

	samples := make([]condition.Sample, len(all))
	goods, total := make(map[string]uint64), uint64(0) // by cell
	for i := range all {
		x := &all[i]
		more := max(x.goods, goods[x.cell])
		total += more - goods[x.cell]
		goods[x.cell] = more
		if users[x.endpoint] != 0 { // a path that one user only has asked for may hold a name of that user
			x.endpoint = x.method + " " + x.pattern
		}
		samples[i] = condition.Sample{
			Features: x.describe(x.endpoint, len(seen) > 1), Bad: x.bad, Outcome: x.outcome, User: x.user, At: x.at, Weight: int(x.weight), Goods: total,
		}
	}
	f := condition.Find(samples)
	var offenders []migrations.Offender
	for i := len(all) - 1; i >= 0 && len(offenders) < migrations.OffenderLimit; i-- {
		x := &all[i]
		if !x.bad || !f.Met(samples[i].Features) {
			continue
		}
		o := migrations.Offender{Method: x.method, Route: x.route, Endpoint: pathIn(x.endpoint), Status: x.status, Upstream: bare(x.upstream)}
		if x.trace.IsValid() {
			o.TraceID = x.trace.String()
		}
		offenders = append(offenders, o)
	}
	return f, offenders
}

// template names the endpoint of the request: by its route's pattern where
// that says all, else by what was learned of paths.
func (x *sample) template(t *compare.Templates) string {
	if x.pattern != "" && !strings.Contains(x.pattern, "*") {
		return x.method + " " + x.pattern
	}
	endpoint, _ := t.Endpoint(x.method, x.packed[x.features:])
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, endpoint)
}

// describe lists the features of the request.
func (x *sample) describe(endpoint string, cells bool) []string {
	f := []string{"endpoint=" + endpoint, "path=" + pathIn(endpoint), "method=" + x.method, "route=" + x.route}
	if x.cohort != "" {
		f = append(f, "cohort="+x.cohort)
	}
	if x.upstream != "" {
		f = append(f, "upstream="+bare(x.upstream))
	}
	if cells {
		f = append(f, "cell="+x.cell)
	}
	for line := range strings.Lines(x.packed[:x.features]) {
		f = append(f, strings.TrimSuffix(line, "\n"))
	}
	return f
}

// pathIn is the path of an endpoint, which begins with its method.
func pathIn(endpoint string) string {
	if _, path, ok := strings.Cut(endpoint, " "); ok {
		return path
	}
	return endpoint
}

// bare is the address of an upstream endpoint without its scheme.
func bare(endpoint string) string {
	if _, address, ok := strings.Cut(endpoint, "://"); ok {
		return address
	}
	return endpoint
}
