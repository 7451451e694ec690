package compare

import (
	"cmp"
	"slices"
)

// An EndpointCount is what was counted of one endpoint.
type EndpointCount struct {
	Endpoint   string
	Observed   int
	Mismatched int
	Races      int // of the mismatches, those that went away when both sides were asked again
	Probes     int // second askings of the control that were learned from
}

// Endpoints returns what was counted of every endpoint, the busiest first.
func (s *Study) Endpoints() []EndpointCount {
	list := make([]EndpointCount, 0, len(s.Findings.endpoints))
	for name, t := range s.Findings.endpoints {
		c := EndpointCount{Endpoint: name, Observed: t.Observed, Mismatched: t.Mismatched, Races: t.Races}
		if n := s.Noise.endpoints[name]; n != nil {
			c.Probes = n.Probes
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b EndpointCount) int {
		return cmp.Or(cmp.Compare(b.Observed, a.Observed), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return list
}
