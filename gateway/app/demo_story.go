package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop/load"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A bug is planted at a live step, and is to be rolled back.
type bug struct {
	name   string
	says   string
	faults func(tau time.Duration) orders.Faults
	metric evidence.Metric
	timed  bool // it shows only in how long answers take, so that must be known of the monolith first

	planted time.Time
	before  *load.Report // when it was planted
	back    *migrations.Event
	after   *load.Report // when it had been taken back
	again   float64      // E, computed again from the event alone
	err     error        // that it could not be
}

func bugs() []*bug {
	return []*bug{
		{name: "errors", says: "whoever places an order on the service gets a 500", metric: evidence.Errors,
			faults: func(time.Duration) orders.Faults { return orders.Faults{Errors: 1, OnlyWrites: true} }},
		{name: "wrong prices", says: "half of the totals are wrong, with status 200; only comparing can see that", metric: evidence.Mismatches,
			faults: func(time.Duration) orders.Faults { return orders.Faults{WrongPrice: 0.5} }},
		{name: "slowness", metric: evidence.Latencies[slowAt].Metric, timed: true,
			says:   "every answer of the service is right, and comes far later than the monolith's",
			faults: func(tau time.Duration) orders.Faults { return orders.Faults{Latency: 400*time.Millisecond + 3*tau} }},
	}
}

// A story is what happens in the demo. It only plants bugs and takes them out
// again: what is done about them, the gateway does.
type story struct {
	stage     *demoStage
	screen    *screen
	customers *load.Load
	pace      time.Duration
	open      string // what is said at the end of the shop
	bugs      []*bug
	over      chan struct{} // closed when the last bug is rolled back

	mu    sync.Mutex // guards backs
	backs []time.Time
}

func newStory(stage *demoStage, out *screen, customers *load.Load, pace time.Duration) *story {
	return &story{stage: stage, screen: out, customers: customers, pace: pace, bugs: bugs(), over: make(chan struct{})}
}

// tell follows the event log until ctx ends.
func (s *story) tell(ctx context.Context) {
	next := 0
	for e, err := range s.stage.process.Events().Follow(ctx, 0) {
		if err != nil {
			return // the log is closed
		}
		if e.Migration != "orders" {
			continue
		}
		switch e.Kind {
		case migrations.RolledBack:
			s.mu.Lock()
			s.backs = append(s.backs, time.Now())
			s.mu.Unlock()
			if next < len(s.bugs) && !s.bugs[next].planted.IsZero() {
				s.rolledBack(s.bugs[next], e)
				if next++; next == len(s.bugs) {
					close(s.over)
				}
			} else {
				s.screen.happened(time.Now(), s.screen.red, "▼ rolled back", "event %d by %s", e.Seq, e.Actor)
				s.screen.more("%s", e.Reason)
			}
		case migrations.Stepped:
			s.screen.happened(time.Now(), s.screen.green, "▲ "+e.Split.String(), "event %d: %s", e.Seq, e.Reason)
			if e.Split.Share(migrations.Complete) == migrations.Buckets {
				s.screen.line("%*sorders has left the monolith%s", third, "", s.open)
			}
			if next < len(s.bugs) && e.Split.Share(migrations.Live) > 0 && s.bugs[next].planted.IsZero() {
				s.plant(s.bugs[next], e)
			}
		case migrations.Created, migrations.Planned:
		case migrations.Resumed:
			s.screen.happened(time.Now(), s.screen.green, "▲ the ramp goes on", "event %d: %s", e.Seq, e.Reason)
		default:
			s.screen.happened(time.Now(), s.screen.amber, "‖ "+string(e.Kind), "event %d: %s", e.Seq, e.Reason)
		}
	}
}

// seen is the share from which the guard sees a slowness within seconds. One
// request of the monolith in ten is slow by definition, and each customer counts
// once, so that among a few it might not show before all of them have counted.
const seen = migrations.Buckets / 4

