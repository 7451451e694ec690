package gateway

import (
	"cmp"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A count is what the lines of a ledger add up to. It belongs to whoever holds
// the ledger's lock.
type count struct {
	name  string // of this gateway
	all   evidence.Counts
	last  evidence.Counts // what was returned last, which nobody changes
	lines []line          // room for those being added
}

// begin makes the counts of a cell those of its present test.
func (c *count) begin(at *cell) {
	if at.test == 0 {
		return
	}
	if c.all.Cells == nil {
		c.all.Cells = make(map[string]*evidence.Cell)
	}
	have := c.all.Cells[at.name]
	switch {
	case have == nil:
		have = evidence.NewCell(at.test, at.share)
	case have.Test < at.test:
		have = have.Next(at.test, at.share, at.began)
		have.Streaks.Forget(c.name)
	case have.Test > at.test:
		return
	}
	have.Began = max(have.Began, at.began)
	have.Begin(at.epoch, at.share)
	c.all.Cells[at.name] = have
}

// add adds the lines up, in the order of their times: what is in a row depends
// on it.
func (c *count) add() {
	slices.SortFunc(c.lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for i := range c.lines {
		n := &c.lines[i]
		c.begin(n.cell)
		c.line(n)
	}
	clear(c.lines)
}

func (c *count) line(n *line) {
	at, side := time.Unix(0, n.at), n.facts.side()
	if n.facts&served != 0 {
		c.all.Week.Add(at, n.key)
		bad := uint64(0)
		if n.facts&(failed|timedOut) != 0 && n.facts&gaveUp == 0 {
			bad = 1
		}
		c.all.Burn[side].Add(at, 1, bad)
		if side == evidence.Legacy && n.took > 0 && bad == 0 {
			c.all.Latency.Add(at, n.took)
		}
	}
	cell := c.all.Cells[n.cell.name]
	if cell == nil {
		return
	}
	if cell.Test != n.cell.test { // the outcome of a test that is over belongs to none
		return
	}
	c.streak(cell, n, at)
	epoch := cell.Epoch(n.cell.epoch)
	if epoch == nil {
		return
	}
	switch {
	case n.facts&arrived != 0:
		arrival(cell, n)
	case n.facts&compared != 0:
		comparison(cell, n)
	case n.facts&reported != 0:
		happened(cell, epoch, n.metric, n)
	case n.facts&served == 0: // a timer
		if n.facts&placed != 0 {
			happened(cell, epoch, evidence.Slow, n)
		}
	case n.facts&byCohort != 0:
		epoch.Cohort[side]++
	case n.facts&keyless != 0:
		epoch.Keyless++
	case n.facts&placed != 0:
		epoch.Requests[side]++
		if !n.facts.bad() {
			epoch.Clean[side]++
		}
		for m, f := range metricOf {
			if n.facts&f != 0 {
				happened(cell, epoch, linked[m], n)
			}
		}
	}
	if n.facts&harmed != 0 {
		cell.Harm++
	}
}

// metricOf are the facts that are bad events, by the index of linked.
var metricOf = [len(linked)]facts{failed, timedOut, slow}

// happened counts a bad event.
func happened(cell *evidence.Cell, epoch *evidence.Epoch, m evidence.Metric, n *line) {
	side := n.facts.side()
	if epoch.Bad == nil {
		epoch.Bad = make(map[evidence.Metric]evidence.Sides)
	}
	sum := epoch.Bad[m]
	sum[side]++
	epoch.Bad[m] = sum
	cell.Count(m, n.key, n.cell.epoch, side)
	if n.span != "" {
		cell.Link(m, n.span)
	}
}

// comparison counts an observation. The test asks of each person once whether
// the candidate was right. That it failed is asked there only in shadow: where
// people are on the service, failures are held against the monolith's, and here
// there is nothing to hold them against but the allowed rate, so that what both
// sides share, or have always had, would speak against the service.
func comparison(cell *evidence.Cell, n *line) {
	o := &cell.Observed
	o.Sampled++
	wrong, silent := evidence.Modern, false
	switch n.outcome {
	case compare.Match:
		o.Match++
		wrong = evidence.Legacy
	case compare.Mismatch:
		o.Mismatch++
	case compare.Failed:
		o.Failed++
		silent = n.cell.share > 0
	case compare.TimedOut:
		o.TimedOut++
		silent = n.cell.share > 0
	case compare.Truncated:
		o.Truncated++
		return
	case compare.Undecodable:
		o.Undecodable++
		return
	default:
		o.Dropped++
		return
	}
	if n.key == 0 {
		return
	}
	switch {
	case n.facts&candidateAlone != 0:
		cell.Count(evidence.Pairs, n.key, n.cell.epoch, evidence.Modern)
	case n.facts&controlAlone != 0:
		cell.Count(evidence.Pairs, n.key, n.cell.epoch, evidence.Legacy)
	}
	if n.facts&blameless == 0 && !silent {
		if cell.Count(evidence.Mismatches, n.key, n.cell.epoch, wrong) && wrong == evidence.Modern && n.span != "" {
			cell.Link(evidence.Mismatches, n.span)
		}
	}
}

// streak counts what is in a row.
func (c *count) streak(cell *evidence.Cell, n *line, at time.Time) {
	if n.facts&(healed|broke) == 0 {
		return
	}
	if cell.Streaks == nil {
		cell.Streaks = make(evidence.Streaks)
	}
	s := cell.Streaks[c.name]
	if n.facts&healed != 0 {
		s.Heal(at)
	} else {
		s.End(at)
	}
	cell.Streaks[c.name] = s
}
