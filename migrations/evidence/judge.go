package evidence

import "slices"

// Judge returns one record for each guard, in their order, of what the cell
// knows. The number of metrics in the budget is that of the guards.
//
// A record that [Record.Trips] is a reason to go back, also if the cell is
// [Cell.Full].
func (c *Cell) Judge(name string, guards []Guard, b Budget) []Record {
	b.Metrics = len(guards)
	out := make([]Record, 0, len(guards))
	for _, g := range guards {
		out = append(out, c.record(name, g, b))
	}
	return out
}

func (c *Cell) record(name string, g Guard, b Budget) Record {
	r := Record{
		Cell: name, Metric: g.Metric, Basis: g.Basis,
		Epochs: c.Samples(g), Odds: g.grid(), Budget: b,
		Spans: mergeSpans(c.Spans[g.Metric], nil), Threshold: b.Threshold(),
	}
	if g.Basis == BySplit {
		r.Margin = max(g.Margin, 0)
	}
	r.E = r.Recompute()
	return r
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
func (c *Cell) RatioCheck(name string, test int) Record {
	return c.record(name, Guard{Metric: Ratio}, Budget{Alpha: RatioAlpha, Test: test, Metrics: 1})
}

// Strongest returns the record whose evidence is the greatest part of its
// threshold, and whether there is any: the one to name as the reason.
func Strongest(records []Record) (Record, bool) {
	if len(records) == 0 {
		return Record{}, false
	}
	return slices.MaxFunc(records, func(a, b Record) int {
		switch x, y := a.E/a.Threshold, b.E/b.Threshold; {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return 0
		}
	}), true
}
