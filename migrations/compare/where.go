package compare

import (
	"cmp"
	"slices"

	"github.com/ficus-gateway/ficus/migrations/condition"
)

// where is which requests show a finding, as the kept ones say.
type where struct {
	endpoint string
	condition.Finding
}

// telling is the number of users from which on what was found out now is said
// in place of what was found out in an earlier run or on another gateway, even
// if it names no condition.
const telling = 8

// Where says in a sentence which requests show a finding: the smallest
// condition that tells them from those of the endpoint that agree. It is empty
// where nothing is known of them. Nothing of it is computed before it is asked
// for.
func (s *Study) Where(id string) string {
	g := s.Findings.byID[id]
	if g == nil {
		return ""
	}
	if w := s.whereOf(g); w != nil && (g.Where == "" || w.Verdict == condition.Condition || w.Inside.Bad >= telling) && w.Text != "" {
		g.Where = w.Text
	}
	return g.Where
}

// explained bounds the findings that are explained at once: it takes some
// hundred microseconds each.
const explained = 16

// Explain writes into findings which requests show them, so that it can be read
// elsewhere and later: into those of which something new is known, the latest
// first.
func (s *Study) Explain() {
	var ids []string
	for id, l := range s.Requests.differing {
		if l.where == nil && s.Findings.byID[id] != nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(s.Requests.differing[b].last.Compare(s.Requests.differing[a].last), cmp.Compare(a, b))
	})
	for _, id := range ids[:min(len(ids), explained)] {
		s.Where(id)
	}
}

// whereOf searches the condition, unless that was done and nothing has changed
// since; nil: no request of the finding is kept.
func (s *Study) whereOf(g *Finding) *where {
	l := s.Requests.differing[g.ID]
	if l == nil || len(l.list) == 0 {
		return nil
	}
	if l.where != nil {
		return l.where
	}
	outcome := "had answers that differ"
	if g.Unanswered() {
		outcome = "had no good answer"
	}
	samples := l.samples(nil, outcome)
	samples = s.Requests.agreeing[g.Endpoint].samples(samples, "")
	for id, other := range s.Requests.differing { // another fault of the endpoint is no sign of this one
		if f := s.Findings.byID[id]; f != nil && f.Endpoint == g.Endpoint && !alike(f, g) {
			samples = other.samples(samples, "")
		}
	}
	slices.SortFunc(samples, func(a, b condition.Sample) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.User, b.User))
	})
	l.where = &where{g.Endpoint, condition.Find(samples)}
	return l.where
}

// alike reports whether two findings have a sign in common: they may be of one
// fault.
func alike(f, g *Finding) bool {
	return slices.ContainsFunc(f.Signs, func(s Sign) bool { return slices.Contains(g.Signs, s) })
}

// EraseKey drops every example of a targeting key, and reports how many.
func (s *Study) EraseKey(key Mark) int {
	if key != 0 {
		s.Requests.each(func(l *requestList) { l.drop(func(x *keptRequest) bool { return x.key == key }) })
	}
	return s.Findings.EraseKey(key)
}
