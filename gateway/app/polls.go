package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// polls asks for the metrics of applications that a Prometheus knows, once an
// interval, while a test runs that they are for.
type polls struct {
	plans   func() map[string]*migrations.Plan
	testing func(migration string) bool                                                               // [gateway.Gateway.Testing]
	polled  func(migration string, m migrations.GuardMetric, x evidence.Interval, now time.Time) bool // [gateway.Gateway.Polled]
	logger  *slog.Logger
	promql  promql
	atOnce  chan struct{} // bounds those who ask

	mu   sync.Mutex // guards byID
	byID map[pollID]*poll
}

type pollID struct{ migration, metric string }

// A poll is what is known of one metric's.
type poll struct {
	asking  bool
	known   int64 // last slot that was asked for with success
	next    time.Time
	trouble string // why the last was not; empty: it was
}

// How often is looked for what is due, how many ask at once, and how many
// slots are asked for after a failure.
const (
	pollTick   = 100 * time.Millisecond
	pollAtOnce = 8
	pollBack   = 3
)

func newPolls(plans func() map[string]*migrations.Plan, testing func(string) bool, polled func(string, migrations.GuardMetric, evidence.Interval, time.Time) bool, logger *slog.Logger) *polls {
	return &polls{
		plans: plans, testing: testing, polled: polled, logger: logger, promql: newPromQL(),
		atOnce: make(chan struct{}, pollAtOnce), byID: make(map[pollID]*poll),
	}
}

// run asks until ctx ends.
func (p *polls) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	defer p.promql.client.CloseIdleConnections()
	ticker := time.NewTicker(pollTick)
	defer ticker.Stop()
	for {
		for id, metric := range p.due(time.Now()) {
			all.Go(func() { p.poll(ctx, id, metric) })
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// settled returns how long after the end of a slot it is asked for: until what
// was scraped by then can be read.
func settled(every time.Duration) time.Duration {
	return min(max(every/5, 200*time.Millisecond), 3*time.Second)
}

// due returns the metrics that are to be asked for now, and marks them.
func (p *polls) due(now time.Time) map[pollID]migrations.GuardMetric {
	out := make(map[pollID]migrations.GuardMetric)
	plans := p.plans()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, poll := range p.byID {
		if plan := plans[id.migration]; !poll.asking && (plan == nil || plan.Retired || !polledBy(plan, id.metric)) {
			delete(p.byID, id)
		}
	}
	for name, plan := range plans {
		if plan.Retired || len(plan.Guard.Metrics) == 0 || !p.testing(name) {
			continue
		}
		for _, m := range plan.Guard.Metrics {
			if m.Prometheus == nil {
				continue
			}
			id := pollID{name, m.Name}
			have := p.byID[id]
			if have == nil {
				have = new(poll)
				p.byID[id] = have
			}
			if !have.asking && !now.Before(have.next) {
				have.asking = true
				out[id] = m
			}
		}
	}
	return out
}

func polledBy(plan *migrations.Plan, name string) bool {
	m, ok := plan.Guard.Metric(name)
	return ok && m.Prometheus != nil
}

// poll asks for the slots that are over and not known yet.
func (p *polls) poll(ctx context.Context, id pollID, m migrations.GuardMetric) {
	select {
	case <-ctx.Done():
		return
	case p.atOnce <- struct{}{}:
	}
	defer func() { <-p.atOnce }()
	ctx, cancel := context.WithTimeout(ctx, max(min(m.Every, 10*time.Second), 2*time.Second))
	defer cancel()
	p.mu.Lock()
	have := p.byID[id]
	known := have.known
	p.mu.Unlock()
	last := evidence.SlotOf(time.Now().Add(-settled(m.Every)), m.Every) - 1
	trouble := ""
	for slot := max(known+1, last-pollBack+1); slot <= last; slot++ {
		x, err := p.promql.interval(ctx, m.Prometheus, slot, m.Every)
		if errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		if err != nil {
			trouble = err.Error()
			if errors.Is(err, errFell) { // asking again would not help
				known = slot
				continue
			}
			break
		}
		p.polled(id.migration, m, x, time.Now())
		known = slot
	}
	p.mu.Lock()
	have.asking, have.known = false, known
	have.next = evidence.SlotStart(last+2, m.Every).Add(settled(m.Every))
	was := have.trouble
	have.trouble = trouble
	p.mu.Unlock()
	switch {
	case trouble != "" && was == "":
		p.logger.Warn("a metric of the application is not known: no step forward until it is", "migration", id.migration, "metric", id.metric, "why", trouble)
	case trouble == "" && was != "":
		p.logger.Info("a metric of the application is known again", "migration", id.migration, "metric", id.metric)
	}
}
