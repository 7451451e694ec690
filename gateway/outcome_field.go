package gateway

import (
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// fieldItems bounds what is read of one answer.
const (
	fieldItems = 8
	fieldBytes = 1 << 10
)

// outcomeField counts what an upstream says of a request in its answer:
//
//	Ficus-Outcome: bad; metric=lost_order
//
// It stands for the person who sent the request and for the side that was
// asked first. The field itself goes no further, like all of Ficus's.
func (rec *record) outcomeField(h http.Header) {
	values := h["Ficus-Outcome"]
	if len(values) == 0 || rec.cell == nil || rec.tripped || rec.standsFor()&placed == 0 {
		return
	}
	left := fieldItems
	for _, value := range values {
		if len(value) > fieldBytes {
			continue
		}
		for item := range strings.SplitSeq(value, ",") {
			metric, bad := parseOutcome(item)
			if left--; left < 0 {
				return
			}
			if m, ok := rec.route.plan.Guard.Metric(metric); ok && bad && m.By == migrations.ByKeys {
				rec.cell.book.outcome(rec.cell, rec.evidenceKey(), metric, true, sideOf(rec.Side))
			}
		}
	}
}

// parseOutcome reads one item: a token, good or bad, and the metric as a
// parameter (RFC 9110, section 5.6.6). Other parameters say nothing. An item
// without a metric, or with another token, has an empty one.
func parseOutcome(item string) (metric string, bad bool) {
	token, rest, _ := strings.Cut(item, ";")
	switch strings.ToLower(strings.TrimSpace(token)) {
	case "bad":
		bad = true
	case "good":
	default:
		return "", false
	}
	for p := range strings.SplitSeq(rest, ";") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "metric") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		return value, bad
	}
	return "", bad
}
