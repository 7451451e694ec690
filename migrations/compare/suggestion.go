package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Suggestion is a rule that would accept a finding, with what it would do.
type Suggestion struct {
	Rule     Rule `json:"rule"`
	Resolves int  `json:"resolves"` // mismatches of the endpoint that would be none
	Of       int  `json:"of"`       // mismatches of the endpoint that the rule is about
}

func (s Suggestion) String() string {
	return fmt.Sprintf("%s resolves %d of %d", s.Rule, s.Resolves, s.Of)
}

// Suggest returns, for each sign of a finding that a rule can accept, that
// rule. Statuses and failures have none.
func (f *Findings) Suggest(id string) ([]Suggestion, error) {
	g, err := f.Get(id)
	if err != nil {
		return nil, err
	}
	var list []Suggestion
	for _, s := range g.Signs {
		rule, ok := s.rule(g.Gap)
		if !ok {
			continue
		}
		out := Suggestion{Rule: rule}
		for _, other := range f.byID {
			if other.Endpoint != g.Endpoint || !slices.ContainsFunc(other.Signs, s.like) {
				continue
			}
			out.Of += other.Count
			if !slices.ContainsFunc(other.Signs, func(o Sign) bool { return !s.like(o) }) {
				out.Resolves += other.Count
			}
		}
		list = append(list, out)
	}
	return list, nil
}

// like says whether the rule for s accepts o as well.
func (s Sign) like(o Sign) bool {
	if rule, _ := s.rule(0); rule.Do == Ignore {
		return o.Path == s.Path || strings.HasPrefix(o.Path, s.Path+".") || strings.HasPrefix(o.Path, s.Path+"[")
	}
	return o.Path == s.Path && o.Kind == s.Kind
}

func (s Sign) rule(gap float64) (Rule, bool) {
	switch s.Kind {
	case KindStatus, KindFailed, KindTimeout, KindFormat, KindSyntax, KindEncoding:
		return Rule{}, false
	case KindOrder:
		if s.Path[0] == '$' {
			return Rule{Do: Unordered, Path: s.Path}, true
		}
	case KindValue:
		if s.Control == Class(TypeNumber) && s.Candidate == s.Control && gap > 0 && gap <= 0.05 {
			return Rule{Do: Tolerance, Path: s.Path, With: fmt.Sprintf("%g%%", roundUp(gap*100))}, true
		}
	}
	return Rule{Do: Ignore, Path: s.Path}, s.Path != "$" && s.Path != Status && !strings.HasPrefix(s.Path, Overflow)
}

// roundUp to one digit.
func roundUp(x float64) float64 {
	scale := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Round(math.Ceil(x/scale-1e-9)*scale*1e9) / 1e9
}
