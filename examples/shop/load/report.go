package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// A Kind is a way to fail a customer.
type Kind string

// The kinds.
const (
	Transport   Kind = "transport" // no answer, or not all of it
	ServerError Kind = "5xx"
	Refused     Kind = "4xx"
	WrongBody   Kind = "wrong" // an answer, but not the right one
)

// A Report is what the customers have seen so far. It does not change.
type Report struct {
	Err       error // the load could not begin; all else is zero
	Started   time.Time
	Took      time.Duration
	Requests  int
	Fallbacks int // answered by the monolith in the service's place, as far as the gateway says so
	Failures  map[Kind]int
	Examples  []Failure // the first failures
	Latency   Latency   // of requests that were answered
	Routes    map[string]Route
	Trails    map[string]map[string][]Visit // of safe requests, by customer, then route
}

// A Route is what was seen of one route, "/api/orders/{id}".
type Route struct {
	Requests int
	Failures int
	Sides    map[string]int // answers by each application
	Latency  Latency
}

// Latency is from the request sent to the last byte of the answer, to 1 %.
type Latency struct{ P50, P90, P99, Max time.Duration }

// A Failure is one request that failed.
type Failure struct {
	Time     time.Time
	Customer string
	Route    string
	Side     string // that answered, if it is known
	Kind     Kind
	Text     string
}

// Snapshot returns the report as of now. It may be called at any time.
func (l *Load) Snapshot() *Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally
	r := &Report{
		Started:   l.started,
		Requests:  t.requests,
		Fallbacks: t.fallbacks,
		Failures:  maps.Clone(t.failures),
		Examples:  slices.Clone(t.examples),
		Latency:   latency(t.all),
		Routes:    make(map[string]Route, len(t.routes)),
		Trails:    make(map[string]map[string][]Visit, len(t.trails)),
	}
	if !l.started.IsZero() {
		r.Took = time.Since(l.started)
	}
	for name, route := range t.routes {
		r.Routes[name] = Route{route.requests, route.failures, maps.Clone(route.sides), latency(route.latency)}
	}
	for customer, trails := range t.trails {
		r.Trails[customer] = make(map[string][]Visit, len(trails))
		for route, trail := range trails {
			r.Trails[customer][route] = slices.Clone(trail)
		}
	}
	return r
}

func latency(s *ddsketch.DDSketch) Latency {
	at := func(q float64) time.Duration {
		seconds, err := s.GetValueAtQuantile(q)
		if err != nil {
			return 0 // nothing was counted
		}
		return time.Duration(seconds * float64(time.Second))
	}
	return Latency{at(0.5), at(0.9), at(0.99), at(1)}
}

// Failed returns how many requests failed, of all kinds.
func (r *Report) Failed() (n int) {
	for _, of := range r.Failures {
		n += of
	}
	return n
}

// String is the report in a few lines for people.
func (r *Report) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests in %v, %d failed", r.Requests, r.Took.Round(10*time.Millisecond), r.Failed())
	for _, kind := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(&b, ", %d %s", r.Failures[kind], kind)
	}
	fmt.Fprintf(&b, "; p50 %v, p90 %v, p99 %v\n", round(r.Latency.P50), round(r.Latency.P90), round(r.Latency.P99))
	for _, name := range slices.Sorted(maps.Keys(r.Routes)) {
		route := r.Routes[name]
		fmt.Fprintf(&b, "  %-18s %6d", name, route.Requests)
		for _, side := range slices.Sorted(maps.Keys(route.Sides)) {
			fmt.Fprintf(&b, "  %s %d", side, route.Sides[side])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
