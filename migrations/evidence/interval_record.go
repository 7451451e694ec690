package evidence

import (
	"fmt"
	"math"
	"time"
)

// App returns the metric of that name of an application.
func App(name string) Metric { return appPrefix + Metric(name) }

// appPrefix keeps an application's metrics apart from the gateway's own.
const appPrefix = "app:"

// IntervalMargin is how much worse a rate by intervals may be if nothing else
// is said: the same people come again and again, and those who happen to be on
// the service may fail more often than the others wherever they are.
const IntervalMargin = 0.5

// IntervalPeople is the number of people on either side below which counts by
// interval say too little: those who fail more often than others may all be
// there by chance, and a count does not show it.
const IntervalPeople = 200

// An IntervalGuard is a metric that is known by intervals, and how it is looked at.
type IntervalGuard struct {
	Metric Metric
	Margin float64       // tolerated worsening δ of the rate; 0.5 is 50 %
	Every  time.Duration // width of a slot
}

// Bets are the parts of what has been won that are put on the next interval.
// Evidence is the mean over them, so that none needs to be chosen beforehand.
type Bets []float64

// UsualBets returns those of the guard.
func UsualBets() Bets { return Bets{0.125, 0.25, 0.5, 0.75, 0.9375} }

// An IntervalRecord is one metric of one test that is known by intervals, with
// everything that its evidence was computed from: what [Record] is for those
// that are known by key.
type IntervalRecord struct {
	Cell   string        `json:"cell,omitempty"`
	Metric Metric        `json:"metric"`
	Every  time.Duration `json:"every_ns"`
	From   int64         `json:"from"` // slot in which the test began
	Slots  []Interval    `json:"slots"`
	Bets   Bets          `json:"bets"`
	Margin float64       `json:"margin,omitempty"` // δ of the rate
	Budget
	E         float64 `json:"e"`
	Threshold float64 `json:"threshold"`
}

// settle is how long after its end a slot of what was posted is waited for:
// until the other gateways have told what they were told.
const settle = 5 * time.Second

// Judge returns the record of what is known at a time: of slots that are over.
func (s *Intervals) Judge(cell string, g IntervalGuard, b Budget, now time.Time) IntervalRecord {
	r := IntervalRecord{Cell: cell, Metric: g.Metric, Every: g.Every, Bets: UsualBets(), Margin: max(g.Margin, 0), Budget: b, Threshold: b.Threshold()}
	if s != nil {
		r.From = s.From
		if !s.Polled {
			now = now.Add(-settle)
		}
		for _, x := range s.Slots {
			if x.At < SlotOf(now, g.Every) {
				r.Slots = append(r.Slots, x)
			}
		}
	}
	r.E = r.Recompute()
	return r
}

// Recompute returns the evidence that the service's rate is higher than the
// monolith's, to the bit the same on any machine:
//
//	E = 6/(π²j²) · mean over λ of Π (1 + λ·lean),   λ of the bets, over the slots
//
// where j is the block of the test that the slots are of. If the service is no
// worse, no factor has an expectation above 1 given what was before (see
// [Interval.lean]), so that it is a nonnegative supermartingale, and by Ville's
// inequality the chance that it ever reaches 1/α is at most α. It is betting
// on a mean, after Waudby-Smith and Ramdas, "Estimating means of bounded random
// variables by betting" (JRSS-B 2024, arXiv:2010.09686).
//
// It speaks of intervals. That one side fares worse for many of them in a row
// is evidence, whatever the reason: an interval should be longer than a deploy.
func (r IntervalRecord) Recompute() float64 {
	if len(r.Bets) == 0 || len(r.Slots) == 0 {
		return 1
	}
	terms := make([]scaled, len(r.Bets))
	for i := range terms {
		terms[i] = scaled{0.5, 1}
	}
	for _, x := range r.Slots {
		lean := x.lean(r.Margin)
		if lean == 0 {
			continue
		}
		for i, part := range r.Bets {
			terms[i] = terms[i].times(scale(1 + float64(min(max(part, 0), 1)*lean)))
		}
	}
	j := float64(max(block(r.Slots[0].At)-block(r.From), 0) + 1)
	return mean(terms).times(scale(6 / (math.Pi * math.Pi) / float64(j*j))).float()
}

// Trips reports whether the evidence has reached the threshold.
func (r IntervalRecord) Trips() bool { return r.E >= r.Threshold }

// Check recomputes the evidence and the threshold, and says what differs.
func (r IntervalRecord) Check() error {
	if e := r.Recompute(); math.Float64bits(e) != math.Float64bits(r.E) {
		return fmt.Errorf("%w: %s: E is %v by the intervals, %v by the record", ErrRecord, r.Metric, e, r.E)
	}
	if t := r.Budget.Threshold(); math.Float64bits(t) != math.Float64bits(r.Threshold) {
		return fmt.Errorf("%w: %s: the threshold is %v by the budget, %v by the record", ErrRecord, r.Metric, t, r.Threshold)
	}
	return nil
}

// Rates returns the share of bad events on the two sides, 0 where there was none at all.
func (r IntervalRecord) Rates() (legacy, modern float64) {
	var bad, total Sides
	for _, x := range r.Slots {
		bad, total = bad.plus(x.Bad), total.plus(x.Total)
	}
	rate := func(s Side) float64 {
		if total[s] == 0 {
			return 0
		}
		return float64(bad[s]) / float64(total[s])
	}
	return rate(Legacy), rate(Modern)
}

// String says what the record says, for people:
//
//	app:lost_orders: 0.9 % on the service, 0.1 % on the monolith in 14 intervals of 15s; E = 2411, threshold 1645: trips
func (r IntervalRecord) String() string {
	legacy, modern := r.Rates()
	verdict, name := "does not trip", string(r.Metric)
	if r.Trips() {
		verdict = "trips"
	}
	if r.Cell != "" {
		name = r.Cell + ": " + name
	}
	return fmt.Sprintf("%s: %.3g %% on the service, %.3g %% on the monolith in %d intervals of %v; E = %.4g, threshold %.4g: %s",
		name, 100*modern, 100*legacy, len(r.Slots), r.Every, r.E, r.Threshold, verdict)
}
