package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A migrationPage is everything about one migration.
type migrationPage struct {
	row
	Now      time.Time
	Frozen   string // why no ramp moves at all
	Traffic  chart
	Errors   chart
	Latency  chart
	Lately   [2]measure // over five minutes, by side
	Steps    []stepView
	Cells    []cellView // one without a name if it has none
	Waits    []waitView
	Compared *compared
	Latest   []happening
	Routes   []string
	Outside  string // flag provider that decides instead of the log, and what is known of it

	// For one person: no part of the page that others see.
	Viewer viewer
	Form   changeForm
	Rules  []dashboard.AcceptedRule // that can be taken back
}

// Named reports whether it has cells with names.
func (m migrationPage) Named() bool {
	return len(m.Cells) > 1 || len(m.Cells) == 1 && m.Cells[0].Name != ""
}

// migrationParts are the parts of the page that change while it is open.
var migrationParts = []string{"head", "meanwhile", "charts", "ramp", "evidence", "compared", "latest"}

// A stepView is one step of the ramp.
type stepView struct {
	dashboard.Step
	Number int
	Place  string // done, here, next, ahead
	Asks   string // before the next one begins
	Modern float64
}

// A cellView is one cell, or all of a migration without cells.
type cellView struct {
	dashboard.Cell
	Bar       splitBar
	Fig       fig
	Weights   []weightView // the strongest first
	Quiet     string       // metrics of which nothing was counted
	Endpoints []endpointRow
	Excused   string // failures that are not held against the service
	Came      string // how its people came where they are: the ratio check
}

// Modern and Legacy count the requests of its test.
func (c cellView) Modern() string { return sideText(c.Test.Modern) }

// Legacy is Modern of the monolith.
func (c cellView) Legacy() string { return sideText(c.Test.Legacy) }

// A waitView is one thing that is waited for, and how far it is.
type waitView struct {
	dashboard.Waiting
	Share float64 // 0 to 1; below 0: not known
	Left  string
}

// compared is what comparing has come to.
type compared struct {
	dashboard.ComparisonCounts
	Findings []dashboard.Finding
	Accepted []dashboard.AcceptedRule
	Total    int
	Rows     []outcomeRow
}

type outcomeRow struct {
	Name  string
	Count uint64
	Share float64
}

func (s *site) getMigration(w http.ResponseWriter, r *http.Request) {
	s.showMigration(w, r, http.StatusOK, nil, nil)
}

// showMigration shows the page, with what came of a form if there was one.
func (s *site) showMigration(w http.ResponseWriter, r *http.Request, status int, n *notice, form url.Values) {
	id := param(r, "id")
	m, p := s.migration(r, id)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	if form == nil {
		form = r.URL.Query()
	}
	m.Viewer, m.Form = viewerOf(r), s.changeForm(r, m, form)
	if m.Compared != nil && m.Form.May {
		m.Rules = m.Compared.Accepted
	}
	s.show(w, r, status, page{
		Name: "migration", Title: id, Notice: n, Main: m,
		Live: url.Values{"page": {"migration"}, "id": {id}}.Encode(),
	})
}

// migration reads everything about one, as everybody sees it.
func (s *site) migration(r *http.Request, id string) (migrationPage, *dashboard.Problem) {
	one, p := get[dashboard.Migration](s, r, "/api/migrations/"+escape(id), nil)
	if p != nil {
		return migrationPage{}, p
	}
	ups, p := get[dashboard.Upstreams](s, r, "/api/upstreams", nil)
	if p != nil {
		return migrationPage{}, p
	}
	m := migrationPage{row: row{Migration: one}, Now: s.Now(), Frozen: s.State().Frozen}
	s.fill(&m.row, ups.Upstreams)
	lately := s.series.of(id)
	m.Lately = [2]measure{lately.measure(legacy), lately.measure(modern)}
	m.Traffic = trafficChart(lately)
	m.Errors = lineChart(lately, "Share of requests that failed", 0.01, func(x measure) float64 { return x.Errors }, percent)
	m.Latency = lineChart(lately, "Latency, 99th percentile", 0.001, func(x measure) float64 { return x.P99.Seconds() },
		func(v float64) string { return millis(time.Duration(v * float64(time.Second))) })
	for _, c := range one.Cells {
		m.Cells = append(m.Cells, cellViewOf(c))
	}
	m.decides()
	m.steps()
	for _, w := range one.WaitsFor {
		m.Waits = append(m.Waits, m.waitViewOf(w))
	}
	for _, route := range s.Table().Routes {
		if route.Migration == id && len(m.Routes) < 20 {
			m.Routes = append(m.Routes, strings.Join(append(route.Match.Methods, route.Match.Path), " "))
		}
	}
	m.Compared = s.compared(r, id)
	latest, p := s.happenings(r, dashboard.Filter{Migration: id, Limit: 8})
	if p != nil {
		return m, p
	}
	m.Latest = latest.Events
	return m, nil
}

