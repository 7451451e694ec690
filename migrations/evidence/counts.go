package evidence

import (
	"slices"
	"time"
)

// Counts is all that is known of one migration, by one gateway or by all:
// what Decide decides from. The zero value is no evidence.
//
// A gateway keeps Counts of its own and publishes them whole; what all know is
// the [Merge] of each gateway's latest. Numbers add up and sets unite, so that
// the order does not matter; the same gateway's counts must not be merged
// twice.
type Counts struct {
	At        time.Time             `json:"at"`                   // when they were read; merged: the newest
	Gateways  int                   `json:"gateways,omitempty"`   // how many gateways they come from; 0 counts as 1
	Own       bool                  `json:"own,omitempty"`        // one gateway's own, used because the merged ones are stale; a merge clears it
	Cells     map[string]*Cell      `json:"cells,omitempty"`      // by name; "" for a migration without cells
	Burn      Burns                 `json:"burn,omitzero"`        // requests and failures of the whole route, by side
	Latency   Window                `json:"latency,omitzero"`     // the monolith's until the first byte, by the time it was measured
	Whole     Window                `json:"whole,omitzero"`       // the monolith's until the last byte
	SeveralAt int64                 `json:"several_at,omitempty"` // hour of the Unix epoch in which users of several networks were last seen; see [Crowding]
	Findings  []OpenFinding         `json:"findings,omitempty"`   // open findings of the comparison, the worst first
	Week      Week                  `json:"week,omitzero"`        // who came of late, for outlooks
	Plans     []string              `json:"plans,omitempty"`      // hashes of the plan that the gateways go by, sorted
	Lag       Lag                   `json:"lag,omitzero"`         // of replicated data
	Load      float64               `json:"load,omitempty"`       // share of the service's capacity in use where it is greatest, 0 to 1; 0: not known
	Reported  map[Metric]*Intervals `json:"reported,omitempty"`   // what the application counts by side, of the present test
	Enforced  []Enforcement         `json:"enforced,omitempty"`   // where the last rollbacks are in force
}

// Merge returns what several gateways know together. It changes none of them
// and shares nothing with them.
func Merge(parts ...Counts) Counts {
	var out Counts
	for _, p := range parts {
		if p.At.After(out.At) {
			out.At = p.At
		}
		out.Gateways += max(p.Gateways, 1)
		for name, cell := range p.Cells {
			if cell == nil {
				continue
			}
			if out.Cells == nil {
				out.Cells = make(map[string]*Cell)
			}
			before := out.Cells[name]
			if before == nil {
				before = &Cell{}
			}
			out.Cells[name] = mergeCells(before, cell)
		}
		for side := range out.Burn {
			out.Burn[side].Merge(p.Burn[side])
		}
		out.Latency.Merge(p.Latency)
		out.Whole.Merge(p.Whole)
		out.SeveralAt = max(out.SeveralAt, p.SeveralAt)
		out.Findings = mergeFindings(out.Findings, p.Findings)
		out.Week.Merge(p.Week)
		out.Plans = mergePlans(out.Plans, p.Plans)
		out.Lag = out.Lag.merged(p.Lag)
		out.Load = max(out.Load, p.Load)
		out.Reported = MergeReported(out.Reported, p.Reported)
		out.Enforced = MergeEnforced(out.Enforced, p.Enforced)
	}
	return out
}

// Several reports whether clients of several networks are known: then none of
// them makes evidence alone (law 13).
func (c Counts) Several(now time.Time) bool {
	return c.SeveralAt > 0 && slotOf(now, time.Hour)-c.SeveralAt <= severalFor
}

// Taus returns what slow means by the monolith's latency in the slots that are
// over.
func (c Counts) Taus(now time.Time) (t Taus) {
	for i, l := range Latencies {
		window := &c.Latency
		if l.Whole {
			window = &c.Whole
		}
		t[i], _ = window.Tau(l.Quantile, now)
	}
	return t
}

// A Lag is by how much the data of one side is behind the other's. The zero
// value is not known.
type Lag struct {
	Known  bool          `json:"known,omitempty"`
	Behind time.Duration `json:"behind_ns,omitempty"` // the greatest that a gateway measured
}

func (l Lag) merged(o Lag) Lag { return Lag{l.Known || o.Known, max(l.Behind, o.Behind)} }

func mergePlans(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// Usual returns the traffic that is usual, and whether enough is known.
func (c Counts) Usual(now time.Time) (Traffic, bool) { return c.Week.Traffic(c.Burn, now) }

// Clone returns a copy that shares nothing with c.
func (c Counts) Clone() Counts {
	out := Merge(c)
	out.Gateways, out.Own = c.Gateways, c.Own
	return out
}

// CloneAfter is Clone for who clones again and again; see [Cell.CloneAfter].
func (c Counts) CloneAfter(before Counts) Counts {
	cells := c.Cells
	c.Cells = nil
	out := c.Clone()
	for name, cell := range cells {
		if out.Cells == nil {
			out.Cells = make(map[string]*Cell, len(cells))
		}
		out.Cells[name] = cell.CloneAfter(before.Cells[name])
	}
	return out
}
