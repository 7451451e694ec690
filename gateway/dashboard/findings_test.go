package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/routes"
)

// studies are what a gateway without traffic would know: real studies that the
// test has fed.
type studies struct {
	mu    sync.Mutex // guards the study
	study *compare.Study
	rules *compare.Rules
	count ComparisonCounts

	accepted []compare.Rule
}

func (s *studies) Migrations() []string { return []string{"orders"} }

func (s *studies) View(migration string, f func(*compare.Study)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if migration == "orders" {
		f(s.study)
	}
	return migration == "orders"
}

func (s *studies) Change(_ string, f func(*compare.Study) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(s.study)
}

func (s *studies) Counts(string) ComparisonCounts { return s.count }

func (s *studies) Accept(_ string, rules []compare.Rule) error {
	s.accepted = append(s.accepted, rules...)
	return nil
}

func (s *studies) Accepted(string) []compare.Rule { return s.accepted }

func (s *studies) Withdraw(_ string, rule compare.Rule) bool {
	n := len(s.accepted)
	s.accepted = slices.DeleteFunc(s.accepted, func(r compare.Rule) bool { return r.Do == rule.Do && r.Path == rule.Path })
	return len(s.accepted) < n
}

func (s *studies) EraseKey(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.study.Findings.EraseKey(s.rules.Mark(key))
}

// observe compares two bodies and takes the result in.
func (s *studies) observe(t *testing.T, endpoint, target, key, control, candidate string, repeatable bool) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	r := compare.Compare(&compare.Answer{Status: 200, Header: header, Body: []byte(control)}, &compare.Answer{Status: 200, Header: header, Body: []byte(candidate)}, s.rules, nil)
	s.count.Sampled++
	s.count.Outcomes[r.Outcome]++
	s.study.Add(&compare.Observation{
		Endpoint: endpoint, Target: target, Time: time.Now(), Result: r, Repeatable: repeatable, Key: s.rules.Mark(key),
		ControlTrace: strings.Repeat("a", 32), CandidateTrace: strings.Repeat("b", 32), ControlTook: 10 * time.Millisecond, CandidateTook: 20 * time.Millisecond,
	})
}

// compared is a gateway that has found a wrong price, a header that is gone,
// and something that it only suspects.
func compared(t *testing.T, edits ...func(*Deps)) (*gateway, *studies) {
	t.Helper()
	rules, err := compare.CompileRules(compare.Definition{Rules: []compare.Rule{{Do: compare.Keep, Path: "$.kept"}}, MaskKey: []byte("k")}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &studies{
		study: compare.NewStudy(compare.NoiseOptions{}, compare.FindingsOptions{}), rules: rules,
		count: ComparisonCounts{Outcomes: map[compare.Outcome]uint64{}, Dropped: map[string]uint64{"budget": 2}},
	}
	for i := range 4 {
		s.observe(t, "GET /api/orders/{id}", fmt.Sprintf("/api/orders/%d?page=REDACTED", i), fmt.Sprint("ada", i%2), `{"total": 5, "kept": "old"}`, `{"total": 5000000, "kept": "new"}`, false)
	}
	s.observe(t, "GET /hostile", "/hostile\x1b[2J<script>'", "bob", `{"a": 1}`, `{"a": 1, "<script>\u001b[2J": 2}`, false)
	s.observe(t, "GET /quiet", "/quiet", "bob", `{"a": 1}`, `{"a": 2}`, true)
	edits = append([]func(*Deps){func(d *Deps) {
		d.Findings = s
		table := *d.Table()
		table.Upstreams = map[string]*routes.Upstream{
			"monolith": {Name: "monolith", Endpoints: []routes.Endpoint{{Scheme: "http", Host: "localhost:3000"}}},
			"orders":   {Name: "orders", Endpoints: []routes.Endpoint{{Scheme: "http", Host: "localhost:3001"}}},
		}
		d.Table = func() *routes.Table { return &table }
	}}, edits...)
	return start(t, edits...), s
}

func TestFindingsAreListedByRankAndState(t *testing.T) {
	g, _ := compared(t)
	page := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK)
	if page.Total != 2 || page.Findings[0].Endpoint != "GET /api/orders/{id}" || page.Findings[0].Rank < page.Findings[1].Rank {
		t.Fatalf("%+v", page)
	}
	f := page.Findings[0]
	if f.Migration != "orders" || f.Count != 4 || f.Of != 4 || f.Share != 1 || f.State != compare.Open || f.Severity != "medium" || !f.Unlearned || f.Examples != nil {
		t.Errorf("%+v", f)
	}
	for query, want := range map[string]int{
		"?state=all": 3, "?state=suspected": 1, "?state=muted": 0, "?endpoint=hostile": 1, "?migration=orders": 2, "?limit=1": 1, "?endpoint=nowhere": 0,
	} {
		if page := got[FindingsPage](t, g.get("/api/findings"+query), http.StatusOK); len(page.Findings) != want {
			t.Errorf("%s: %d findings, want %d", query, len(page.Findings), want)
		}
	}
}

