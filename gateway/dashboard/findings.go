package dashboard

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// Findings are what the gateway has found out by comparing. Its methods must
// be safe for concurrent use; what a function is given belongs to it only
// while it runs, and it neither keeps nor waits.
type Findings interface {
	// Migrations lists those that are compared, sorted.
	Migrations() []string
	// View calls f with what is known of a migration, or returns false.
	View(migration string, f func(*compare.Study)) bool
	// Change is as View for what changes something, and returns f's error.
	Change(migration string, f func(*compare.Study) error) error
	// Counts returns what has become of a migration's observations.
	Counts(migration string) ComparisonCounts
	// Accept adds rules to those of the config, until they end.
	Accept(migration string, rules []compare.Rule) error
	// Accepted lists them, and Withdraw takes one back if there is such.
	Accepted(migration string) []compare.Rule
	Withdraw(migration string, rule compare.Rule) bool
	// EraseKey drops every example of a targeting key, and says how many.
	EraseKey(key string) int
}

// A FindingsFilter says which findings are wanted. The zero value means the
// fifty that matter most.
type FindingsFilter struct {
	Migration string
	State     string // empty: those that people should see; "all"
	Endpoint  string // a part of its name
	Limit     int    // at most 1000; 0 means 50
}

// Query writes the filter as the query of /api/findings.
func (f FindingsFilter) Query() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{"migration": f.Migration, "state": f.State, "endpoint": f.Endpoint} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if f.Limit > 0 {
		v.Set("limit", strconv.Itoa(f.Limit))
	}
	return v
}

// A FindingsPage lists findings, the highest rank first.
type FindingsPage struct {
	Findings []Finding `json:"findings"`
	Total    int       `json:"total"`          // that the filter takes, those beyond the limit included
	Lost     int       `json:"lost,omitempty"` // findings that had to go for want of room
}

const allStates = "all"

var states = []compare.State{compare.Suspected, compare.Open, compare.Acknowledged, compare.Muted, compare.Fixed}

func findingsFilterOf(r *http.Request) (FindingsFilter, *Problem) {
	values, p := query(r, "migration", "state", "endpoint", "limit")
	if p != nil {
		return FindingsFilter{}, p
	}
	f := FindingsFilter{Migration: values.Get("migration"), State: values.Get("state"), Endpoint: values.Get("endpoint"), Limit: 50}
	if f.State != "" && f.State != allStates && !slices.Contains(states, compare.State(f.State)) {
		return f, problem(BadRequest, http.StatusBadRequest, "no state %q; there are %s, and all", f.State, list(states))
	}
	if text := values.Get("limit"); text != "" {
		var err error
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > 1000 {
			return f, problem(BadRequest, http.StatusBadRequest, "limit=%s is not a number from 1 to 1000", text)
		}
	}
	return f, nil
}

func (a *api) getFindings(w http.ResponseWriter, r *http.Request) {
	f, p := findingsFilterOf(r)
	if p == nil && f.Migration != "" && !slices.Contains(a.compared(), f.Migration) {
		p = a.notCompared(f.Migration)
	}
	if p != nil {
		fail(w, r, p)
		return
	}
	out, now := FindingsPage{Findings: []Finding{}}, a.Now()
	for _, id := range a.compared() {
		if f.Migration != "" && f.Migration != id {
			continue
		}
		a.Findings.View(id, func(s *compare.Study) {
			out.Lost += s.Findings.Lost()
			for _, g := range s.Findings.All(now) {
				shown := f.State == allStates || string(g.State) == f.State || f.State == "" && g.Real(now)
				if shown && strings.Contains(g.Endpoint, f.Endpoint) {
					out.Findings = append(out.Findings, FindingOf(id, g, now))
				}
			}
		})
	}
	slices.SortStableFunc(out.Findings, func(x, y Finding) int { return cmp.Compare(y.Rank, x.Rank) })
	out.Total = len(out.Findings)
	out.Findings = out.Findings[:min(f.Limit, out.Total)]
	answer(w, http.StatusOK, out)
}

// compared lists the migrations that are compared.
func (a *api) compared() []string {
	if a.Findings == nil {
		return nil
	}
	return a.Findings.Migrations()
}

// notCompared is the problem of a migration without findings: one that is not
// there, or that is only not compared.
func (a *api) notCompared(id string) *Problem {
	s := a.State()
	if _, ok := s.Migrations[id]; !ok {
		return noMigration(s, id)
	}
	p := problem(NotFound, http.StatusNotFound, "%s is not compared: the config in force does not have it", id)
	p.Migration = id
	return p
}

func (a *api) getFinding(w http.ResponseWriter, r *http.Request) {
	id := param(r, "id")
	out, ok := a.finding(id, true)
	if !ok {
		fail(w, r, noFinding(id))
		return
	}
	// Examples are of real people, so that looking at them leaves a trace.
	a.Logger.Info("examples of a finding were looked at", "finding", out.ID, "migration", out.Migration, "examples", len(out.Examples),
		"actor", actor(r), "trace_id", traceID(r))
	answer(w, http.StatusOK, out)
}

func noFinding(id string) *Problem {
	return problem(NoFinding, http.StatusNotFound, "no finding %q; it may have been taken in by another, or have passed its retention", plain(id, 100))
}

var errElsewhere = errors.New("not a finding of this migration")

// finding presents one, at length if that is wanted.
func (a *api) finding(id string, whole bool) (out Finding, found bool) {
	for _, migration := range a.compared() {
		a.Findings.View(migration, func(s *compare.Study) {
			g, err := s.Findings.Get(id)
			if found = err == nil; !found {
				return
			}
			if whole {
				out = DetailsOf(migration, s, g, a.Now())
			} else {
				out = FindingOf(migration, g, a.Now())
			}
		})
		if found {
			break
		}
	}
	if found && whole {
		out.Reproduce = a.reproduce(out)
	}
	return out, found
}
