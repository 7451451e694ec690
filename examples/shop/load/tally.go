package load

import (
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// A tally is what has been counted. Its load's lock guards it.
type tally struct {
	requests  int
	fallbacks int
	failures  map[Kind]int
	examples  []Failure
	routes    map[string]*routeTally
	all       *ddsketch.DDSketch            // seconds
	trails    map[string]map[string][]Visit // by customer, then route
}

type routeTally struct {
	requests int
	failures int
	sides    map[string]int
	latency  *ddsketch.DDSketch // seconds
}

func newTally() *tally {
	return &tally{
		failures: make(map[Kind]int),
		routes:   make(map[string]*routeTally),
		all:      newSketch(),
		trails:   make(map[string]map[string][]Visit),
	}
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.NewDefaultDDSketch(0.01)
	if err != nil {
		panic(err) // only for an accuracy that is not between 0 and 1
	}
	return s
}

// count counts a request that was answered, or was not.
func (l *Load) count(customer string, a answer, start time.Time, took time.Duration, safe bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally
	t.requests++
	r := t.routes[a.route]
	if r == nil {
		r = &routeTally{sides: make(map[string]int), latency: newSketch()}
		t.routes[a.route] = r
	}
	r.requests++
	if a.header.Get("Ficus-Fallback") != "" {
		t.fallbacks++
	}
	if a.err == nil {
		t.all.Add(took.Seconds()) // fails only for what is no duration
		r.latency.Add(took.Seconds())
	}
	side := a.side()
	if side == "" {
		return
	}
	r.sides[side]++
	if safe {
		trails := t.trails[customer]
		if trails == nil {
			trails = make(map[string][]Visit)
			t.trails[customer] = trails
		}
		trails[a.route] = follow(trails[a.route], side, start, start.Add(took))
	}
}

// fail counts what was wrong with a request that has been counted.
func (l *Load) fail(customer string, a answer, kind Kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally
	t.failures[kind]++
	t.routes[a.route].failures++
	const enough = 20
	if len(t.examples) < enough {
		t.examples = append(t.examples, Failure{time.Now(), customer, a.route, a.header.Get(shop.ServedBy), kind, text})
	}
}
