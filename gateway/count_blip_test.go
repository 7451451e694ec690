package gateway

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A counting is a count that a test feeds with lines.
type counting struct {
	*testing.T
	count
	at  *cell
	now time.Time
	key evidence.Key
}

func counts(t *testing.T, share int) *counting {
	c := &counting{T: t, count: count{name: "a"}, at: &cell{test: 2, epoch: 2, share: share, patience: 10 * time.Second}, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	c.endpoints.absorbed = c.absorb
	return c
}

// take counts a line of a new key, unless it has one.
func (c *counting) take(n line) {
	if c.key++; n.key == 0 {
		n.key = c.key
	}
	n.cell, n.method, n.target, n.pattern = c.at, "GET", "/a", "/*"
	if n.at == 0 {
		n.at = c.now.UnixNano()
	}
	c.lines = append(c.lines[:0], n)
	c.add()
	c.settle(c.now)
}

func (c *counting) pass(d time.Duration) {
	c.now = c.now.Add(d)
	c.settle(c.now)
}

func (c *counting) votes(m evidence.Metric) int {
	keys := c.all.Cells[""].Bad[m]
	if keys == nil {
		return 0
	}
	return keys.Len()
}

const (
	ofService = served | onModern | placed
	restarted = ofService | failed | healed | restarting
	inSight   = ofService | failed | harmed | restarting // likewise, by a user
)

// Failures of a restart that fallback healed are no votes if the service comes
// back, and all are if it does not or a user sees one.
func TestFailuresOfARestartAreKeptAside(t *testing.T) {
	restart := func(t *testing.T) *counting {
		c := counts(t, 50_000)
		for i := range 15 {
			pair := uint64(i + 1)
			c.take(line{facts: restarted, class: evidence.ClassBroken, pair: pair, key: evidence.Key(1000 + i)})
			c.take(line{facts: compared | onModern | serviceBad | fellBack | blameless, outcome: compare.Failed, pair: pair, key: evidence.Key(1000 + i)})
			c.pass(100 * time.Millisecond)
		}
		if n := c.votes(evidence.Errors) + c.votes(evidence.Pairs); n != 0 {
			t.Fatalf("%d votes while the blip is open", n)
		}
		return c
	}
	t.Run("it comes back", func(t *testing.T) {
		c := restart(t)
		c.take(line{facts: ofService | broke})
		c.pass(2 * time.Second)
		if n := c.votes(evidence.Errors) + c.votes(evidence.Pairs); n != 0 || c.all.Cells[""].Aside != 30 {
			t.Errorf("%d votes, %d aside", n, c.all.Cells[""].Aside)
		}
	})
	t.Run("a user sees a failure", func(t *testing.T) {
		c := restart(t)
		c.take(line{facts: inSight, class: evidence.ClassBroken})
		if c.votes(evidence.Errors) != 16 || c.votes(evidence.Pairs) != 15 {
			t.Errorf("%d errors and %d pairs", c.votes(evidence.Errors), c.votes(evidence.Pairs))
		}
	})
	t.Run("a write fails that an application answers", func(t *testing.T) {
		c := restart(t)
		c.take(line{facts: ofService | failed | harmed, class: evidence.ClassFailed})
		if c.votes(evidence.Errors) != 1 || c.votes(evidence.Pairs) != 0 {
			t.Errorf("%d errors and %d pairs", c.votes(evidence.Errors), c.votes(evidence.Pairs))
		}
	})
	t.Run("users of several networks see failures", func(t *testing.T) {
		for _, s := range []struct {
			name  string
			first evidence.Network
			apart time.Duration
			ends  bool
		}{
			{"one network", 2000, 100 * time.Millisecond, false},
			{"two networks, apart", 1000, 20 * time.Minute, false},
			{"two networks, together", 1000, 100 * time.Millisecond, true},
		} {
			t.Run(s.name, func(t *testing.T) {
				c := counts(t, 50_000)
				for i := range 40 {
					c.take(line{facts: arrived | placed, network: evidence.Network(i * 100)})
				}
				c.take(line{facts: inSight, class: evidence.ClassBroken, network: s.first})
				c.take(line{facts: ofService | broke})
				c.pass(max(s.apart, 2*time.Second) - 2*time.Second)
				c.take(line{facts: ofService | broke})
				if s.apart > time.Second { // the run of failures is over
					c.pass(2 * time.Second)
				}
				for i := range 15 {
					c.take(line{facts: restarted, class: evidence.ClassBroken, network: evidence.Network(i * 100)})
				}
				c.take(line{facts: inSight, class: evidence.ClassBroken, network: 2000})
				want := 2
				if s.ends {
					want += 15
				}
				if n := c.votes(evidence.Errors); n != want || !c.all.Several(c.now) {
					t.Errorf("%d votes in place of %d; several networks: %t", n, want, c.all.Several(c.now))
				}
			})
		}
	})
	t.Run("it stays away", func(t *testing.T) {
		c := restart(t)
		c.pass(10 * time.Second)
		if c.votes(evidence.Errors) != 15 || c.votes(evidence.Pairs) != 15 {
			t.Errorf("%d errors and %d pairs", c.votes(evidence.Errors), c.votes(evidence.Pairs))
		}
	})
	t.Run("a bug is no restart", func(t *testing.T) {
		c := counts(t, 50_000)
		c.take(line{facts: ofService | failed | healed, class: evidence.ClassFailed})
		if n := c.votes(evidence.Errors); n != 1 {
			t.Errorf("%d votes", n)
		}
	})
	t.Run("in shadow", func(t *testing.T) {
		c := counts(t, 0)
		for range 20 {
			c.take(line{facts: compared | serviceBad | restarting, outcome: compare.Failed})
		}
		c.take(line{facts: compared, outcome: compare.Match})
		c.pass(2 * time.Second)
		if c.votes(evidence.Pairs) != 0 || c.votes(evidence.Mismatches) != 1 {
			t.Errorf("%d pairs and %d compared keys", c.votes(evidence.Pairs), c.votes(evidence.Mismatches))
		}
		for range 20 {
			c.take(line{facts: compared | serviceBad | restarting, outcome: compare.Failed})
		}
		c.pass(11 * time.Second)
		if c.votes(evidence.Pairs) != 20 || c.votes(evidence.Mismatches) != 21 {
			t.Errorf("after the patience %d pairs and %d compared keys", c.votes(evidence.Pairs), c.votes(evidence.Mismatches))
		}
	})
}

// law 12: what the monolith fails as well speaks against neither.
func TestWhatBothFailSpeaksAgainstNeither(t *testing.T) {
	c := counts(t, 50_000)
	fails := line{facts: ofService | failed | harmed, class: evidence.ClassFailed, pair: 7, key: 1}
	c.take(fails)
	if n := c.votes(evidence.Errors); n != 0 {
		t.Fatalf("%d votes before the monolith was asked the same", n)
	}
	c.take(line{facts: compared | onModern | serviceBad | monolithBad | blameless, outcome: compare.Match, pair: 7, key: 1})
	if n := c.votes(evidence.Errors) + c.votes(evidence.Pairs) + c.votes(evidence.Mismatches); n != 0 || c.all.Cells[""].Blameless != 1 {
		t.Errorf("%d votes, %d blameless", n, c.all.Cells[""].Blameless)
	}
	fails.pair, fails.key = 8, 2
	c.take(fails)
	c.take(line{facts: compared | onModern | serviceBad, outcome: compare.Mismatch, pair: 8, key: 2})
	if c.votes(evidence.Errors) != 1 || c.votes(evidence.Pairs) != 1 {
		t.Errorf("what the monolith answers: %d errors, %d pairs", c.votes(evidence.Errors), c.votes(evidence.Pairs))
	}
	fails.pair, fails.key = 9, 3
	c.take(fails)
	c.pass(longestPending)
	if n := c.votes(evidence.Errors); n != 2 {
		t.Errorf("%d errors; one that is never compared counts in the end", n)
	}
	c.take(line{facts: ofService | inVain, class: evidence.ClassFailed}) // fallback failed too
	if n := c.votes(evidence.Errors); n != 2 || c.all.Cells[""].Blameless != 2 {
		t.Errorf("%d errors, %d blameless", n, c.all.Cells[""].Blameless)
	}
	if n := len(c.pairs.lines); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// A key that was never answered well is no sign of how users fare, where all
// clients seem to be behind one network: who makes keys up has many.
func TestKeysThatAreMadeUpBurnNoBudget(t *testing.T) {
	c := counts(t, 50_000)
	for range 300 {
		c.take(line{facts: served | placed | failed, class: evidence.ClassFailed, network: 5})
	}
	if blaze := c.all.Burn.Judge(evidence.Objective, c.now, false); blaze != evidence.Calm {
		t.Errorf("made-up keys: %q", blaze)
	}
	for range 2 {
		for key := range evidence.Key(100) { // users who come again
			c.take(line{key: 5000 + key, facts: served | placed, network: 5})
		}
	}
	for key := range evidence.Key(100) {
		c.take(line{key: 5000 + key, facts: served | placed | failed, class: evidence.ClassFailed, network: 5})
	}
	if blaze := c.all.Burn.Judge(evidence.Objective, c.now, false); blaze != evidence.LegacyHot {
		t.Errorf("users: %q", blaze)
	}
}

// law 13: of many networks, one alone does not burn the budget.
func TestOneNetworkBurnsNoBudget(t *testing.T) {
	c := counts(t, 50_000)
	for i := range 400 {
		c.take(line{facts: arrived | placed, network: evidence.Network(10 + i%20)})
		c.take(line{facts: served | placed, network: evidence.Network(10 + i%20)})
	}
	for range 300 {
		c.take(line{facts: served | placed | failed, class: evidence.ClassFailed, network: 5})
	}
	if blaze := c.all.Burn.Judge(evidence.Objective, c.now, c.all.Several(c.now)); blaze != evidence.Calm {
		t.Errorf("one network: %q", blaze)
	}
	for i := range 300 {
		c.take(line{facts: served | placed | failed, class: evidence.ClassFailed, network: evidence.Network(10 + i%20)})
	}
	if blaze := c.all.Burn.Judge(evidence.Objective, c.now, c.all.Several(c.now)); blaze != evidence.LegacyHot {
		t.Errorf("all networks: %q", blaze)
	}
}

// A stray address beside the one of all users, such as that of a health checker,
// does not make several client networks.
func TestAStrayAddressMakesNoSeveralNetworks(t *testing.T) {
	c := counts(t, 50_000)
	for range 500 {
		c.take(line{facts: arrived | placed, network: 7})
	}
	for i := range evidence.FewKeys - 1 {
		c.take(line{facts: arrived | placed, network: evidence.Network(100 + i%3)})
	}
	if c.all.Several(c.now) {
		t.Error("nine keys of others make several networks")
	}
	c.take(line{facts: arrived | placed, network: 200})
	if !c.all.Several(c.now) || c.all.Several(c.now.Add(26*time.Hour)) {
		t.Error("ten keys of others make several, for a day")
	}
}