// plant plants a bug, if the guard could see it.
func (s *story) plant(b *bug, step migrations.Event) {
	tau := s.tau(step)
	if b.timed && (tau == 0 || step.Split.Modern() < seen) {
		return
	}
	b.planted, b.before = time.Now(), s.customers.Snapshot()
	s.stage.service.Plant(b.faults(tau))
	s.screen.happened(b.planted, s.screen.amber, "● bug: "+b.name, "%s", b.says)
}

// slowAt is the position in [evidence.Latencies] of the first byte's p90, which a
// hundred requests tell; a p99 takes a thousand.
const slowAt = 1

// tau returns what slow means since a step.
func (s *story) tau(step migrations.Event) time.Duration {
	if step.Taus != nil && step.Taus[slowAt] > 0 {
		return step.Taus[slowAt]
	}
	m, err := migrations.Apply(s.stage.process.follower.State(), step)
	if err != nil { // it has been applied already
		return s.stage.standing().Taus[slowAt]
	}
	return m.Migrations["orders"].Taus[slowAt]
}

// rolledBack takes the bug out again, and says what it has done.
func (s *story) rolledBack(b *bug, e migrations.Event) {
	s.stage.service.Plant(orders.Faults{})
	s.mu.Lock()
	b.back = &e
	s.mu.Unlock()
	out := s.screen
	out.happened(time.Now(), out.red, "▼ ROLLED BACK", "event %d: the guard took it back %s after it was planted", e.Seq, span(e.Time.Sub(b.planted)))
	reason, load, _ := strings.Cut(e.Reason, "; "+e.Evidence.Load.String())
	out.more("%s", reason+load)
	b.again, b.err = migrations.Explain(e)
	if b.err == nil {
		out.more("from the event alone E is %.6g again, to the bit:  ficus history --explain %d", b.again, e.Seq)
	} else {
		out.more("%v", b.err)
	}
	if e.TraceID != "" {
		out.more("trace %s, with links to %s", e.TraceID, count(len(e.Evidence.Spans), "offending request"))
	}
	b.after = s.settled()
	out.more("%s", b.cost())
	out.happened(time.Now(), out.plain, "○ fixed", "the ramp tries again by itself, %s after the rollback", s.pace)
}

// settled waits until customers see no more of what was under way, and returns
// what they have seen.
func (s *story) settled() *load.Report {
	const quiet = 300 * time.Millisecond
	r := s.customers.Snapshot()
	for range 10 {
		time.Sleep(quiet)
		before := r
		r = s.customers.Snapshot()
		if r.Failed() == before.Failed() {
			break
		}
	}
	return r
}

// bad returns how many requests the service made something bad of.
func (b *bug) bad() (n uint64) {
	for _, e := range b.back.Evidence.Epochs {
		n += e.Bad[b.metric][evidence.Modern]
	}
	return n
}

// cost says what the bug has cost the customers.
func (b *bug) cost() string {
	errors := errorsOf(b.after) - errorsOf(b.before)
	switch b.metric {
	case evidence.Errors:
		return fmt.Sprintf("%d requests failed on the service, the monolith answered %d in its place, and customers saw %s",
			b.bad(), b.after.Fallbacks-b.before.Fallbacks, count(errors, "error"))
	case evidence.Mismatches:
		o := b.back.Evidence.Observed
		return fmt.Sprintf("%d of %d comparisons differed; customers saw %s and %s", o.Mismatch, o.Compared(),
			count(b.after.Failures[load.WrongBody]-b.before.Failures[load.WrongBody], "wrong total"), count(errors, "error"))
	}
	return fmt.Sprintf("%s slower than %s, and customers saw %s", count(int(b.bad()), "answer"), span(b.limit()), count(errors, "error"))
}

// limit is beyond what an answer of the service is slow.
func (b *bug) limit() time.Duration {
	for _, r := range b.back.Evidence.Records {
		if evidence.IsLatency(r.Metric) >= 0 {
			return evidence.Tolerance{Tau: r.Tau, WorseBy: 1}.Limit(evidence.Modern)
		}
	}
	return 0
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// span writes a duration to two digits or so.
func span(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= 100*time.Millisecond:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}
