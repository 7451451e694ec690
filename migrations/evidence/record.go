package evidence

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A Record is one metric of one test, with everything that its evidence was
// computed from. It stands in the event of a decision.
type Record struct {
	Cell     string        `json:"cell,omitempty"`
	Metric   Metric        `json:"metric"`
	Basis    Basis         `json:"basis,omitempty"`
	Epochs   []Sample      `json:"epochs"`
	Odds     Grid          `json:"odds"`
	Good     Grid          `json:"good_odds,omitempty"` // ByTrial: candidates for those answered well
	Margin   float64       `json:"margin,omitempty"`    // δ of a rate
	Tau      time.Duration `json:"tau_ns,omitempty"`    // of the latency metric
	Every    time.Duration `json:"every_ns,omitempty"`  // ByInterval: width of one
	From     int64         `json:"from,omitempty"`      // ByInterval: in which the test began
	Slots    []Interval    `json:"slots,omitempty"`     // ByInterval: the counts, in place of Epochs
	Bets     Bets          `json:"bets,omitempty"`      // ByInterval: in place of Odds
	Reversed bool          `json:"reversed,omitempty"`  // the sides are exchanged: E says that the monolith is worse
	Budget
	Parts     []Part   `json:"parts,omitempty"`    // what E averages; the Epochs are those of the first. Empty: E is of the Epochs alone
	Networks  int      `json:"networks,omitempty"` // client networks that the parts tell apart; 0: what one of them does is not bounded
	Mixed     int      `json:"mixed,omitempty"`    // how many of them E leaves out in turn
	E         float64  `json:"e"`
	Least     float64  `json:"least,omitempty"` // E without the network that adds most to it, if Networks is not 0
	Threshold float64  `json:"threshold"`
	Spans     []string `json:"spans,omitempty"` // span contexts of bad requests on the service, up to [SpanLimit]
}

// Trips reports whether the evidence has reached the threshold, also without
// the client network that adds most to it (law 13).
func (r Record) Trips() bool {
	return r.E >= r.Threshold && (r.Networks == 0 || r.Least >= r.Threshold)
}

func (r Record) statistic() statistic { return statistic{r.Odds, r.Good, r.Margin} }

// Recompute returns the evidence that the counts of the record amount to: to
// the bit E, on any machine, also after the record was written and read.
func (r Record) Recompute() float64 {
	if r.Basis == ByInterval {
		return r.Intervals().Recompute()
	}
	if len(r.Parts) == 0 {
		return r.statistic().of(r.Epochs).float()
	}
	return mixture(r.Parts, r.statistic(), r.Mixed, -1).float()
}

// RecomputeLeast is [Record.Recompute] for Least. The least over leaving out
// each network is below E, so that asking for it as well costs nothing of α.
func (r Record) RecomputeLeast() float64 {
	if r.Networks == 0 {
		return 0
	}
	least := Most
	for i := range r.Networks {
		least = min(least, mixture(r.Parts, r.statistic(), r.Mixed, i).float())
	}
	return least
}

// Record returns what the record says as a [Record].
func (r IntervalRecord) Record() Record {
	return Record{
		Cell: r.Cell, Metric: r.Metric, Basis: ByInterval, Every: r.Every, From: r.From, Slots: r.Slots, Bets: r.Bets, Margin: r.Margin,
		Budget: r.Budget, E: r.E, Threshold: r.Threshold,
	}
}

// Intervals returns a record ByInterval as what it was made from.
func (r Record) Intervals() IntervalRecord {
	return IntervalRecord{
		Cell: r.Cell, Metric: r.Metric, Every: r.Every, From: r.From, Slots: r.Slots, Bets: r.Bets, Margin: r.Margin,
		Budget: r.Budget, E: r.E, Threshold: r.Threshold,
	}
}

// Counted reports whether anything was counted.
func (r Record) Counted() bool {
	for _, s := range r.Epochs {
		if s.Service+s.Legacy > 0 {
			return true
		}
	}
	return len(r.Parts) > 1 || len(r.Slots) > 0
}

// Leading returns the part that most of the evidence comes from.
func (r Record) Leading() Part {
	if len(r.Parts) == 0 {
		return Part{Weight: 1, Epochs: r.Epochs}
	}
	best, most := r.Parts[0], -1.0
	for _, p := range r.Parts {
		if e := p.Weight * r.statistic().of(p.Epochs).float(); e > most {
			best, most = p, e
		}
	}
	return best
}

// ErrRecord is the error of a record whose numbers do not follow from its counts.
var ErrRecord = errors.New("the record does not follow from its counts")

// Check recomputes the evidence and the threshold, and says what differs.
func (r Record) Check() error {
	if e := r.Recompute(); math.Float64bits(e) != math.Float64bits(r.E) {
		return fmt.Errorf("%w: %s: E is %v by the counts, %v by the record", ErrRecord, r.Metric, e, r.E)
	}
	if len(r.Parts) > 0 && !slices.Equal(r.Parts[0].Epochs, r.Epochs) {
		return fmt.Errorf("%w: %s: its counts are not those of its first part", ErrRecord, r.Metric)
	}
	if e := r.RecomputeLeast(); r.E >= r.Threshold && math.Float64bits(e) != math.Float64bits(r.Least) {
		return fmt.Errorf("%w: %s: without the network that adds most E is %v by the counts, %v by the record", ErrRecord, r.Metric, e, r.Least)
	}
	if t := r.Budget.Threshold(); math.Float64bits(t) != math.Float64bits(r.Threshold) {
		return fmt.Errorf("%w: %s: the threshold is %v by the budget, %v by the record", ErrRecord, r.Metric, t, r.Threshold)
	}
	return nil
}

// String says what the record says, for people:
//
//	errors: 3 of 3 on the service at w = 0.05; E = 2493, threshold 1645: trips
//	mismatches: 2 of 2 people got one, and a share of 0.001 may; E = 1.272e+05, threshold 2632: trips
func (r Record) String() string {
	if r.Basis == ByInterval {
		return r.Intervals().String()
	}
	var service, all uint64
	var shares []string
	for _, s := range r.Epochs {
		service, all = service+s.Service, all+s.Service+s.Legacy
		if text := fmt.Sprintf("%.4g", s.W); len(shares) == 0 || shares[len(shares)-1] != text {
			shares = append(shares, text)
		}
	}
	verdict := "does not trip"
	if r.Trips() {
		verdict = "trips"
	}
	name := string(r.Metric)
	if r.Cell != "" {
		name = r.Cell + ": " + name
	}
	against := "on the service at w = " + strings.Join(shares, ", ")
	switch r.Basis {
	case ByRate:
		against = "people got one, and a share of " + strings.Join(shares, ", ") + " may"
	case ByPair:
		against = "stood against the candidate"
	}
	return fmt.Sprintf("%s: %d of %d %s; E = %.4g, threshold %.4g: %s", name, service, all, against, r.E, r.Threshold, verdict)
}
