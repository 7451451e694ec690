package app

import (
	"context"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// counts returns what is known of a migration, by all gateways that share the
// log: what the guard decides from.
func (p *Process) counts(id string) evidence.Counts {
	if p.shared == nil {
		return p.own(id)
	}
	return p.shared.tally.Counts(id, p.own(id))
}

// own returns what this gateway knows of a migration by itself.
func (p *Process) own(id string) evidence.Counts {
	out := p.gateway.Evidence(id)
	out.Lag = p.lags.of(id)
	if plan := p.source.Table().Plans[id]; plan != nil {
		if service := p.gateway.Upstreams()[plan.To]; service != nil {
			out.Load = p.peaks.see(plan.To, loadOf(service), time.Now())
		}
	}
	out.Findings = p.holding.of(id, p.shadow.Find(id), time.Now())
	return out
}

// A holding remembers for a moment which findings may hold the ramps: to rank
// them all for every decision would cost too much.
type holding struct {
	mu   sync.Mutex // guards seen
	seen map[string]held
}

type held struct {
	at   time.Time
	open []evidence.OpenFinding
}

// holdingFor is how long it remembers.
const holdingFor = time.Second

func (h *holding) of(id string, watch *shadow.Watch, now time.Time) []evidence.OpenFinding {
	if watch == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen := h.seen[id]; now.Sub(seen.at) < holdingFor {
		return seen.open
	}
	if h.seen == nil {
		h.seen = make(map[string]held)
	}
	open := openFindings(watch, now)
	h.seen[id] = held{now, open}
	return open
}

// openFindings returns the findings of a migration that may hold its ramp. That
// a service does not answer, as in a restart, is for the guard to judge, unless
// it is often so and for long.
func openFindings(watch *shadow.Watch, now time.Time) (open []evidence.OpenFinding) {
	const often, long = 0.01, time.Minute
	watch.View(func(s *compare.Study) {
		for _, f := range s.Findings.Real(now) {
			if f.State == compare.Acknowledged || f.Severity() < compare.High || f.Unanswered() && (f.Last.Sub(f.First) < long || f.Share() < often) {
				continue
			}
			open = append(open, evidence.OpenFinding{ID: f.ID, Severity: int(f.Severity()), Alone: f.ByOneNetwork(), Text: f.Headline()})
		}
	})
	return evidence.Merge(evidence.Counts{Findings: open}).Findings
}

// owns returns what this gateway knows of each migration by itself.
func (p *Process) owns() map[string]evidence.Counts {
	out := make(map[string]evidence.Counts)
	for id := range p.source.Table().Plans {
		out[id] = p.own(id)
	}
	return out
}

const (
	roundEvery   = 250 * time.Millisecond // when nothing happens
	roundAtLeast = 2 * time.Millisecond   // between two, whatever happens
	roundsBurst  = 50                     // rounds that may follow one another so closely
	roundsPerSec = 20                     // rounds that are added to those: what an outage that lasts may cost
)

// rounds yields when the ramps and guards should be looked at: every now and
// then, and at once when something bad has happened on a service.
func (p *Process) rounds(ctx context.Context) <-chan time.Time {
	out := make(chan time.Time, 1)
	p.tasks.Go(func() {
		ticker := time.NewTicker(roundEvery)
		defer ticker.Stop()
		left, last := float64(roundsBurst), time.Now()
		for {
			var now time.Time
			select {
			case <-ctx.Done():
				return
			case now = <-ticker.C:
			case <-p.gateway.Alarms():
				now = time.Now()
			}
			select {
			case out <- now:
			default: // one is due already
			}
			left = min(left+now.Sub(last).Seconds()*roundsPerSec, roundsBurst) - 1
			pause := roundAtLeast
			if last = now; left < 1 {
				pause = time.Second / roundsPerSec
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
	return out
}
