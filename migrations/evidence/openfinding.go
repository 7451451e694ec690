package evidence

import (
	"cmp"
	"slices"
)

// An OpenFinding is a finding of the comparison that a person has neither fixed,
// accepted nor acknowledged.
type OpenFinding struct {
	ID       string `json:"id"`
	Severity int    `json:"severity"`        // as compare.Severity orders them
	Alone    bool   `json:"alone,omitempty"` // the clients of one network alone have seen it
	Text     string `json:"text"`            // what it is, for people; it holds no value of an answer
}

// mostFindings is the number of findings that counts hold.
const mostFindings = 8

// mergeFindings returns the worst of both; one that both have counts once.
func mergeFindings(a, b []OpenFinding) []OpenFinding {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y OpenFinding) int {
		return cmp.Or(cmp.Compare(y.Severity, x.Severity), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Text, y.Text))
	})
	all = slices.CompactFunc(all, func(x, y OpenFinding) bool { return x.ID == y.ID })
	if len(all) == 0 {
		return nil
	}
	return all[:min(len(all), mostFindings)]
}
