package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// An overview is where everything stands.
type overview struct {
	Tree      tree
	Rate      float64 // requests a second, of all
	Legacy    measure
	Modern    measure
	Traffic   chart
	Taken     string // routes that lead to services
	Routes    int
	Filter    overviewFilter
	Tabs      []tab
	Rows      []row
	Total     int // that the filter takes
	Pages     []tab
	Latest    []happening
	Upstreams []dashboard.UpstreamStatus
	None      bool // there is no migration at all
}

// A tab is a link to another view of the same page.
type tab struct {
	Text    string
	URL     string
	Count   int
	Current bool
}

// A row is one migration.
type row struct {
	dashboard.Migration
	Fig            fig
	Legacy, Modern measure
	Health         health
	Waiting        string
	More           int // things that it waits for besides
}

// An overviewFilter says which migrations are wanted.
type overviewFilter struct {
	Show string // all, person, moving, done
	Name string // a part of it
	Page int    // from 1
}

// perPage is how many migrations a page shows.
const perPage = 40

var shows = []struct{ name, text string }{{"all", "All"}, {"person", "Waiting for somebody"}, {"moving", "Moving"}, {"done", "Arrived"}}

func overviewFilterOf(q url.Values) overviewFilter {
	f := overviewFilter{Show: "all", Name: clip(q.Get("name"), 100)}
	for _, s := range shows {
		if q.Get("show") == s.name {
			f.Show = s.name
		}
	}
	f.Page, _ = strconv.Atoi(q.Get("p"))
	f.Page = min(max(f.Page, 1), 1000)
	return f
}

func (f overviewFilter) query() url.Values {
	v := url.Values{}
	if f.Show != "all" {
		v.Set("show", f.Show)
	}
	if f.Name != "" {
		v.Set("name", f.Name)
	}
	if f.Page > 1 {
		v.Set("p", strconv.Itoa(f.Page))
	}
	return v
}

func (f overviewFilter) url(path string) string {
	if q := f.query().Encode(); q != "" {
		return path + "?" + q
	}
	return path
}

func (s *site) getOverview(w http.ResponseWriter, r *http.Request) {
	f := overviewFilterOf(r.URL.Query())
	o, p := s.overview(r, f)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	q := f.query()
	q.Set("page", "overview")
	s.show(w, r, http.StatusOK, page{Name: "overview", Title: "Overview", Live: q.Encode(), Main: o})
}

func (s *site) overview(r *http.Request, f overviewFilter) (overview, *dashboard.Problem) {
	state, p := get[dashboard.State](s, r, "/api/state", nil)
	if p != nil {
		return overview{}, p
	}
	ups, p := get[dashboard.Upstreams](s, r, "/api/upstreams", nil)
	if p != nil {
		return overview{}, p
	}
	all := s.series.of(whole)
	o := overview{
		Filter: f, Upstreams: ups.Upstreams, None: len(state.Migrations) == 0,
		Legacy: all.measure(legacy), Modern: all.measure(modern), Traffic: trafficChart(all),
	}
	o.Rate = o.Legacy.Rate + o.Modern.Rate
	o.grow(s, state)
	o.list(s, state)
	latest, p := s.happenings(r, dashboard.Filter{Limit: 6})
	if p != nil {
		return o, p
	}
	o.Latest = latest.Events
	return o, nil
}

// grow fills in the tree.
func (o *overview) grow(s *site, state dashboard.State) {
	if sum := o.Legacy.Requests + o.Modern.Requests; sum > 0 {
		o.Tree.Requests = float64(o.Modern.Requests) / float64(sum)
	}
	taken, all := takenRoutes(s.Table(), s.State())
	o.Routes = all
	o.Taken = strconv.FormatFloat(float64(int(taken*10+0.5))/10, 'f', -1, 64)
	if all > 0 {
		o.Tree.Endpoints = taken / float64(all)
	}
	for _, m := range state.Migrations {
		if !m.Retired {
			o.Tree.Figs = append(o.Tree.Figs, figOf(m.Shares, m.RolledBack))
		}
	}
}

// list fills in the migrations that the filter takes.
func (o *overview) list(s *site, state dashboard.State) {
	counts := map[string]int{}
	var rows []row
	for _, m := range state.Migrations {
		if m.Retired || !strings.Contains(m.ID, o.Filter.Name) {
			continue
		}
		of := showsOf(m)
		for _, show := range of {
			counts[show]++
		}
		if slices.Contains(of, o.Filter.Show) {
			rows = append(rows, row{Migration: m})
		}
	}
	for _, show := range shows {
		to := overviewFilter{Show: show.name, Name: o.Filter.Name}
		o.Tabs = append(o.Tabs, tab{show.text, to.url("/"), counts[show.name], show.name == o.Filter.Show})
	}
	o.Total = len(rows)
	o.Pages = pagesOf(o.Total, perPage, o.Filter.Page, func(n int) string {
		to := o.Filter
		to.Page = n
		return to.url("/")
	})
	from := min((o.Filter.Page-1)*perPage, len(rows))
	o.Rows = rows[from:min(from+perPage, len(rows))]
	for i := range o.Rows {
		s.fill(&o.Rows[i], o.Upstreams)
	}
}

// fill reckons what only the migrations that are shown need.
func (s *site) fill(m *row, ups []dashboard.UpstreamStatus) {
	m.Fig = figOf(m.Shares, m.RolledBack)
	lately := s.series.of(m.ID).last(int(time.Minute / sampleEvery))
	m.Legacy, m.Modern = lately.measure(legacy), lately.measure(modern)
	m.Health = healthOf(m.Migration, m.Legacy, m.Modern, ups)
	if len(m.WaitsFor) > 0 {
		m.Waiting, m.More = m.WaitsFor[0].Text, len(m.WaitsFor)-1
	}
}

// showsOf returns the views that a migration belongs to.
func showsOf(m dashboard.Migration) []string {
	out := []string{"all"}
	for _, w := range m.WaitsFor {
		switch w.For {
		case "approval", "config", "shift", "resume":
			if m.Stage != migrations.Off || m.RolledBack || w.For == "approval" {
				out = append(out, "person")
			}
		default:
			continue
		}
		break
	}
	if m.Ramp == migrations.RampRunning {
		out = append(out, "moving")
	}
	if m.Stage == migrations.Complete && len(m.Shares) == 1 {
		out = append(out, "done")
	}
	return out
}

// pagesOf returns links to the pages of a list.
func pagesOf(total, each, current int, url func(n int) string) (out []tab) {
	for n := 1; (n-1)*each < total && n <= 50; n++ {
		out = append(out, tab{Text: strconv.Itoa(n), URL: url(n), Current: n == current})
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

// clip bounds a text that came with an address.
func clip(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}
