package web

import (
	"slices"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Flow is what was counted of the requests of one route on one side.
type Flow struct {
	Route, Migration string
	Side             migrations.Side // empty: the route has no migration
	Requests, Broken uint64
	Slow             []uint64 // requests by latency, one more than there are bounds
}

// The last five minutes are kept, in steps of two seconds.
const (
	sampleEvery = 2 * time.Second
	samples     = 150
	maxLatency  = 15  // latencies that are told apart
	maxTracks   = 500 // migrations whose counts are kept
)

// whole is the track of all requests, those without a migration among them.
const whole = ""

// sides of a sum.
const (
	legacy = 0
	modern = 1
)

// A sum is what was counted so far, by side.
type sum struct {
	requests, broken [2]uint64
	slow             [2][maxLatency]uint64
}

func (s *sum) add(side int, f Flow) {
	s.requests[side] += f.Requests
	s.broken[side] += f.Broken
	for i, n := range f.Slow[:min(len(f.Slow), maxLatency)] {
		s.slow[side][i] += n
	}
}

// A point is what was counted in one step.
type point struct {
	requests, broken [2]uint32
	slow             [2][maxLatency]uint32
}

// since returns what was counted after a sum. A route that went away takes its
// counts along, so that a sum may be less than it was.
func (s *sum) since(before *sum) (p point) {
	for side := range s.requests {
		p.requests[side] = grown(s.requests[side], before.requests[side])
		p.broken[side] = min(grown(s.broken[side], before.broken[side]), p.requests[side])
		for i := range s.slow[side] {
			p.slow[side][i] = grown(s.slow[side][i], before.slow[side][i])
		}
	}
	return p
}

func grown(now, before uint64) uint32 { return uint32(now - min(before, now)) }

// A track is the points of one migration, or of all: a ring.
type track struct {
	last   sum
	points [samples]point
	begun  int // sample with which it began
}

// series are the counts of the last minutes, sampled once for all who look.
type series struct {
	bounds []time.Duration

	mu     sync.Mutex // guards what follows; requests know nothing of it
	taken  int        // samples so far
	at     time.Time  // of the last one
	tracks map[string]*track
}

func newSeries(bounds []time.Duration) *series {
	return &series{bounds: bounds[:min(len(bounds), maxLatency-1)], tracks: map[string]*track{}}
}

// take adds one sample of all sums.
func (s *series) take(now time.Time, sums map[string]*sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := s.taken % samples
	for id, sum := range sums {
		t := s.tracks[id]
		if t == nil {
			if len(s.tracks) >= maxTracks {
				continue
			}
			t = &track{begun: s.taken, last: *sum} // what was before has no time
			s.tracks[id] = t
		}
		t.points[slot] = sum.since(&t.last)
		t.last = *sum
	}
	for id, t := range s.tracks {
		if sums[id] == nil {
			delete(s.tracks, id)
		} else if s.taken == t.begun {
			t.points[slot] = point{}
		}
	}
	s.taken++
	s.at = now
}

// A stretch is a copy of what a track holds, the oldest first. What was before
// the track began is left out.
type stretch struct {
	bounds []time.Duration
	points []point
}

// of returns the stretch of a migration, or of [whole].
func (s *series) of(id string) stretch {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := stretch{bounds: s.bounds}
	t := s.tracks[id]
	if t == nil {
		return out
	}
	from := max(s.taken-samples, t.begun+1, 0)
	for i := from; i < s.taken; i++ {
		out.points = append(out.points, t.points[i%samples])
	}
	return out
}

// last returns the newest points of a stretch, n at most.
func (s stretch) last(n int) stretch {
	s.points = s.points[max(0, len(s.points)-n):]
	return s
}

// A measure is what a stretch amounts to on one side.
type measure struct {
	Requests, Broken uint64
	Rate             float64 // requests a second
	Errors           float64 // share that broke, 0 to 1
	P50, P99         time.Duration
}

func (s stretch) measure(side int) (m measure) {
	var slow [maxLatency]uint64
	for i := range s.points {
		p := &s.points[i]
		m.Requests += uint64(p.requests[side])
		m.Broken += uint64(p.broken[side])
		for j, n := range p.slow[side] {
			slow[j] += uint64(n)
		}
	}
	if n := len(s.points); n > 0 {
		m.Rate = float64(m.Requests) / (float64(n) * sampleEvery.Seconds())
	}
	if m.Requests > 0 {
		m.Errors = float64(m.Broken) / float64(m.Requests)
	}
	m.P50, m.P99 = s.quantile(slow, 0.5), s.quantile(slow, 0.99)
	return m
}

// quantile reads a latency off the counts. Between two bounds it goes by the
// proportion, so that it is about right and no more.
func (s stretch) quantile(slow [maxLatency]uint64, q float64) time.Duration {
	total := uint64(0)
	for _, n := range slow {
		total += n
	}
	if total == 0 || len(s.bounds) == 0 {
		return 0
	}
	want := q * float64(total)
	below := 0.0
	for i, n := range slow {
		if below+float64(n) < want || n == 0 {
			below += float64(n)
			continue
		}
		low, high := time.Duration(0), s.bounds[len(s.bounds)-1]
		if i > 0 {
			low = s.bounds[min(i, len(s.bounds))-1]
		}
		if i < len(s.bounds) {
			high = s.bounds[i]
		}
		return low + time.Duration(float64(high-low)*(want-below)/float64(n))
	}
	return s.bounds[len(s.bounds)-1]
}

// sample takes a sample of everything.
func (p *Pages) sample() {
	sums := map[string]*sum{whole: {}}
	t := p.Table()
	for id := range t.Plans {
		sums[id] = new(sum)
	}
	if p.Flows != nil {
		old := monoliths(t)
		upstream := make(map[string]string, len(t.Routes))
		for _, r := range t.Routes {
			upstream[r.ID] = r.Upstream
		}
		p.Flows(func(f Flow) {
			side := legacy
			if f.Side == migrations.Modern || f.Side == "" && upstream[f.Route] != "" && !slices.Contains(old, upstream[f.Route]) {
				side = modern
			}
			sums[whole].add(side, f)
			if s := sums[f.Migration]; s != nil && f.Migration != whole {
				s.add(side, f)
			}
		})
	}
	p.series.take(p.Now(), sums)
}
