package telemetry

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxRoutes bounds the routes that have series of their own. What comes later
// is counted under the route "other".
const maxRoutes = 2000

// Metrics holds what the gateway counts. Requests count on atomics of their
// own; [Metrics.Produce] reads them when somebody asks. It is an external
// producer of the OpenTelemetry SDK, so that one reader serves Prometheus and
// another pushes OTLP, under the same names: those of Prometheus.
type Metrics struct {
	start time.Time
	other *RouteMetrics // of routes beyond maxRoutes
	kinds kinds

	mu          sync.Mutex // guards what follows
	routes      map[routeKey]*RouteMetrics
	instruments []instrument
	histograms  []*Histogram
}

type routeKey struct{ route, migration string }

// NewMetrics returns metrics without routes.
func NewMetrics() *Metrics {
	m := &Metrics{start: time.Now(), routes: make(map[routeKey]*RouteMetrics)}
	m.other = &RouteMetrics{key: routeKey{route: "other"}, kinds: &m.kinds, start: m.start}
	return m
}

// Route returns the series of a route, and makes them if need be. It is for
// the time when a snapshot is compiled, not for requests. Migration is empty
// for a route without one. Beyond 2,000 routes, all share the series "other".
func (m *Metrics) Route(id, migration string) *RouteMetrics {
	key := routeKey{id, migration}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.routes[key]; r != nil {
		return r
	}
	if len(m.routes) >= maxRoutes {
		return m.other
	}
	r := &RouteMetrics{key: key, kinds: &m.kinds, start: time.Now()}
	m.routes[key] = r
	return r
}

// Forget drops the series of all routes for which gone reports true. It is
// for the time after a reload, so that routes that went away do not pile up;
// requests that still run on them are counted nowhere. A route that comes back
// begins at zero.
func (m *Metrics) Forget(gone func(id, migration string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.routes {
		if gone(key.route, key.migration) {
			delete(m.routes, key)
		}
	}
}

// Gauge registers a value that is read when metrics are collected. The name
// is Prometheus's: "ficus_in_flight_requests". Registering a name again
// replaces it. Read must not block for long and must not call m.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.Gauges(name, help, nil, func(emit func(float64, ...string)) { emit(read()) })
}

// Counter is as [Metrics.Gauge] for a value that never decreases; its name
// ends in "_total".
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.Counters(name, help, nil, func(emit func(float64, ...string)) { emit(read()) })
}

// Gauges registers values that differ in the values of labels. Read calls
// emit once for each, with as many label values as there are labels.
func (m *Metrics) Gauges(name, help string, labels []string, read func(emit func(v float64, values ...string))) {
	m.register(instrument{name: name, help: help, labels: labels, read: read})
}

// Counters is as [Metrics.Gauges] for values that never decrease.
func (m *Metrics) Counters(name, help string, labels []string, read func(emit func(v float64, values ...string))) {
	m.register(instrument{name: name, help: help, labels: labels, read: read, counter: true})
}

// An instrument is a metric that others keep and this package only asks for.
type instrument struct {
	name, help string
	labels     []string
	counter    bool
	read       func(emit func(v float64, values ...string))
}

func (m *Metrics) register(in instrument) {
	in.labels = slices.Clone(in.labels)
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.instruments, func(o instrument) bool { return o.name == in.name }); i >= 0 {
		m.instruments[i] = in
		return
	}
	m.instruments = append(m.instruments, in)
}

// maxKinds bounds the kinds of error that are told apart; the last is "other".
const maxKinds = 24

// kinds numbers the words for errors in the order in which they appear.
type kinds struct {
	known atomic.Pointer[[]string]
	mu    sync.Mutex // held while known is replaced
}

func (k *kinds) names() []string {
	if p := k.known.Load(); p != nil {
		return *p
	}
	return nil
}

func (k *kinds) index(kind string) int {
	if i := slices.Index(k.names(), kind); i >= 0 {
		return i
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	names := k.names()
	if i := slices.Index(names, kind); i >= 0 {
		return i
	}
	if len(names) == maxKinds-1 {
		kind = "other"
	}
	if len(names) == maxKinds {
		return maxKinds - 1
	}
	names = append(slices.Clone(names), kind)
	k.known.Store(&names)
	return len(names) - 1
}
