package gateway

import (
	"cmp"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A count is what the lines of a ledger add up to. It belongs to whoever holds
// the ledger's lock.
type count struct {
	name      string // of this gateway
	all       evidence.Counts
	last      evidence.Counts // what was returned last, which nobody changes
	lines     []line          // room for those being added
	endpoints endpoints
	crowding  evidence.Crowding
	answered  map[string]*answered             // by cell
	blips     map[string]*evidence.Blips[line] // by cell
	pairs     pending                          // failures of the service that wait for the monolith's answer to the same
}

// begin makes the counts of a cell those of its present test.
func (c *count) begin(at *cell, now time.Time) {
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
		have.Turn = at.turn
	case have.Test < at.test:
		have = have.Next(at.test, at.share, at.began, at.turn, c.several(at, now))
		have.Streaks.Forget(c.name)
		delete(c.blips, at.name)
	case have.Test > at.test:
		return
	}
	have.Began = max(have.Began, at.began)
	have.Begin(at.epoch, at.share)
	c.all.Cells[at.name] = have
}

// absorb counts for one endpoint what was counted for another.
func (c *count) absorb(old, name string) {
	for _, cell := range c.all.Cells {
		cell.Absorb(old, name)
	}
}

// several reports whether what one client network does is bounded.
func (c *count) several(at *cell, now time.Time) bool {
	return !at.alone && c.all.Several(now)
}

