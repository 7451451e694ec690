package web

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// bads are the words for people with a bad event of a metric.
var bads = map[evidence.Metric]string{
	evidence.Errors: "people with an error", evidence.Timeouts: "people who waited in vain", evidence.Slow: "people with a slow answer",
	evidence.Mismatches: "first comparisons", evidence.Pairs: "probes", evidence.Ratio: "people seen",
}

func weightViewOf(w dashboard.Weight) weightView {
	v := weightView{Weight: w, Width: "0"}
	if w.E > 1 && w.Threshold > 1 {
		v.Width = strconv.FormatFloat(100*unit(math.Log(w.E)/math.Log(w.Threshold)), 'f', 1, 64)
	}
	what := bads[w.Metric]
	switch {
	case what == "":
		what = string(w.Metric)
	case w.Metric == evidence.Mismatches:
		v.Says = fmt.Sprintf("%s of %s %s differ", count(w.Service), count(w.Service+w.Legacy), what)
		return v
	}
	v.Says = fmt.Sprintf("%s of %s %s are on the service", count(w.Service), count(w.Service+w.Legacy), what)
	if w.Service+w.Legacy == 0 {
		v.Says = "no " + what
	}
	return v
}

// E writes the evidence as people can read it.
func (w weightView) EText() string { return short(w.E) }

// Limit writes the threshold.
func (w weightView) Limit() string { return short(w.Threshold) }

func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.1e", v)
	case v >= 100:
		return count(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}