func TestFindingShowsExamplesAndIsAudited(t *testing.T) {
	g, _ := compared(t)
	id := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK).Findings[0].ID
	r := g.ask(http.MethodGet, "/api/findings/"+id, "", as("mallory"))
	f := got[Finding](t, r, http.StatusOK)
	if len(f.Examples) != 4 || len(f.Examples[0].Differences) != 2 || f.Examples[0].ControlTrace == f.Examples[0].CandidateTrace {
		t.Fatalf("%+v", f.Examples)
	}
	for _, d := range f.Examples[0].Differences {
		switch {
		case d.Path == "$.kept" && (d.Control.Text != "old" || d.Candidate.Text != "new"):
			t.Errorf("a value that is kept is not shown: %+v", d)
		case d.Path == "$.total" && (d.Control.Text != "" || d.Control.Mark == "" || d.Control.Mark == d.Candidate.Mark || d.Candidate.Length != 7):
			t.Errorf("a value is not masked: %+v", d)
		}
	}
	if strings.Contains(string(r.body), "5000000") {
		t.Error("a masked value is shown")
	}
	contains(t, strings.Join(f.Reproduce, "\n"), "curl -sSi 'http://localhost:3000/api/orders/", "?page=REDACTED' > legacy.http", "http://localhost:3001/", "ficus compare legacy.http modern.http --migration orders")
	if len(f.Suggestions) != 2 || f.Suggestions[0].Of != 4 {
		t.Errorf("%+v", f.Suggestions)
	}
	contains(t, g.logged.String(), `"msg":"examples of a finding were looked at","finding":"`+id+`"`, `"actor":"mallory"`)
}

func TestTriageOfFindings(t *testing.T) {
	g, s := compared(t)
	id := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK).Findings[0].ID
	path := "/api/findings/" + id
	if f := got[Finding](t, g.post(path+"/acknowledge", `{"reason": "known\u001b"}`), http.StatusOK); f.State != compare.Acknowledged || f.Note != "alice: known" {
		t.Errorf("%+v", f)
	}
	f := got[Finding](t, g.post(path+"/mute", `{"reason": "later", "for": "24h"}`), http.StatusOK)
	if f.State != compare.Muted || f.Until == nil || time.Until(*f.Until) < 23*time.Hour {
		t.Errorf("%+v", f)
	}
	if page := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK); page.Total != 1 {
		t.Errorf("a muted finding is shown")
	}
	if f := got[Finding](t, g.post(path+"/fix", `{"reason": "deployed"}`), http.StatusOK); f.State != compare.Fixed || f.FixedAt == nil {
		t.Errorf("%+v", f)
	}
	contains(t, refusedAs(t, g.post(path+"/acknowledge", `{"reason": "known"}`), http.StatusConflict, Refused).Detail, "is fixed")
	s.observe(t, "GET /api/orders/{id}", "/api/orders/9", "ada1", `{"total": 5, "kept": "old"}`, `{"total": 5000000, "kept": "new"}`, false)
	if f := got[Finding](t, g.get(path), http.StatusOK); f.State != compare.Open || f.RegressedAt == nil {
		t.Errorf("a finding that comes back does not say so: %+v", f)
	}
	contains(t, g.logged.String(), `"msg":"a finding was muted"`, `"actor":"alice"`, `"reason":"later"`)
}

func TestErasingByKeyLeavesNoTraceOfTheKey(t *testing.T) {
	g, _ := compared(t)
	id := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK).Findings[0].ID
	before := len(got[Finding](t, g.get("/api/findings/"+id), http.StatusOK).Examples)
	if e := got[Erased](t, g.post("/api/findings/erase", `{"key": "ada1"}`), http.StatusOK); e.Erased == 0 {
		t.Errorf("%+v", e)
	}
	if after := len(got[Finding](t, g.get("/api/findings/"+id), http.StatusOK).Examples); before != 4 || after != 2 {
		t.Errorf("%d examples before, %d after", before, after)
	}
	if e := got[Erased](t, g.post("/api/findings/erase", `{"key": "ada1"}`), http.StatusOK); e.Erased != 0 {
		t.Errorf("erased twice: %+v", e)
	}
	g.post("/api/findings/erase", `{"key": "ada1", "kee": 1}`)
	contains(t, g.logged.String(), "examples were erased by key")
	if strings.Contains(g.logged.String(), "ada1") {
		t.Errorf("the key is in the log: %s", g.logged)
	}
}