// decides says who decides, if it is not the log.
func (m *migrationPage) decides() {
	f := m.Flags
	if f == nil || f.Controls == dashboard.ControlsRamp || f.Controls == "" {
		return
	}
	m.Outside = f.Source
	if f.Version != "" {
		m.Outside += ", version " + f.Version
	}
	if f.Since != nil {
		m.Outside += ", " + ago(m.Now, *f.Since)
	}
	if f.Controls == dashboard.ControlsNone {
		m.Outside += "; how many people are where is not known"
	}
}

// steps places the steps of the ramp. With cells, each is somewhere else, and
// the list of cells says where.
func (m *migrationPage) steps() {
	at := m.Step
	for i, step := range m.Migration.Steps {
		v := stepView{Step: step, Number: i + 1, Place: "ahead"}
		switch {
		case m.Named():
		case i+1 < at || m.Stage == migrations.Complete && len(m.Shares) == 1:
			v.Place = "done"
		case i+1 == at:
			v.Place = "here"
		case i == at:
			v.Place = "next"
		}
		var asks []string
		if step.Hold != "" {
			if d, err := time.ParseDuration(step.Hold); err == nil {
				asks = append(asks, "held for "+span(d))
			}
		}
		if step.Requests > 0 {
			asks = append(asks, count(step.Requests)+" clean requests")
		}
		if step.Observations > 0 {
			asks = append(asks, count(step.Observations)+" comparisons")
		}
		if step.Approve {
			asks = append([]string{"begins when approved"}, asks...)
		}
		v.Asks = strings.Join(asks, ", ")
		m.Steps = append(m.Steps, v)
	}
}

func cellViewOf(c dashboard.Cell) cellView {
	v := cellView{Cell: c, Bar: splitBarOf(c.Shares, c.Split), Fig: figOf(c.Shares, c.RolledBack)}
	if c.Test == nil {
		return v
	}
	v.Weights, v.Quiet = weightsOf(c.Test.Weights)
	v.Endpoints, v.Excused = endpointRowsOf(c.Test.Endpoints), excused(*c.Test)
	if c.Test.Ratio != nil && c.Test.Ratio.Trips {
		v.Came = c.Test.Ratio.Text
	}
	return v
}

func (m *migrationPage) waitViewOf(w dashboard.Waiting) waitView {
	v := waitView{Waiting: w, Share: -1}
	switch {
	case w.Need > 0:
		v.Share = min(float64(w.Have)/float64(w.Need), 1)
		v.Left = fmt.Sprintf("%s of %s", count(w.Have), count(w.Need))
	case w.Until != nil:
		v.Left = span(w.Until.Sub(m.Now)) + " left"
		for _, c := range m.Migration.Cells {
			if c.Name == w.Cell && c.Began != nil && w.Until.After(*c.Began) {
				v.Share = unit(float64(m.Now.Sub(*c.Began)) / float64(w.Until.Sub(*c.Began)))
			}
		}
	}
	return v
}

// outcomes in the order in which they are shown.
var outcomes = []compare.Outcome{compare.Match, compare.Mismatch, compare.Failed, compare.TimedOut, compare.Truncated, compare.Undecodable, compare.Dropped}

// compared asks what comparing has come to; nil if nothing is compared.
func (s *site) compared(r *http.Request, id string) *compared {
	all, p := get[dashboard.Comparisons](s, r, "/api/comparisons", url.Values{"migration": {id}})
	if p != nil || len(all.Comparisons) == 0 || all.Comparisons[0].Counts.Sampled == 0 {
		return nil
	}
	out := &compared{ComparisonCounts: all.Comparisons[0].Counts, Accepted: all.Comparisons[0].Accepted}
	for _, name := range outcomes {
		if n := out.Outcomes[name]; n > 0 {
			out.Rows = append(out.Rows, outcomeRow{string(name), n, float64(n) / float64(max(out.Sampled-out.Pending, 1))})
		}
	}
	found, p := get[dashboard.FindingsPage](s, r, "/api/findings", dashboard.FindingsFilter{Migration: id, Limit: 3}.Query())
	if p == nil {
		out.Findings, out.Total = found.Findings, found.Total
	}
	return out
}

// param returns a segment of the path, which may hold anything.
func param(r *http.Request, name string) string {
	raw := chi.URLParam(r, name)
	if text, err := url.PathUnescape(raw); err == nil && r.URL.RawPath != "" {
		return text
	}
	return raw
}
