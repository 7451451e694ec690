package gateway

import (
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A limits says when an answer of each side is slow, for each of
// [evidence.Latencies]; 0 is never.
type limits struct {
	by      [2]evidence.Taus // by side
	slowest time.Duration    // the greatest of the service's
}

func limitsOf(p *migrations.Plan, taus evidence.Taus) limits {
	l := limits{by: p.Limits(migrations.Course{Progress: migrations.Progress{Taus: taus}})}
	l.slowest = slices.Max(l.by[evidence.Modern][:])
	return l
}

// known returns when an answer is slow in the present test: by what the event
// that began it says, or by what was learned since.
func (c *cell) known() *limits {
	if c.links != nil {
		if l := c.links.learned.Load(); l != nil {
			return l
		}
	}
	return &c.limits
}

// learnEvery is how often it is looked what has become known.
const learnEvery = time.Second

// learn looks whether it is known by now what slow means, where the event that
// began the test did not know it: a p50 takes twenty answers of the monolith, a
// p99 a thousand. What is known once stays for the test. Each gateway learns for
// itself: both sides are held to the same, and what it counts is added up with
// what the others count.
func (c *count) learn(at *cell, now time.Time) {
	cell := c.all.Cells[at.name]
	if at.plan == nil || at.plan.Guard.Latency == nil || cell == nil || cell.Test != at.test || at.links == nil {
		return
	}
	taus, more := at.taus, false
	for i, learned := range cell.Taus {
		if taus[i] == 0 {
			taus[i] = learned
		}
	}
	if a := c.of(at); slices.Contains(taus[:], 0) && !now.Before(a.learn) { // to ask costs too much to do it for each decision
		a.learn = now.Add(learnEvery)
		for i, tau := range c.all.Taus(now) {
			if taus[i] == 0 && tau > 0 {
				taus[i], cell.Taus[i], more = tau, tau, true
			}
		}
	}
	if more || taus != at.taus && at.links.learned.Load() == nil { // the latter after a restart of the gateway
		l := limitsOf(at.plan, taus)
		at.links.learned.Store(&l)
	}
}
