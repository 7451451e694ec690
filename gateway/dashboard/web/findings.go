package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A findingsPage is a ranked list of findings.
type findingsPage struct {
	Filter     findingsFilter
	Migrations []string // that are compared
	States     []option
	Severities []option
	Rows       []findingRow
	Total      int
	Lost       int
	Pages      []tab
}

// An option is one of a list to choose from.
type option struct {
	Value, Text string
	Chosen      bool
}

// A findingRow is one finding of the list.
type findingRow struct {
	dashboard.Finding
	Ago string
	Bar splitBar // its share
}

type findingsFilter struct {
	Migration, State, Severity, Endpoint string
	Page                                 int
}

func findingsFilterOf(q url.Values) findingsFilter {
	f := findingsFilter{Migration: clip(q.Get("migration"), 200), State: clip(q.Get("state"), 20), Severity: clip(q.Get("severity"), 20), Endpoint: clip(q.Get("endpoint"), 200)}
	f.Page, _ = strconv.Atoi(q.Get("p"))
	f.Page = min(max(f.Page, 1), 1000)
	return f
}

func (f findingsFilter) url(page int) string {
	v := url.Values{}
	for name, text := range map[string]string{"migration": f.Migration, "state": f.State, "severity": f.Severity, "endpoint": f.Endpoint} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if page > 1 {
		v.Set("p", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return "/findings"
	}
	return "/findings?" + v.Encode()
}

// findingsAtOnce is how many findings a page shows, of the thousand that matter most.
const findingsAtOnce = 40

func (s *site) getFindings(w http.ResponseWriter, r *http.Request) {
	f := findingsFilterOf(r.URL.Query())
	list, p := get[dashboard.FindingsPage](s, r, "/api/findings", dashboard.FindingsFilter{Migration: f.Migration, State: f.State, Endpoint: f.Endpoint, Limit: 1000}.Query())
	if p != nil {
		s.fail(w, r, p)
		return
	}
	all, p := get[dashboard.Comparisons](s, r, "/api/comparisons", nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	page1 := findingsPage{Filter: f, Total: list.Total, Lost: list.Lost, States: statesOf(f.State), Severities: severitiesOf(f.Severity)}
	for _, c := range all.Comparisons {
		page1.Migrations = append(page1.Migrations, c.Migration)
	}
	now := s.Now()
	var rows []findingRow
	for _, g := range list.Findings {
		if f.Severity == "" || g.Severity == f.Severity {
			part := int(unit(g.Share) * 100_000)
			rows = append(rows, findingRow{g, ago(now, g.Last), splitBar{Text: percent(g.Share) + " of its observations", Bars: []bar{{"live", "0", inPercent(part)}}}})
		}
	}
	if f.Severity != "" {
		page1.Total = len(rows)
	}
	page1.Pages = pagesOf(len(rows), findingsAtOnce, f.Page, f.url)
	from := min((f.Page-1)*findingsAtOnce, len(rows))
	page1.Rows = rows[from:min(from+findingsAtOnce, len(rows))]
	s.show(w, r, http.StatusOK, page{Name: "findings", Title: "Findings", Live: "page=frame", Main: page1})
}

func statesOf(chosen string) []option {
	out := []option{{"", "that people should see", chosen == ""}}
	for _, state := range []compare.State{compare.Suspected, compare.Open, compare.Acknowledged, compare.Muted, compare.Fixed} {
		out = append(out, option{string(state), string(state), chosen == string(state)})
	}
	return append(out, option{"all", "all", chosen == "all"})
}

func severitiesOf(chosen string) []option {
	out := []option{{"", "any", chosen == ""}}
	for _, name := range []string{"critical", "high", "medium", "low"} {
		out = append(out, option{name, name, chosen == name})
	}
	return out
}
