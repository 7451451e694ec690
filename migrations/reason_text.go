package migrations

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// What decisions say to a person at night. The numbers of the test are in the
// event's evidence; `ficus history --explain` shows them.

// happened says for each metric what a user met.
var happenedText = map[evidence.Metric]string{
	evidence.Errors:    "got an error",
	evidence.Timeouts:  "got a time-out",
	evidence.Redirects: "were redirected",
	evidence.Denied:    "were denied access (401, 403)",
	evidence.Missing:   "got 404 or 410",
	evidence.Rejected:  "had a request rejected (4xx)",
	evidence.GRPC:      "had a gRPC call rejected",
}

// recordText says what a record shows.
func (p Plan) recordText(r evidence.Record) string {
	part := r.Leading()
	var service, legacy uint64
	for _, s := range part.Epochs {
		service, legacy = service+s.Service, legacy+s.Legacy
	}
	where := ""
	if part.Of != "" && part.Of != evidence.FirstAnswer {
		where = " on " + string(part.Of)
	}
	if r.Cell != "" {
		where += " in cell " + r.Cell
	}
	switch r.Basis {
	case evidence.ByInterval:
		legacyRate, modernRate := r.Intervals().Rates()
		return fmt.Sprintf("the application counts %s of %s at %s and %s at %s, over %d intervals of %s", percentText(modernRate), p.metricName(r.Metric), p.To, percentText(legacyRate), p.From, len(r.Slots), r.Every)
	case evidence.ByTrial:
		goodService, goodLegacy := uint64(0), uint64(0)
		for _, s := range part.Epochs {
			goodService, goodLegacy = goodService+s.GoodService, goodLegacy+s.GoodLegacy
		}
		return fmt.Sprintf("at first %d of %s%s got no good answer from %s, %d of %d from %s", service, users(service+goodService), where, p.To, legacy, legacy+goodLegacy, p.From)
	case evidence.ByRate:
		return fmt.Sprintf("the answers of %s and %s differ for %d of %s whose requests were compared%s, and %s may", p.To, p.From, service, users(service+legacy), where, percentText(rateOf(part)))
	case evidence.ByPair:
		return fmt.Sprintf("of %s, asked of both, %s failed %d that %s answered, and answered %d that %s failed%s", requestsText(service+legacy), p.To, service, p.From, legacy, p.From, where)
	}
	if at := evidence.IsLatency(r.Metric); at >= 0 && p.Guard.Latency != nil {
		l := evidence.Latencies[at]
		what := "the first byte"
		if l.Whole {
			what = "the whole answer"
		}
		return fmt.Sprintf("%s waited longer than %s for %s from %s, %d longer than %s (its p%.0f) from %s, %s", users(service),
			roundTime(p.Guard.Latency.Tolerance(l, r.Tau).Limit(evidence.Modern)), what, p.To, legacy, roundTime(r.Tau), 100*l.Quantile, p.From, shareText(part, p))
	}
	return fmt.Sprintf("%s %s from %s%s, %d from %s, %s", users(service), p.met(r), p.To, where, legacy, p.From, shareText(part, p))
}

// reverseText says what a record with the sides exchanged shows.
func (p Plan) reverseText(r evidence.Record) string {
	var service, legacy uint64
	for _, s := range r.Epochs {
		service, legacy = service+s.Legacy, legacy+s.Service
	}
	return fmt.Sprintf("%s %s from %s, %d from %s", users(legacy), p.met(r), p.From, service, p.To)
}

// met says what the users of a record met.
func (p Plan) met(r evidence.Record) string {
	if text, ok := happenedText[r.Metric]; ok {
		return text
	}
	return "had a bad outcome (" + p.metricName(r.Metric) + ")"
}

// metricName returns the name that the config gives to a metric of the
// application.
func (p Plan) metricName(m evidence.Metric) string {
	for _, g := range p.Guard.Metrics {
		if g.Metric() == m {
			return g.Name
		}
	}
	return string(m)
}

func rateOf(p evidence.Part) float64 {
	if len(p.Epochs) == 0 {
		return 0
	}
	return p.Epochs[len(p.Epochs)-1].W
}

// shareText says how the users were divided.
func shareText(part evidence.Part, p Plan) string {
	w := rateOf(part)
	if w == 0.5 {
		return "at half the traffic each"
	}
	return fmt.Sprintf("with %s of the users on %s", percentText(w), p.To)
}

// outageText says what a streak shows.
func (p Plan) outageText(s evidence.Streak) string {
	return fmt.Sprintf("outage: %s failed the last %s within %s, and %s answered them in its place",
		p.To, requestsText(s.Healed), roundTime(time.Duration(s.Last-s.Since)*time.Millisecond), p.From)
}

func users(n uint64) string {
	if n == 1 {
		return "1 user"
	}
	return fmt.Sprintf("%d users", n)
}

func requestsText(n uint64) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

func requestsFailed(n uint64) string {
	if n == 1 {
		return "1 request failed"
	}
	return fmt.Sprintf("%d requests failed", n)
}

// percentText writes a share, as in "5 %" or "0.1 %".
func percentText(f float64) string { return fmt.Sprintf("%.3g %%", 100*f) }

func roundTime(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(time.Second)
	case d > 100*time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(100 * time.Microsecond)
	}
}
