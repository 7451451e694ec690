package dashboard

import (
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

// ComparisonCounts say what has become of the observations of a migration.
type ComparisonCounts struct {
	Sampled  uint64                     `json:"sampled"`
	Pending  uint64                     `json:"pending"`  // begun, and not decided yet
	Outcomes map[compare.Outcome]uint64 `json:"outcomes"` // add up to sampled less pending
	Dropped  map[string]uint64          `json:"dropped"`  // by reason; add up to the outcome dropped
	Probes   uint64                     `json:"probes"`   // second askings
	Races    uint64                     `json:"races"`    // mismatches that went away when both sides were asked again
}

// A Comparison is what is known of the comparison of one migration.
type Comparison struct {
	Migration string                `json:"migration"`
	Counts    ComparisonCounts      `json:"counts"`
	Findings  map[compare.State]int `json:"findings"` // by state
	Endpoints []EndpointComparison  `json:"endpoints"`
	Accepted  []AcceptedRule        `json:"accepted"` // rules that people accepted, on top of those of the config
}

// An EndpointComparison compares the two sides of one endpoint.
type EndpointComparison struct {
	Endpoint   string   `json:"endpoint"`
	Observed   int      `json:"observed"`
	Mismatched int      `json:"mismatched"`
	Races      int      `json:"races"`
	Probes     int      `json:"probes"`          // 0: noise is not learned here
	Pairs      int64    `json:"pairs,omitempty"` // requests that both sides were timed at
	Slower     float64  `json:"slower"`          // share of the pairs in which the candidate took longer
	Control    *Latency `json:"control,omitempty"`
	Candidate  *Latency `json:"candidate,omitempty"`
}

// A Latency has quantiles, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
}

// Comparisons are those of all migrations.
type Comparisons struct {
	Comparisons []Comparison `json:"comparisons"`
}

// maxEndpoints bounds the endpoints of a migration that are shown: the busiest.
const maxEndpoints = 1000

func (a *api) getComparisons(w http.ResponseWriter, r *http.Request) {
	values, p := query(r, "migration")
	wanted := values.Get("migration")
	if p == nil && wanted != "" {
		p = a.notCompared(wanted)
	}
	out := Comparisons{Comparisons: []Comparison{}}
	for _, id := range a.compared() {
		if wanted != "" && wanted != id {
			continue
		}
		if a.Findings.View(id, func(s *compare.Study) { out.Comparisons = append(out.Comparisons, ComparisonOf(id, s, a.Now())) }) {
			p = nil
			last := &out.Comparisons[len(out.Comparisons)-1]
			last.Counts, last.Accepted = a.Findings.Counts(id), a.accepted(id)
		}
	}
	if p != nil {
		fail(w, r, p)
		return
	}
	answer(w, http.StatusOK, out)
}

// ComparisonOf presents what a study knows; the counts are left to whoever has them.
func ComparisonOf(migration string, s *compare.Study, now time.Time) Comparison {
	c := Comparison{Migration: migration, Findings: map[compare.State]int{}, Endpoints: []EndpointComparison{}, Accepted: []AcceptedRule{}}
	for _, f := range s.Findings.All(now) {
		c.Findings[f.State]++
	}
	for _, e := range s.Endpoints() {
		if len(c.Endpoints) == maxEndpoints {
			break
		}
		x := EndpointComparison{Endpoint: plain(e.Endpoint, 1000), Observed: e.Observed, Mismatched: e.Mismatched, Races: e.Races, Probes: e.Probes}
		if l := s.Latencies[e.Endpoint]; l != nil {
			x.Pairs, x.Slower = l.Pairs()
			x.Control, x.Candidate = latencyOf(l)
		}
		c.Endpoints = append(c.Endpoints, x)
	}
	return c
}

func latencyOf(l *compare.Latencies) (control, candidate *Latency) {
	control, candidate = new(Latency), new(Latency)
	for _, q := range [...]struct {
		q    float64
		a, b *float64
	}{{0.5, &control.P50, &candidate.P50}, {0.9, &control.P90, &candidate.P90}, {0.99, &control.P99, &candidate.P99}} {
		a, b := l.Quantile(q.q)
		*q.a, *q.b = milliseconds(a), milliseconds(b)
	}
	return control, candidate
}

// milliseconds with three digits after the point.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
