package migrations

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A GuardMetric is a metric of the application that the guard watches.
type GuardMetric struct {
	Name       string        `json:"name"`
	By         ReportedBy    `json:"by"`
	Prometheus *Prometheus   `json:"prometheus,omitempty"` // nil: the application reports it
	Every      time.Duration `json:"every,omitempty"`      // BySides: width of an interval
	WorseBy    float64       `json:"worse_by,omitempty"`   // tolerated worsening of the rate: 0.5 is 50 %
}

// ReportedBy says of whom it is known what happened to them.
type ReportedBy string

// How a metric of the application is known.
const (
	ByKeys  ReportedBy = "keys"  // of people: each counts once, as with the gateway's own metrics
	BySides ReportedBy = "sides" // as numbers by side and interval
)

// SidesWorseBy is the tolerated worsening of what is counted by side, if
// nothing is said.
const SidesWorseBy = evidence.IntervalMargin

// MaxMetrics bounds the metrics of a migration: each makes all others slower to see.
const MaxMetrics = 16

// Prometheus says how one is asked for a metric.
type Prometheus struct {
	URL   string `json:"url"`
	Token string `json:"-"` // sent along as a bearer token; empty: none
	Bad   Query  `json:"bad"`
	Total Query  `json:"total"`
	Label string `json:"label,omitempty"` // tells the sides apart where a query gives both
}

// A Query is asked for the value of a counter: Both, or the two others.
type Query struct {
	Both   string `json:"both,omitempty"`
	Legacy string `json:"legacy,omitempty"`
	Modern string `json:"modern,omitempty"`
}

// Metric returns the name by which evidence knows it.
func (m GuardMetric) Metric() evidence.Metric { return evidence.App(m.Name) }

// Metric returns the metric of the application of that name.
func (g Guard) Metric(name string) (GuardMetric, bool) {
	for _, m := range g.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return GuardMetric{}, false
}

// Keyed returns what the guard tests of the application by key: by the split
// test, as the gateway's own metrics.
func (g Guard) Keyed() []evidence.Guard {
	var out []evidence.Guard
	for _, m := range g.Metrics {
		if m.By == ByKeys {
			out = append(out, evidence.Guard{Metric: m.Metric(), Margin: m.WorseBy})
		}
	}
	return out
}

// Intervals returns what the guard tests of the application by interval.
func (g Guard) Intervals() []evidence.IntervalGuard {
	var out []evidence.IntervalGuard
	for _, m := range g.Metrics {
		if m.By == BySides {
			out = append(out, evidence.IntervalGuard{Metric: m.Metric(), Margin: m.WorseBy, Every: m.Every})
		}
	}
	return out
}

// Unreported says which metric of the application keeps a ramp from going
// forward at a time, and why; empty: none does. It holds and never moves: what
// is not known speaks against nobody. A step that has just begun waits for its
// hold and its requests anyway.
func (g Guard) Unreported(c evidence.Counts, test uint64, began, now time.Time) string {
	for _, m := range g.Metrics {
		if m.By != BySides {
			continue
		}
		have := c.Reported[m.Metric()]
		if have != nil && have.Test < test { // of the test before: this one's begin with the next slot
			have = nil
		}
		if have == nil && now.Sub(began) <= 5*m.Every {
			continue
		}
		if have.Late(now, m.Every) {
			from := "the application has posted nothing of it"
			if m.Prometheus != nil {
				from = "Prometheus has given nothing of it"
			}
			return fmt.Sprintf("%s is not known: %s for more than %v", m.Name, from, 3*m.Every)
		}
	}
	return ""
}

// FewPeople says which metric by side can't be believed yet, since too few
// people have come to either side; empty: none. seen is how many have.
func (g Guard) FewPeople(seen evidence.Sides) string {
	for _, m := range g.Metrics {
		if m.By == BySides && min(seen[evidence.Legacy], seen[evidence.Modern]) < evidence.IntervalPeople {
			return fmt.Sprintf("%s is counted by side, which says too little of fewer than %d people on either: %d on the service, %d on the monolith",
				m.Name, evidence.IntervalPeople, seen[evidence.Modern], seen[evidence.Legacy])
		}
	}
	return ""
}
