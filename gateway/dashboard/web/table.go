package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A routesPage is the table as compiled, where one request would go, and how
// the last reload went.
type routesPage struct {
	Table   dashboard.Table
	Asked   dashboard.ExplainRequest
	Headers string
	Answer  *dashboard.Explanation
	Wrong   string // why there is no answer
	Find    string
	Rows    []routeRow
	Total   int
	Pages   []tab
	Reload  reloadView
	May     bool
}

// A routeRow is one route.
type routeRow struct {
	dashboard.Route
	Number int // in the order in which they are tried
	Split  string
	Bar    *splitBar
	Also   []string // what else it asks for or does
	Hit    bool     // the request that was asked about goes here
}

// A reloadView is how the last reload went.
type reloadView struct {
	OK       bool
	When     string
	Hash     string
	Problems []problemView
	Warnings []problemView
	Restart  []string
}

// A problemView is something wrong with the config, and the lines where it is.
type problemView struct {
	dashboard.ConfigProblem
	Lines []sourceLine
}

// A sourceLine is a line of a config file.
type sourceLine struct {
	Number int
	Text   string
	Wrong  bool
}

// routesAtOnce is how many routes a page shows.
const routesAtOnce = 100

func (s *site) getRoutes(w http.ResponseWriter, r *http.Request) {
	s.showRoutes(w, r, http.StatusOK, nil)
}

func (s *site) showRoutes(w http.ResponseWriter, r *http.Request, status int, n *notice) {
	q := r.URL.Query()
	table, p := get[dashboard.Table](s, r, "/api/routes", nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	reload, p := get[dashboard.Reload](s, r, "/api/config/reload", nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	main := routesPage{Table: table, Find: clip(q.Get("find"), 200), May: viewerOf(r).May(""), Reload: s.reloadViewOf(reload)}
	s.explain(r, &main, q)
	main.list(s.State(), q)
	s.show(w, r, status, page{Name: "routes", Title: "Routes", Live: "page=frame", Notice: n, Main: main})
}

// explain asks where a request would go. The header comes as lines, as curl
// takes them.
func (s *site) explain(r *http.Request, main *routesPage, q url.Values) {
	main.Asked = dashboard.ExplainRequest{Method: clip(q.Get("method"), 20), URL: strings.TrimSpace(clip(q.Get("url"), 4000))}
	main.Headers = clip(q.Get("headers"), 8000)
	if main.Asked.Method == "" {
		main.Asked.Method = http.MethodGet
	}
	if main.Asked.URL == "" {
		return
	}
	ask := url.Values{"method": {main.Asked.Method}, "url": {main.Asked.URL}}
	for line := range strings.Lines(main.Headers) {
		if line = strings.TrimSpace(line); line != "" {
			ask.Add("header", line)
		}
	}
	answer, p := get[dashboard.Explanation](s, r, "/api/explain", ask)
	if p != nil {
		main.Wrong = p.Detail
		return
	}
	main.Answer = &answer
}

// list picks the routes that are shown.
func (m *routesPage) list(state migrations.State, q url.Values) {
	var rows []routeRow
	for i, route := range m.Table.Routes {
		if m.Find != "" && !strings.Contains(strings.Join(append([]string{route.ID, route.Match.Path, route.Upstream, route.Migration}, route.Match.Hosts...), "\n"), m.Find) {
			continue
		}
		row := routeRow{Route: route, Number: i + 1, Also: alsoOf(route), Hit: m.Answer != nil && m.Answer.Route != nil && m.Answer.Route.ID == route.ID}
		if one, ok := state.Migrations[route.Migration]; ok && route.Migration != "" {
			bar := splitBarOf(sharesOf(one.Split), one.Split.String())
			row.Split, row.Bar = one.Split.String(), &bar
		}
		rows = append(rows, row)
	}
	m.Total = len(rows)
	n, _ := strconv.Atoi(q.Get("p"))
	n = min(max(n, 1), 1000)
	m.Pages = pagesOf(m.Total, routesAtOnce, n, func(n int) string {
		return "/routes?" + url.Values{"find": {m.Find}, "p": {strconv.Itoa(n)}}.Encode()
	})
	from := min((n-1)*routesAtOnce, len(rows))
	m.Rows = rows[from:min(from+routesAtOnce, len(rows))]
}

func alsoOf(r dashboard.Route) (out []string) {
	for _, part := range []struct {
		name string
		list []string
	}{{"host", r.Match.Hosts}, {"header", r.Match.Headers}, {"query", r.Match.Query}, {"cookie", r.Match.Cookies}, {"key", r.Key}, {"request", r.Request}, {"response", r.Response}} {
		if len(part.list) > 0 {
			out = append(out, part.name+" "+strings.Join(part.list, ", "))
		}
	}
	if r.Rewrite != "" {
		out = append(out, r.Rewrite)
	}
	if r.Else != "" {
		out = append(out, "a 404 is asked of "+r.Else)
	}
	if r.Repeatable {
		out = append(out, "repeatable")
	}
	if r.Timeout != "" {
		out = append(out, "timeout "+r.Timeout)
	}
	return out
}

func (s *site) reloadViewOf(r dashboard.Reload) reloadView {
	out := reloadView{OK: r.OK, Hash: r.Hash, Restart: r.Restart, When: "at the start"}
	if r.Time != nil {
		out.When = ago(s.Now(), *r.Time) + ", " + r.Time.UTC().Format("2 Jan 15:04:05") + " UTC"
		if time.Since(*r.Time) < 0 {
			out.When = "just now"
		}
	}
	for _, p := range r.Errors {
		out.Problems = append(out.Problems, s.problemViewOf(p))
	}
	for _, p := range r.Warnings {
		out.Warnings = append(out.Warnings, s.problemViewOf(p))
	}
	return out
}

func (s *site) problemViewOf(p dashboard.ConfigProblem) problemView {
	v := problemView{ConfigProblem: p}
	if s.Excerpt == nil {
		return v
	}
	from, lines := s.Excerpt(routes.Position{File: p.File, Line: p.Line, Col: p.Col})
	for i, text := range lines {
		v.Lines = append(v.Lines, sourceLine{from + i, masked(text), from+i == p.Line})
	}
	return v
}

// masked hides what may be a secret in a line of a config: whoever may look
// here may not be whoever may read the file.
func masked(line string) string {
	lower := strings.ToLower(line)
	for _, word := range []string{"secret", "token", "password", "authorization", "cookie:", "api-key", "apikey", "x-key", "private", "signature"} {
		if i := strings.Index(lower, word); i >= 0 {
			if colon := strings.IndexByte(line[i:], ':'); colon >= 0 && word != "cookie:" {
				return line[:i+colon+1] + " (hidden)"
			}
		}
	}
	return line
}

// postReload has the config read again, by the API.
func (s *site) postReload(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.posted(w, r); !ok {
		return
	}
	_, p := post[dashboard.Reload](s, r, "/api/reload", struct{}{})
	if p != nil && p.Type != dashboard.ConfigInvalid {
		s.showRoutes(w, r, p.Status, refusal(p, s.Now()))
		return
	}
	http.Redirect(w, r, "/routes#reload", http.StatusSeeOther)
}
