package telemetry

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

var _ metric.Producer = (*Metrics)(nil)

// Produce returns everything counted so far, all of it cumulative. An SDK
// reader calls it; it may be called concurrently.
func (m *Metrics) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	m.mu.Lock()
	routes := make([]*RouteMetrics, 0, len(m.routes)+1)
	for _, r := range m.routes {
		routes = append(routes, r)
	}
	instruments, histograms := slices.Clone(m.instruments), slices.Clone(m.histograms)
	m.mu.Unlock()
	slices.SortFunc(routes, func(a, b *RouteMetrics) int {
		return cmp.Or(cmp.Compare(a.key.route, b.key.route), cmp.Compare(a.key.migration, b.key.migration))
	})

	red := red{now: time.Now(), kinds: m.kinds.names()}
	for _, r := range append(routes, m.other) {
		red.route(r)
	}
	out := red.metrics()
	for _, in := range instruments {
		out = append(out, in.collect(m.start, red.now))
	}
	for _, h := range histograms {
		if collected, ok := h.collect(m.start, red.now); ok {
			out = append(out, collected)
		}
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: scopeName}, Metrics: out}}, nil
}

// red collects rate, errors and duration of all routes.
type red struct {
	now       time.Time
	kinds     []string
	requests  []metricdata.DataPoint[int64]
	durations []metricdata.HistogramDataPoint[float64]
	attempts  []metricdata.DataPoint[int64]
	errors    []metricdata.DataPoint[int64]
	fallbacks []metricdata.DataPoint[int64]
	journeys  []metricdata.DataPoint[int64]
	bytesIn   []metricdata.DataPoint[int64]
	bytesOut  []metricdata.DataPoint[int64]
}

func (p *red) metrics() []metricdata.Metrics {
	return slices.DeleteFunc([]metricdata.Metrics{
		counter("ficus_requests_total", "Requests finished, by class of the status sent.", p.requests),
		{
			Name:        "ficus_request_duration_seconds",
			Description: "Time from a request's header to the last byte of its answer, or to the switch of protocols.",
			Unit:        "s",
			Data:        metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: p.durations},
		},
		counter("ficus_request_errors_total", "Requests that the gateway could not bring to an answer, by kind of error.", p.errors),
		counter("ficus_upstream_attempts_total", "Requests sent to upstreams, repeated ones included.", p.attempts),
		counter("ficus_fallbacks_total", "Requests that the other side answered after a failure.", p.fallbacks),
		counter("ficus_broken_journeys_total", "Requests of people who were in the middle of something on the other side.", p.journeys),
		counter("ficus_request_bytes_total", "Bytes of the bodies of requests.", p.bytesIn),
		counter("ficus_response_bytes_total", "Bytes of the bodies of answers.", p.bytesOut),
	}, func(m metricdata.Metrics) bool { return len(p.requests) == 0 })
}

func counter(name, help string, points []metricdata.DataPoint[int64]) metricdata.Metrics {
	return metricdata.Metrics{Name: name, Description: help, Data: metricdata.Sum[int64]{
		Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: points,
	}}
}

func (p *red) route(r *RouteMetrics) {
	for i := range r.cells {
		for j := range r.cells[i] {
			if c := r.cells[i][j].Load(); c != nil {
				p.cell(r, c,
					attribute.String("route", text(r.key.route, 256)),
					attribute.String("migration", text(r.key.migration, 256)),
					attribute.String("side", string(sides[j])),
					attribute.String("stage", string(stages[i])))
			}
		}
	}
}

func (p *red) cell(r *RouteMetrics, c *cell, labels ...attribute.KeyValue) {
	point := func(n uint64, more ...attribute.KeyValue) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{
			Attributes: attribute.NewSet(append(slices.Clone(labels), more...)...),
			StartTime:  r.start, Time: p.now, Value: int64(n),
		}
	}
	for i := range c.classes {
		if n := c.classes[i].Load(); n > 0 {
			p.requests = append(p.requests, point(n, attribute.String("code_class", classes[i])))
		}
	}
	for i, kind := range p.kinds {
		if n := c.errors[i].Load(); n > 0 {
			p.errors = append(p.errors, point(n, attribute.String("kind", text(kind, 64))))
		}
	}
	if n := c.fallbacks.Load(); n > 0 {
		p.fallbacks = append(p.fallbacks, point(n))
	}
	if n := c.journeys.Load(); n > 0 {
		p.journeys = append(p.journeys, point(n))
	}
	attempts := point(c.attempts.Load())
	bytesIn, bytesOut := attempts, attempts
	bytesIn.Value, bytesOut.Value = int64(c.bytesIn.Load()), int64(c.bytesOut.Load())
	p.attempts = append(p.attempts, attempts)
	p.bytesIn = append(p.bytesIn, bytesIn)
	p.bytesOut = append(p.bytesOut, bytesOut)

	counts := make([]uint64, len(c.buckets))
	var count uint64
	for i := range c.buckets {
		counts[i] = c.buckets[i].Load()
		count += counts[i]
	}
	p.durations = append(p.durations, metricdata.HistogramDataPoint[float64]{
		Attributes: attempts.Attributes, StartTime: r.start, Time: p.now,
		Count: count, Bounds: bounds[:], BucketCounts: counts,
		Sum: float64(c.nanos.Load()) / float64(time.Second),
	})
}

// collect asks for the values of an instrument. Missing label values are
// empty, too many are dropped.
func (in *instrument) collect(start, now time.Time) metricdata.Metrics {
	var points []metricdata.DataPoint[float64]
	in.read(func(v float64, values ...string) {
		labels := make([]attribute.KeyValue, len(in.labels))
		for i, name := range in.labels {
			value := ""
			if i < len(values) {
				value = text(values[i], 256)
			}
			labels[i] = attribute.String(name, value)
		}
		points = append(points, metricdata.DataPoint[float64]{
			Attributes: attribute.NewSet(labels...), StartTime: start, Time: now, Value: v,
		})
	})
	out := metricdata.Metrics{Name: in.name, Description: in.help}
	if in.counter {
		out.Data = metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: points}
	} else {
		out.Data = metricdata.Gauge[float64]{DataPoints: points}
	}
	return out
}