// add adds the lines up, in the order of their times: what is in a row depends
// on it.
func (c *count) add() {
	slices.SortFunc(c.lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for i := range c.lines {
		n := &c.lines[i]
		at := time.Unix(0, n.at)
		c.begin(n.cell, at)
		c.line(n, at)
	}
	clear(c.lines)
}

// settle counts what has waited long enough.
func (c *count) settle(now time.Time) {
	for _, n := range c.pairs.overdue(now) {
		c.vote(&n)
	}
	for name, b := range c.blips {
		cell := c.all.Cells[name]
		if cell == nil {
			continue
		}
		votes, dropped := b.Tick(now, c.patience(name))
		for i := range votes {
			c.count(&votes[i])
		}
		cell.Aside += uint64(dropped)
	}
}

func (c *count) patience(name string) time.Duration {
	if a := c.answered[name]; a != nil {
		return a.patience
	}
	return evidence.BlipTime
}

func (c *count) line(n *line, at time.Time) {
	side := n.facts.side()
	cell := c.all.Cells[n.cell.name]
	known := c.of(n.cell)
	if n.facts&served != 0 {
		c.all.Week.Add(at, n.key)
		c.burn(n, at, known)
		if side == evidence.Legacy && !n.facts.failure() {
			if n.took > 0 {
				c.all.Latency.Add(at, n.took)
			}
			if n.whole > 0 {
				c.all.Whole.Add(at, n.whole)
			}
		}
	}
	if cell == nil || cell.Test != n.cell.test { // the outcome of a test that is over belongs to none
		return
	}
	c.streak(cell, n, at)
	epoch := cell.Epoch(n.cell.epoch)
	if epoch == nil {
		return
	}
	switch {
	case n.facts&arrived != 0:
		c.all.SeveralAt = max(c.all.SeveralAt, c.crowding.See(n.network, at))
		arrival(cell, n, c.voteOf(n))
	case n.facts&compared != 0:
		c.comparison(cell, n)
	case n.facts&reported != 0:
		happened(epoch, n.metric, side)
		cell.Vote(n.metric, c.voteOf(n))
		if n.span != "" {
			cell.Link(n.metric, n.span)
		}
	case n.facts&timer != 0:
		if n.facts&placed != 0 {
			c.late(cell, epoch, n, known.first(n.key, false))
		}
	case n.facts&byCohort != 0:
		epoch.Cohort[side]++
	case n.facts&keyless != 0:
		epoch.Keyless++
	case n.facts&placed != 0:
		c.request(cell, epoch, n, known)
	}
	if n.facts&harmed != 0 {
		cell.Harm++
		cell.HarmBy[n.network.Group()]++
	}
}

// burn counts a request for the error budget. Where all clients seem to be
// behind one network, a key that was never answered well is no sign of how users
// fare: whoever makes keys up has as many as they want.
func (c *count) burn(n *line, at time.Time, known *answered) {
	bad := uint64(0)
	if n.facts&(failed|timedOut) != 0 && n.facts&healed == 0 { // what fallback healed has cost no user anything
		bad = 1
	}
	side := n.facts.side()
	if !c.several(n.cell, at) && (n.cell.alone || n.key == 0 || known.well(n.key)) {
		c.all.Burn[side].Add(at, 1, bad)
		return
	}
	c.all.Burn[side].AddFrom(at, 1, bad, n.network)
}

// voteOf returns the vote of a line.
func (c *count) voteOf(n *line) evidence.Vote {
	at := time.Unix(0, n.at)
	return evidence.Vote{Key: n.key, Epoch: n.cell.epoch, Side: n.facts.side(), Network: n.network, At: at, Several: c.several(n.cell, at)}
}

// request counts a request that its hash placed.
func (c *count) request(cell *evidence.Cell, epoch *evidence.Epoch, n *line, known *answered) {
	side, group := n.facts.side(), n.network.Group()
	at := cell.At(c.endpoints.of(n.method, n.target, n.pattern))
	epoch.Requests[side]++
	at.Requests[side][group]++
	at.Classes[side][n.class]++
	usual := n.class == evidence.ClassOK || !n.class.Failure() && 20*at.Classes[evidence.Legacy][n.class] >= at.Requests[evidence.Legacy].Sum()
	if n.class != evidence.ClassOK && n.facts&inVain == 0 {
		at.Failed[side][group]++
	}
	if n.facts&tooLate != 0 {
		happened(epoch, evidence.Slow, side)
	}
	clean := !n.facts.bad() && n.facts&tooLate == 0 && usual
	if clean {
		epoch.Clean[side]++
		if side == evidence.Modern {
			at.Clean[group]++
			cell.CleanBy[group]++
		}
	}
	n.first = known.first(n.key, !n.facts.failure())
	if n.class == evidence.ClassOK || n.facts&healed != 0 {
		at.Answer(true, c.voteOf(n))
	}
	if side == evidence.Legacy {
		c.count(n)
		return
	}
	blips := c.blipsOf(n.cell)
	when := time.Unix(0, n.at)
	switch {
	case n.facts&inVain != 0:
		c.excuse(cell, n)
	case n.facts&(restarting|healed) == restarting|healed:
		c.pairs.keepAside(n.pair)
		votes := blips.Heal(when, n.cell.patience, *n)
		for i := range votes {
			c.count(&votes[i])
		}
	case n.facts&(failed|timedOut) != 0 && n.facts&healed == 0 && n.pair != 0 && c.pairs.wait(n):
	default:
		c.vote(n)
	}
	if !n.class.Failure() {
		blips.Answer(when)
	}
}

// vote counts a request of the service that is to blame. A failure like those of
// a restart that a user saw makes all count that was kept aside. What an
// application fails that answers, such as a write with status 500, is no part of
// a restart.
func (c *count) vote(n *line) {
	if n.facts&(restarting|harmed) == restarting|harmed && c.harms(n) {
		votes := c.blipsOf(n.cell).Fail(time.Unix(0, n.at))
		for i := range votes {
			c.count(&votes[i])
		}
	}
	c.count(n)
}

// harms reports whether a failure that a user saw ends the patience with what may
// be a restart: where clients of several networks are known, those of one alone do
// not (law 13), nor do failures that lie further apart than the patience.
func (c *count) harms(n *line) bool {
	at := time.Unix(0, n.at)
	if !c.several(n.cell, at) {
		return true
	}
	a := c.of(n.cell)
	if !a.harmedAt.IsZero() && at.Sub(a.harmedAt) <= a.patience && a.harmed != n.network {
		return true
	}
	a.harmed, a.harmedAt = n.network, at
	return false
}

// metricOf are the metrics of the classes.
var metricOf = [...]evidence.Metric{
	evidence.ClassRedirect: evidence.Redirects, evidence.ClassDenied: evidence.Denied, evidence.ClassMissing: evidence.Missing,
	evidence.ClassRejected: evidence.Rejected, evidence.ClassFailed: evidence.Errors, evidence.ClassBroken: evidence.Errors,
	evidence.ClassTimeout: evidence.Timeouts, evidence.ClassGRPC: evidence.GRPC,
}

// count counts the bad events of a request.
func (c *count) count(n *line) {
	cell := c.all.Cells[n.cell.name]
	if cell == nil || cell.Test != n.cell.test {
		return
	}
	epoch := cell.Epoch(n.cell.epoch)
	if epoch == nil {
		return
	}
	if n.facts&compared != 0 { // a comparison that was kept aside
		cell.Vote(evidence.Pairs, c.pairVote(n))
		if n.facts&(blameless|fellBack) == 0 && n.cell.share == 0 {
			cell.Vote(evidence.Mismatches, c.pairVote(n))
		}
		return
	}
	c.late(cell, epoch, n, n.first)
	m := metricOf[n.class]
	if m == "" || n.facts&inVain != 0 {
		return
	}
	v := c.voteOf(n)
	happened(epoch, m, v.Side)
	cell.Vote(m, v)
	if !n.class.Failure() && n.first {
		cell.VoteFirst(m, v)
	}
	at := cell.At(c.endpoints.of(n.method, n.target, n.pattern))
	cell.VoteAt(at, m, v)
	if n.facts&healed == 0 {
		at.Answer(false, v)
	}
	if n.span != "" {
		cell.Link(m, n.span)
		cell.Link(evidence.Harm, n.span)
	}
}

// late counts the latencies in which a request was slow.
func (c *count) late(cell *evidence.Cell, epoch *evidence.Epoch, n *line, first bool) {
	if n.slow == 0 {
		return
	}
	v := c.voteOf(n)
	for i, l := range evidence.Latencies {
		if n.slow&(1<<i) == 0 {
			continue
		}
		happened(epoch, l.Metric, v.Side)
		cell.Vote(l.Metric, v)
		if l.Central && first {
			cell.VoteFirst(l.Metric, v)
		}
		if n.span != "" {
			cell.Link(l.Metric, n.span)
		}
	}
}

// happened counts a bad event for rates.
func happened(epoch *evidence.Epoch, m evidence.Metric, side evidence.Side) {
	if epoch.Bad == nil {
		epoch.Bad = make(map[evidence.Metric]evidence.Sides)
	}
	sum := epoch.Bad[m]
	sum[side]++
	epoch.Bad[m] = sum
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
		s.Heal(at, n.network)
	} else {
		s.End(at)
	}
	cell.Streaks[c.name] = s
}

// blipsOf returns the blips of a cell.
func (c *count) blipsOf(at *cell) *evidence.Blips[line] {
	b := c.blips[at.name]
	if b == nil {
		if c.blips == nil {
			c.blips = make(map[string]*evidence.Blips[line])
		}
		b = new(evidence.Blips[line])
		c.blips[at.name] = b
	}
	return b
}
