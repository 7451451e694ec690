package telemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAHistogramAsPrometheusReadsIt(t *testing.T) {
	m := NewMetrics()
	h := m.Histogram("ficus_rollback_recovery_seconds", "Help.", "migration")
	if text := scrape(t, m); strings.Contains(text, "ficus_rollback") {
		t.Errorf("there is one of nothing:\n%s", text)
	}
	for _, d := range []time.Duration{-time.Second, 250 * time.Millisecond, time.Minute, 24 * time.Hour} {
		h.Observe("orders", d)
	}
	m.Histogram("ficus_rollback_recovery_seconds", "Help.", "migration").Observe("carts", time.Second)
	wantLines(t, scrape(t, m),
		`ficus_rollback_recovery_seconds_bucket{migration="orders",le="0.01"} 1`,
		`ficus_rollback_recovery_seconds_bucket{migration="orders",le="0.25"} 2`,
		`ficus_rollback_recovery_seconds_bucket{migration="orders",le="60"} 3`,
		`ficus_rollback_recovery_seconds_bucket{migration="orders",le="+Inf"} 4`,
		`ficus_rollback_recovery_seconds_sum{migration="orders"} 86460.25`,
		`ficus_rollback_recovery_seconds_count{migration="orders"} 4`,
		`ficus_rollback_recovery_seconds_count{migration="carts"} 1`)
	for i := range maxSeries + 5 {
		h.Observe(fmt.Sprint(i), time.Second)
	}
	if n := len(h.series); n != maxSeries+1 {
		t.Errorf("%d series", n)
	}
	(*Histogram)(nil).Observe("orders", time.Second)
}
