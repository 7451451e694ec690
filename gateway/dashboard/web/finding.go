package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A findingPage is one finding, with one of its examples.
type findingPage struct {
	dashboard.Finding
	First, Last string
	Chosen      int    // example
	View        string // side or inline
	Views       []tab
	Others      []tab // examples
	Lines       []diffLine
	Rules       []ruleView
	YAML        string // of all of them
	Commands    string // to see it again
	May         bool
	WhyNot      string
	Reason      string
	ReasonFor   string // what the reason was given for, if it was refused
}

// Example is the one that is shown; nil if none is kept.
func (f findingPage) Example() *dashboard.Example {
	if f.Chosen < len(f.Examples) {
		return &f.Examples[f.Chosen]
	}
	return nil
}

// A ruleView is a rule that would accept the finding.
type ruleView struct {
	dashboard.Suggestion
	Says  string
	YAML  string
	Words string // as the form sends it back
	Share float64
}

func (s *site) getFinding(w http.ResponseWriter, r *http.Request) {
	s.showFinding(w, r, http.StatusOK, nil, nil)
}

func (s *site) showFinding(w http.ResponseWriter, r *http.Request, status int, n *notice, form url.Values) {
	id := param(r, "id")
	found, p := get[dashboard.Finding](s, r, "/api/findings/"+escape(id), nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	now, q := s.Now(), r.URL.Query()
	f := findingPage{Finding: found, First: ago(now, found.First), Last: ago(now, found.Last), View: "side", Commands: strings.Join(found.Reproduce, "\n"), Reason: form.Get("reason"), ReasonFor: param(r, "action")}
	if q.Get("view") == "inline" {
		f.View = "inline"
	}
	f.Chosen, _ = strconv.Atoi(q.Get("example"))
	f.Chosen = min(max(f.Chosen, 0), max(len(found.Examples)-1, 0))
	to := func(view string, example int) string {
		return fmt.Sprintf("/findings/%s?view=%s&example=%d", escape(id), view, example)
	}
	f.Views = []tab{{Text: "Side by side", URL: to("side", f.Chosen), Current: f.View == "side"}, {Text: "Inline", URL: to("inline", f.Chosen), Current: f.View == "inline"}}
	for i, e := range found.Examples {
		f.Others = append(f.Others, tab{Text: exampleName(i, e, now), URL: to(f.View, i), Current: i == f.Chosen})
	}
	if e := f.Example(); e != nil {
		f.Lines = diffLines(e.Differences)
	}
	for i, rule := range found.Suggestions {
		v := ruleViewOf(rule)
		if f.Rules = append(f.Rules, v); i == 0 {
			f.YAML = "migrations:\n  " + found.Migration + ":\n    compare:\n      rules:"
		}
		f.YAML += "\n" + v.YAML
	}
	v := viewerOf(r)
	if f.May = v.May(s.owner(found.Migration)); !f.May {
		f.WhyNot = "You may look. Saying what becomes of it needs the role operator" + map[bool]string{true: ", of the group that owns the migration.", false: "."}[s.owner(found.Migration) != ""]
		if !v.SignedIn() {
			f.WhyNot = "Sign in to say what becomes of it."
		}
	}
	if code := q.Get("said"); n == nil && code != "" {
		n = &notice{Good: true, Title: "Noted: this finding is " + string(found.State)}
	}
	s.show(w, r, status, page{Name: "finding", Title: "Finding " + id, Live: "page=frame", Notice: n, Main: f})
}

// owner returns who answers for a migration, by the config in force.
func (s *site) owner(migration string) string {
	if plan := s.Table().Plans[migration]; plan != nil {
		return plan.Owner
	}
	return ""
}

func ruleViewOf(s dashboard.Suggestion) ruleView {
	says := map[compare.Action]string{
		compare.Ignore: "Compare nothing at " + s.Path, compare.Unordered: "Let the order of " + s.Path + " not matter",
		compare.Tolerance: "Let numbers at " + s.Path + " differ by " + s.With, compare.Round: "Round numbers at " + s.Path + " to " + s.With + " decimals",
	}[s.Do]
	rule := fmt.Sprintf("{do: %s, path: %q", s.Do, s.Path)
	if s.With != "" {
		rule += fmt.Sprintf(", with: %q", s.With)
	}
	v := ruleView{Suggestion: s, Says: says, YAML: "        - " + rule + "}"}
	words, _ := json.Marshal(dashboard.RuleWords{Do: s.Do, Path: s.Path, With: s.With})
	v.Words = string(words)
	if s.Of > 0 {
		v.Share = float64(s.Resolves) / float64(s.Of)
	}
	return v
}

// postTriage says what somebody thinks of a finding, by the API.
func (s *site) postTriage(w http.ResponseWriter, r *http.Request) {
	form, ok := s.posted(w, r)
	if !ok {
		return
	}
	id, action := param(r, "id"), param(r, "action")
	body := map[string]any{"reason": form.Get("reason")}
	switch action {
	case "acknowledge", "fix":
	case "accept":
		body["for"] = form.Get("for")
		rules := []dashboard.RuleWords{}
		for _, text := range form["rule"] {
			var words dashboard.RuleWords
			if json.Unmarshal([]byte(text), &words) == nil {
				rules = append(rules, words)
			}
		}
		body["rules"] = rules
	case "mute":
		body["for"] = form.Get("for")
	default:
		s.fail(w, r, &dashboard.Problem{Status: http.StatusNotFound, Title: "Nothing here", Detail: "nobody can do that to a finding"})
		return
	}
	if _, p := post[dashboard.Finding](s, r, "/api/findings/"+escape(id)+"/"+action, body); p != nil {
		s.showFinding(w, r, p.Status, refusal(p, s.Now()), form)
		return
	}
	http.Redirect(w, r, "/findings/"+escape(id)+"?said="+action, http.StatusSeeOther)
}
