package evidence

// A Metric names a kind of bad event that is tested by itself.
type Metric string

// The metrics of a guard. A guard may have others.
const (
	Errors     Metric = "errors"     // answered 5xx, or not at all: connection, breaker, shedding, no healthy endpoint
	Timeouts   Metric = "timeouts"   // the upstream's time was up
	Slow       Metric = "slow"       // slower than τ, counted when the timer passes it
	Mismatches Metric = "mismatches" // first comparison of a key: Modern if the candidate differed or failed, Legacy if it agreed
	Pairs      Metric = "pairs"      // probes in which one answer stood alone: Modern if the candidate's, Legacy if the second control's
	Ratio      Metric = "ratio"      // keys seen, for the sample-ratio check
)

// A Basis says what share of a metric's events falls on the service if it is
// no worse.
type Basis string

// What a metric may be held against.
const (
	BySplit Basis = ""      // the share of people on the service; the monolith is the control
	ByRate  Basis = "rate"  // an allowed rate
	ByPair  Basis = "pairs" // a fair coin: another control, asked a second time
)

// A Guard is one metric that is watched, and what it is held against.
type Guard struct {
	Metric Metric  `json:"metric"`
	Basis  Basis   `json:"basis,omitempty"`
	Margin float64 `json:"margin,omitempty"` // BySplit: tolerated worsening δ of the rate; 0.2 is 20 %. Not for latency, see [Tolerance]
	Rate   float64 `json:"rate,omitempty"`   // ByRate: the allowed rate m₀, 0 to 1
}

// grid returns the candidates that suit the basis.
func (g Guard) grid() Grid {
	switch {
	case g.Metric == Ratio:
		return Either()
	case g.Basis == ByPair:
		return Paired()
	default:
		return Worse()
	}
}

// w returns the chance that an event falls on the service if it is no worse.
func (g Guard) w(share int) float64 {
	switch g.Basis {
	case ByRate:
		return g.Rate
	case ByPair:
		return 0.5
	default:
		return float64(share) / Buckets
	}
}
