package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// An AcceptRequest accepts what a finding is about, by rules that the finding
// suggests.
type AcceptRequest struct {
	Reason string      `json:"reason"`
	Rules  []RuleWords `json:"rules,omitempty"` // absent: all that it suggests
	For    string      `json:"for,omitempty"`   // a duration such as 24h; absent: 30 days
}

// RuleWords are a rule as the config writes it.
type RuleWords struct {
	Do   compare.Action `json:"do"`
	Path string         `json:"path"`
	With string         `json:"with,omitempty"`
}

// An AcceptedRule counts until it ends, on top of those of the config.
type AcceptedRule struct {
	Do    compare.Action `json:"do"`
	Path  string         `json:"path"`
	With  string         `json:"with,omitempty"`
	Owner string         `json:"owner"` // who accepted it
	Until time.Time      `json:"until"`
}

// A WithdrawRequest takes an accepted rule back.
type WithdrawRequest struct {
	Do   compare.Action `json:"do"`
	Path string         `json:"path"`
}

// A Withdrawn is the answer to that.
type Withdrawn struct {
	Accepted []AcceptedRule `json:"accepted"` // those that are left
}

// usualAcceptance is how long an accepted rule counts: time enough to put it
// into the config.
const usualAcceptance = 30 * 24 * time.Hour

// postAccept accepts a finding: its rules count from now on, on this gateway,
// until they end or the config has them.
func (a *api) postAccept(w http.ResponseWriter, r *http.Request) {
	var body AcceptRequest
	p := decode(w, r, &body)
	if p == nil && body.For == "" {
		body.For = usualAcceptance.String()
	}
	var until time.Time
	if p == nil {
		until, p = MuteRequest{For: body.For}.end(a.Now())
	}
	if p != nil {
		fail(w, r, p)
		return
	}
	found, ok := a.finding(param(r, "id"), true)
	if !ok {
		fail(w, r, noFinding(param(r, "id")))
		return
	}
	var rules []compare.Rule
	var texts []string
	for _, s := range found.Suggestions {
		words := RuleWords{s.Do, s.Path, s.With}
		if body.Rules == nil || slices.Contains(body.Rules, words) {
			rule := compare.Rule{Do: s.Do, Path: s.Path, With: s.With, Owner: actor(r), Until: until}
			rules, texts = append(rules, rule), append(texts, rule.String())
		}
	}
	if len(rules) == 0 || body.Rules != nil && len(rules) != len(body.Rules) {
		fail(w, r, problem(Refused, http.StatusUnprocessableEntity, "rules: the finding suggests %d, and those that are accepted must be among them", len(found.Suggestions)))
		return
	}
	what := "accepted by " + strings.Join(texts, ", ")
	a.triage(w, r, what, body.Reason, func(s *compare.Study, id, note string) error {
		return s.Findings.Acknowledge(id, fmt.Sprintf("%s (%s)", note, what))
	}, func() error { return a.Findings.Accept(found.Migration, rules) })
}

// postWithdraw takes an accepted rule back.
func (a *api) postWithdraw(w http.ResponseWriter, r *http.Request) {
	var body WithdrawRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	id := param(r, "id")
	if !slices.Contains(a.compared(), id) {
		fail(w, r, a.notCompared(id))
		return
	}
	if p := mayChange(r, id, a.plan(id).Owner); p != nil {
		a.refuse(w, r, p)
		return
	}
	rule := compare.Rule{Do: body.Do, Path: body.Path}
	if !a.Findings.Withdraw(id, rule) {
		fail(w, r, problem(NotFound, http.StatusNotFound, "%s has no accepted rule %q; those of the config are taken back there", id, plain(rule.String(), 200)))
		return
	}
	a.note(r, identityOf(r), access.Entry{What: access.Judged, Detail: "withdrew " + plain(rule.String(), 200) + " of " + id})
	answer(w, http.StatusOK, Withdrawn{a.accepted(id)})
}

// accepted lists the rules that count on top of those of the config.
func (a *api) accepted(migration string) []AcceptedRule {
	out := []AcceptedRule{}
	for _, r := range a.Findings.Accepted(migration) {
		out = append(out, AcceptedRule{r.Do, plain(r.Path, 1000), r.With, r.Owner, r.Until})
	}
	return out
}
