package gateway

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// comparison counts an observation. The test asks of each key once whether the
// service was right. That it failed is asked there only in shadow: where users
// are on the service, failures are held against the monolith's, and here there
// is nothing to hold them against but the allowed rate, so that what both sides
// share, or have always had, would speak against the service.
func (c *count) comparison(cell *evidence.Cell, n *line) {
	c.blame(n)
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
	at, group := cell.At(c.endpoints.of(n.method, n.target, n.pattern)), n.network.Group()
	at.Compared[group]++
	if wrong == evidence.Modern && n.facts&blameless == 0 {
		at.Differed[group]++
	}
	if n.key == 0 {
		return
	}
	switch s, m := n.facts&serviceBad != 0, n.facts&monolithBad != 0; {
	case s != m:
		c.pair(cell, n)
	case !s && n.facts&onModern == 0: // the service answered what it was asked for comparison
		c.blipsOf(n.cell).Answer(time.Unix(0, n.at))
	}
	if n.facts&blameless == 0 && !silent && n.facts&restarting == 0 {
		v := c.voteOf(n)
		v.Side = wrong
		if cell.Vote(evidence.Mismatches, v) && wrong == evidence.Modern && n.span != "" {
			cell.Link(evidence.Mismatches, n.span)
		}
	}
}

// pair counts a comparison in which one side failed and the other did not.
func (c *count) pair(cell *evidence.Cell, n *line) {
	if n.facts&serviceBad != 0 && (n.facts&restarting != 0 || n.facts&fellBack != 0 && c.pairs.aside(n.pair)) {
		votes := c.blipsOf(n.cell).Heal(time.Unix(0, n.at), n.cell.patience, *n)
		for i := range votes {
			c.count(&votes[i])
		}
		return
	}
	cell.Vote(evidence.Pairs, c.pairVote(n))
	if n.facts&serviceBad != 0 && n.span != "" {
		cell.Link(evidence.Pairs, n.span)
	}
}

func (c *count) pairVote(n *line) evidence.Vote {
	v := c.voteOf(n)
	v.Side = evidence.Legacy
	if n.facts&serviceBad != 0 {
		v.Side = evidence.Modern
	}
	return v
}

// blame counts the failure of the service that has waited for the comparison of
// the same request, unless the monolith failed as well.
func (c *count) blame(n *line) {
	waited, ok := c.pairs.take(n.pair)
	if !ok {
		return
	}
	if n.facts&monolithBad == 0 {
		c.vote(&waited)
	} else if cell := c.all.Cells[n.cell.name]; cell != nil && cell.Test == waited.cell.test {
		c.excuse(cell, &waited)
	}
}

// excuse counts a failure of the service that the monolith shared.
func (c *count) excuse(cell *evidence.Cell, n *line) {
	cell.Blameless++
	if m := metricOf[n.class]; m != "" {
		cell.Excuse(m, c.voteOf(n))
	}
}
