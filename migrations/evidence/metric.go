package evidence

import (
	"slices"
	"strings"
	"time"
)

// A Metric names a kind of bad event that is tested by itself.
type Metric string

// The metrics of a guard. A guard may have others.
const (
	Errors     Metric = "errors"     // answered 5xx, or not at all: connection, breaker, shedding, no healthy endpoint; a gRPC server's fault
	Timeouts   Metric = "timeouts"   // the upstream's time was up
	Redirects  Metric = "redirects"  // answered with a redirect
	Denied     Metric = "denied"     // answered 401, 403 or 407
	Missing    Metric = "missing"    // answered 404 or 410
	Rejected   Metric = "rejected"   // answered another 4xx
	GRPC       Metric = "grpc"       // answered with a gRPC client's fault
	Mismatches Metric = "mismatches" // first comparison of a key: Modern if the service differed or failed, Legacy if it agreed
	Pairs      Metric = "pairs"      // first comparison of a key in which one side failed and the other did not: Modern if the service failed
	Ratio      Metric = "ratio"      // keys seen, for the sample-ratio check
	Harm       Metric = "harm"       // keys whose request on the service failed for the user; Legacy: on the monolith
	Slow       Metric = "slow"       // had not begun to answer when fallback gave the service up; in older events: slower than τ
)

// Classes are the metrics of outcomes that are no failure by themselves, but
// are if the service gives them more often than the monolith.
var Classes = []Metric{Redirects, Denied, Missing, Rejected, GRPC}

// first returns the metric of a class under which keys count by their first
// answer of the test. Where a class is common, nearly every key meets it once
// on either side, and only first answers still tell the sides apart.
func (m Metric) first() Metric { return m + "_first" }

// growing reports whether the set of the metric grows with every key, whether
// the service is bad or not. It takes in fewer keys, and then stays as it is.
func (m Metric) growing() bool {
	if i := IsLatency(m); i >= 0 {
		return Latencies[i].Central
	}
	return strings.HasSuffix(string(m), "_first") || m == Harm
}

// A LatencyMetric is one of the set in which the latency of whole answers is
// tested.
type LatencyMetric struct {
	Metric   Metric
	Quantile float64 // of the monolith's, which slow means
	Whole    bool    // until the last byte; false: until the first
	Central  bool    // tested by first answers as well: what is slow for half of all requests is slow for every key in the end
}

// Latencies is that set. Callers must not change it.
var Latencies = [...]LatencyMetric{
	{"first_byte_p50", 0.5, false, true},
	{"first_byte_p90", 0.9, false, true},
	{"first_byte_p99", 0.99, false, false},
	{"whole_answer_p50", 0.5, true, true},
	{"whole_answer_p90", 0.9, true, true},
	{"whole_answer_p99", 0.99, true, false},
}

// FirstByteP99 is the position of the one that older events know.
const FirstByteP99 = 2

// Taus are what slow means for each of [Latencies]; 0 is not known.
type Taus [len(Latencies)]time.Duration

// Known reports whether any is known.
func (t Taus) Known() bool { return t != Taus{} }

// greater returns the greater of each: of what several gateways have learned.
func (t Taus) greater(o Taus) Taus {
	for i := range t {
		t[i] = max(t[i], o[i])
	}
	return t
}

// IsLatency reports the position of a metric in [Latencies], −1 if it is none.
func IsLatency(m Metric) int {
	return slices.IndexFunc(Latencies[:], func(l LatencyMetric) bool { return l.Metric == m })
}

// A Basis says what share of a metric's events falls on the service if it is
// no worse.
type Basis string

// What a metric may be held against.
const (
	BySplit Basis = ""      // the share of people on the service; the monolith is the control
	ByRate  Basis = "rate"  // an allowed rate
	ByPair  Basis = "pairs" // a fair coin: the other side, asked the same

	ByInterval Basis = "intervals" // the other side's rate in the same interval, as the application counts both
)

// A Guard is one metric that is watched, and what it is held against.
type Guard struct {
	Metric    Metric  `json:"metric"`
	Basis     Basis   `json:"basis,omitempty"`
	Margin    float64 `json:"margin,omitempty"`    // BySplit: tolerated worsening δ of the rate; 0.2 is 20 %. Not for latency, see [Tolerance]
	Rate      float64 `json:"rate,omitempty"`      // ByRate: the allowed rate m₀, 0 to 1
	Endpoints bool    `json:"endpoints,omitempty"` // tested for each endpoint as well, with half of the weight
	First     bool    `json:"first,omitempty"`     // tested by first answers as well, with half of what the endpoints leave
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