func TestComparisonsAddUp(t *testing.T) {
	g, s := compared(t)
	c := got[Comparisons](t, g.get("/api/comparisons?migration=orders"), http.StatusOK).Comparisons[0]
	if c.Counts.Outcomes[compare.Mismatch] != 6 || c.Counts.Sampled != s.count.Sampled || c.Findings[compare.Open] != 2 || c.Findings[compare.Suspected] != 1 {
		t.Errorf("%+v", c)
	}
	e := c.Endpoints[0]
	if e.Endpoint != "GET /api/orders/{id}" || e.Observed != 4 || e.Mismatched != 4 || e.Pairs != 4 || e.Slower != 1 || e.Candidate.P99 < 19 || e.Control.P50 > 11 {
		t.Errorf("%+v", e)
	}
}

func TestFindingsRefusals(t *testing.T) {
	g, _ := compared(t)
	id := got[FindingsPage](t, g.get("/api/findings"), http.StatusOK).Findings[0].ID
	for _, c := range []struct {
		method, path, body string
		status             int
		kind               ProblemType
		says               string
	}{
		{"GET", "/api/findings?state=gone", "", 400, BadRequest, "suspected, open, acknowledged, muted, fixed, and all"},
		{"GET", "/api/findings?limit=0", "", 400, BadRequest, "1 to 1000"},
		{"GET", "/api/findings?stat=all", "", 400, BadRequest, "no parameter"},
		{"GET", "/api/findings?migration=shop", "", 404, NoMigration, "no migration"},
		{"GET", "/api/findings?migration=cart", "", 404, NotFound, "is not compared"},
		{"GET", "/api/findings/none", "", 404, NoFinding, "no finding"},
		{"GET", "/api/findings/..%2f..%1b", "", 404, NoFinding, "no finding"},
		{"GET", "/api/findings/erase", "", 404, NoFinding, "no finding"},
		{"GET", "/api/comparisons?migration=cart", "", 404, NotFound, "is not compared"},
		{"POST", "/api/findings/none/fix", `{"reason": "x"}`, 404, NoFinding, "no finding"},
		{"POST", "/api/findings/" + id + "/fix", "", 422, BadRequest, "say why"},
		{"POST", "/api/findings/" + id + "/acknowledge", `{"reason": " \n"}`, 422, BadRequest, "say why"},
		{"POST", "/api/findings/" + id + "/acknowledge", `{"because": "x"}`, 400, BadRequest, "unknown field"},
		{"POST", "/api/findings/" + id + "/mute", `{"reason": "x"}`, 422, BadRequest, "needs an end"},
		{"POST", "/api/findings/" + id + "/mute", `{"reason": "x", "for": "1h", "until": "2030-01-01T00:00:00Z"}`, 422, BadRequest, "not both"},
		{"POST", "/api/findings/" + id + "/mute", `{"reason": "x", "for": "a day"}`, 422, BadRequest, "no duration"},
		{"POST", "/api/findings/" + id + "/mute", `{"reason": "x", "for": "-1h"}`, 422, BadRequest, "in the future"},
		{"POST", "/api/findings/" + id + "/mute", `{"reason": "x", "until": "2990-01-01T00:00:00Z"}`, 422, BadRequest, "within a year"},
		{"POST", "/api/findings/erase", `{}`, 422, BadRequest, "name the targeting key"},
	} {
		r := g.ask(c.method, c.path, c.body, g.bearing)
		contains(t, refusedAs(t, r, c.status, c.kind).Detail, c.says)
	}
	for _, path := range []string{"/" + id + "/acknowledge", "/" + id + "/mute", "/" + id + "/fix", "/erase"} {
		refusedAs(t, g.ask(http.MethodPost, "/api/findings"+path, `{"reason": "x", "key": "x"}`), http.StatusUnauthorized, Unauthorized)
	}
}

func TestHostileStringsAreHarmless(t *testing.T) {
	g, _ := compared(t)
	id := got[FindingsPage](t, g.get("/api/findings?endpoint=hostile"), http.StatusOK).Findings[0].ID
	r := g.get("/api/findings/" + id)
	f := got[Finding](t, r, http.StatusOK)
	text, _ := json.Marshal(f)
	if strings.Contains(string(r.body), "<script>") || strings.Contains(string(text), `\u001b`) {
		t.Errorf("%s", r.body)
	}
	contains(t, f.Reproduce[0], `'\'''`)
}

func TestWithoutComparingThereIsNothing(t *testing.T) {
	g := start(t)
	contains(t, string(g.get("/api/findings").body), `"findings": []`)
	contains(t, string(g.get("/api/comparisons").body), `"comparisons": []`)
	refusedAs(t, g.get("/api/findings/x"), http.StatusNotFound, NoFinding)
	if e := got[Erased](t, g.post("/api/findings/erase", `{"key": "x"}`), http.StatusOK); e.Erased != 0 {
		t.Errorf("%+v", e)
	}
}
