package evidence

import (
	"cmp"
	"maps"
	"slices"
)

// Judge returns one record for each guard, in their order, of what the cell
// knows. The number of metrics in the budget is that of the
// guards at least. several says
// that clients of several networks are known, so that no trip may rest on one.
//
// A record that [Record.Trips] is a reason to go back, also if the cell is
// [Cell.Full].
func (c *Cell) Judge(name string, guards []Guard, b Budget, several bool) []Record {
	b.Metrics = max(b.Metrics, len(guards))
	out := make([]Record, 0, len(guards))
	for _, g := range guards {
		out = append(out, c.record(name, g, b, several))
	}
	return out
}

func (c *Cell) record(name string, g Guard, b Budget, several bool) Record {
	r := Record{
		Cell: name, Metric: g.Metric, Basis: g.Basis, Odds: g.grid(), Good: g.good(), Budget: b,
		Spans: mergeSpans(c.Spans[g.Metric], nil), Threshold: b.Threshold(),
	}
	if g.Basis == BySplit {
		r.Margin = max(g.Margin, 0)
	}
	sources := c.sources(g)
	if several && g.Metric == Ratio { // seldom trips, and to tell thousands of networks apart costs
		plain, _, _ := c.parts(g, sources, false)
		several = E(plain[0].Epochs, r.Odds, 0) >= r.Threshold
	}
	r.Parts, r.Networks, r.Mixed = c.parts(g, sources, several)
	if g.Basis == ByTrial { // the first part has no weight; it says what all endpoints add up to
		for _, p := range r.Parts[1:] {
			for i, s := range p.Epochs {
				r.Parts[0].Epochs[i].Service += s.Service
				r.Parts[0].Epochs[i].Legacy += s.Legacy
			}
		}
	}
	r.Epochs = r.Parts[0].Epochs
	if len(r.Parts) == 1 && r.Parts[0].Weight == 1 && r.Networks == 0 {
		r.Parts = nil
	}
	r.E = r.Recompute()
	if r.E >= r.Threshold {
		r.Least = r.RecomputeLeast()
	}
	return r
}

// sources returns the sets that a guard is decided from, with their weights.
func (c *Cell) sources(g Guard) []source {
	if g.Basis == ByTrial {
		return c.trialSources()
	}
	keys := c.Bad[g.Metric]
	if g.Metric == Ratio {
		keys = &c.Seen
	}
	weight := 1.0
	if g.Endpoints {
		weight = 0.5
	}
	out := []source{{weight: weight, keys: keys}}
	if g.First {
		out[0].weight = weight / 2
		out = append(out, source{of: FirstAnswer, weight: weight / 2, keys: c.Bad[g.Metric.first()]})
	}
	if g.Endpoints {
		names := slices.Sorted(maps.Keys(c.Endpoints))
		for _, name := range names[:min(len(names), endpointShares)] {
			out = append(out, source{of: Of(name), weight: 0.5 / endpointShares, keys: c.Endpoints[name].Bad[g.Metric]})
		}
	}
	return out
}

// trialSources returns the sets of first answers, of which each endpoint has its
// own.
func (c *Cell) trialSources() []source {
	out := []source{{}}
	names := slices.Sorted(maps.Keys(c.Endpoints))
	for _, name := range names[:min(len(names), endpointShares)] {
		e := c.Endpoints[name]
		out = append(out, source{of: Of(name), weight: 1. / endpointShares, keys: e.Bad[Harm], good: e.Bad[harmless]})
	}
	return out
}

// RatioAlpha is the chance that a sample-ratio check ever complains of an
// assignment that is right. It is no part of a migration's α, since it only
// holds the ramp.
const RatioAlpha = 0.001

// RatioCheck holds the keys seen on each side against the split. A record
// that trips says that the assignment is not what it claims: hold, say so, and
// do not believe the test.
//
// It is the same sequential test, with candidates on either side of 1, over
// keys by their first request. Requests won't do: one person's are anything
// but independent, and a single busy one would look like a broken assignment.
// It is the test of Lindon and Malek (see [E]), with a grid for their mixture.
// A client that chooses its keys must not make it complain, so that it has to
// stand without any one network as well.
func (c *Cell) RatioCheck(name string, test int, several bool) Record {
	return c.record(name, Guard{Metric: Ratio}, Budget{Alpha: RatioAlpha, Test: test, Metrics: 1}, several)
}

// stands returns the evidence that counts: without the network that adds most
// to it, where that is asked for.
func (r Record) stands() float64 {
	if r.Networks > 0 && r.E >= r.Threshold {
		return min(r.E, r.Least)
	}
	return r.E
}

// Strongest returns the record whose evidence is the greatest part of its
// threshold, and whether there is any: the one to name as the reason.
func Strongest(records []Record) (Record, bool) {
	if len(records) == 0 {
		return Record{}, false
	}
	return slices.MaxFunc(records, func(a, b Record) int {
		return cmp.Compare(a.stands()/a.Threshold, b.stands()/b.Threshold)
	}), true
}
