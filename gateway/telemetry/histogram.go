package telemetry

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// secondsBounds are the upper bounds of the buckets of a [Histogram].
var secondsBounds = []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600}

// maxSeries bounds the values of a histogram's label. What comes later is counted
// under "other".
const maxSeries = 2000

// A Histogram counts durations of what seldom happens, by the value of one label.
// Its methods may be called from anywhere; a nil one counts nothing.
type Histogram struct {
	name, help, label string

	mu     sync.Mutex // guards series
	series map[string]*distribution
}

type distribution struct {
	buckets []uint64
	sum     float64
}

// Histogram returns the histogram of a name, and makes it if need be. The name
// ends in "_seconds".
func (m *Metrics) Histogram(name, help, label string) *Histogram {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.histograms, func(h *Histogram) bool { return h.name == name }); i >= 0 {
		return m.histograms[i]
	}
	h := &Histogram{name: name, help: help, label: label, series: make(map[string]*distribution)}
	m.histograms = append(m.histograms, h)
	return h
}

// Observe counts a duration. One below 0, which clocks that differ may make, is 0.
func (h *Histogram) Observe(value string, d time.Duration) {
	if h == nil {
		return
	}
	seconds := max(d.Seconds(), 0)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.series[value]
	if s == nil && len(h.series) >= maxSeries {
		value = "other"
		s = h.series[value]
	}
	if s == nil {
		s = &distribution{buckets: make([]uint64, len(secondsBounds)+1)}
		h.series[value] = s
	}
	i, _ := slices.BinarySearch(secondsBounds, seconds)
	s.buckets[i]++
	s.sum += seconds
}

// collect returns what was counted, and whether anything was.
func (h *Histogram) collect(start, now time.Time) (metricdata.Metrics, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var points []metricdata.HistogramDataPoint[float64]
	for _, value := range slices.Sorted(maps.Keys(h.series)) {
		s := h.series[value]
		point := metricdata.HistogramDataPoint[float64]{
			Attributes: attribute.NewSet(attribute.String(h.label, text(value, 256))), StartTime: start, Time: now,
			Bounds: secondsBounds, BucketCounts: slices.Clone(s.buckets), Sum: s.sum,
		}
		for _, n := range s.buckets {
			point.Count += n
		}
		points = append(points, point)
	}
	return metricdata.Metrics{
		Name: h.name, Description: h.help, Unit: "s",
		Data: metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: points},
	}, len(points) > 0
}
