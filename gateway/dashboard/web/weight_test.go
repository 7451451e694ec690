package web

import (
	"testing"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

func TestTheStrongestMetricComesFirst(t *testing.T) {
	counted, quiet := weightsOf([]dashboard.Weight{
		{Metric: "errors", Service: 1, E: 2, Threshold: 1e4}, {Metric: "first_byte_p50"}, {Metric: "denied", Service: 9, E: 1e3, Threshold: 1e4},
		{Metric: "missing", Legacy: 3, E: 0.1, Threshold: 1e4}, {Metric: "timeouts", Service: 7, E: 2e4, Threshold: 1e4, Trips: true}, {Metric: "pairs"},
	})
	want := []struct{ metric, near, width string }{
		{"timeouts", "threshold reached", "100.0"}, {"denied", "75 % of the threshold", "75.0"}, {"errors", "8 % of the threshold", "7.5"}, {"missing", "0 % of the threshold", "0.0"},
	}
	for i, w := range counted {
		if i >= len(want) || string(w.Metric) != want[i].metric || w.NearText() != want[i].near || w.Width != want[i].width {
			t.Errorf("%d: %s, %s, %s", i, w.Metric, w.NearText(), w.Width)
		}
	}
	if len(counted) != len(want) || quiet != "first byte p50, pairs" {
		t.Errorf("%d counted, quiet: %q", len(counted), quiet)
	}
	for text, w := range map[string]dashboard.Weight{
		"less than 1 % of the threshold": {E: 1.05, Threshold: 1e4}, "99 % of the threshold": {E: 2e4, Threshold: 1e4}, // it does not stand without one network
	} {
		if got := weightViewOf(w).NearText(); got != text {
			t.Errorf("%q, not %q", got, text)
		}
	}
}

func TestSlowRequestsAreNotFailedOnes(t *testing.T) {
	for want, c := range map[string]dashboard.SideCounts{
		"397 (31 slow, 0 failed)": {Requests: 397, Slow: 31}, "1,397 (2 failed)": {Requests: 1397, Failed: 2}, "12": {Requests: 12}, "9 (1 slow, 2 failed)": {Requests: 9, Slow: 1, Failed: 2},
	} {
		if got := sideText(c); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := excused(dashboard.Test{Aside: 3, Blameless: 1200}); got != "3 failures of a restart that fallback healed, 1,200 failures that the monolith shared" {
		t.Errorf("%q", got)
	}
}
