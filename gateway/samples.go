package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Bounds of the samples of one test of one cell.
const (
	ringSize    = 256 // bad requests, and as many good ones
	ringNetwork = 64  // of them, of one network: one party must not crowd out all others
)

// sampled are the samples of a migration.
type sampled struct {
	mu        sync.Mutex          // of those who ask, and of compiling a snapshot; never of a request
	cells     map[string]*samples // by name of the cell
	templates *compare.Templates  // nil: nobody has asked yet
}

// of returns the samples of the present test of a cell.
func (s *sampled) of(cell string, test uint64) *samples {
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.cells[cell]
	if have == nil || have.test != test {
		have = &samples{test: test}
		if s.cells == nil {
			s.cells = make(map[string]*samples)
		}
		s.cells[cell] = have
	}
	return have
}

// samples are what is kept of one test: requests on the service, comparisons,
// and requests on the monolith, the latest bad ones of each and some of the good
// ones to hold them against.
type samples struct {
	test     uint64
	requests rings
	compared rings
	control  rings
}

// rings are samples by whether they are bad.
type rings struct {
	_        [56]byte
	seenGood atomic.Uint64 // on a cache line of its own: every good request counts it
	wanted   atomic.Int32  // good requests that are to be held against bad ones of the same time
	_        [56]byte
	seenBad  atomic.Uint64

	mu        sync.Mutex // guards what follows; held to put one sample, or to copy all
	bad, good ring
}

// due reports whether a request that is bad or good is to be kept, and for how
// many it stands; 0: it is not.
func (r *rings) due(bad bool) uint64 {
	if bad {
		n := due(&r.seenBad, ringSize, 8, 8)
		if n > 0 && r.wanted.Load() < 8 {
			r.wanted.Add(2)
		}
		return n
	}
	n := due(&r.seenGood, 64, 16, 64)
	if n == 0 && r.wanted.Load() > 0 {
		r.wanted.Add(-1)
		return 2
	}
	return n
}

// beside is due of a request of the monolith: good ones are kept only beside
// bad ones of the same time, and not counted.
func (r *rings) beside(bad bool) uint64 {
	switch {
	case bad:
		return r.due(true)
	case r.wanted.Load() > 0:
		r.wanted.Add(-1)
		return 2
	}
	return 0
}

func (r *rings) put(x sample) {
	x.goods = r.seenGood.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.bad {
		r.bad.put(x)
	} else {
		r.good.put(x)
	}
}

// due reports whether the next request is sampled, and for how many it stands;
// 0: it is not. All of the first are, then ever fewer, spread evenly by the
// golden ratio, so that no rhythm of the traffic meets that of the sampling.
func due(seen *atomic.Uint64, all uint64, often, later uint64) uint64 {
	n := seen.Add(1)
	stride := often
	switch {
	case n <= all:
		return 1
	case n > 8192:
		stride = later
	}
	if n*0x9e3779b97f4a7c15 <= ^uint64(0)/stride {
		return stride
	}
	return 0
}

// A ring keeps the latest samples, but of one network a few only.
type ring struct {
	samples  []sample
	networks [ringSize]uint64 // of the samples, apart from them so that a search is quick
	times    [ringSize]int64
}

func (g *ring) put(s sample) {
	oldest, own, of := 0, -1, 0
	for i := range g.samples {
		if g.times[i] < g.times[oldest] {
			oldest = i
		}
		if g.networks[i] == s.network {
			if of++; own < 0 || g.times[i] < g.times[own] {
				own = i
			}
		}
	}
	i := oldest
	switch {
	case of >= ringNetwork:
		i = own
	case len(g.samples) < ringSize:
		i = len(g.samples)
		g.samples = append(g.samples, sample{})
	}
	g.samples[i], g.networks[i], g.times[i] = s, s.network, s.at
}

// A sample is one request as it is kept for a while in memory.
type sample struct {
	user     uint64 // salted hash of its key, or its network
	network  uint64
	at       int64 // Unix nanoseconds
	weight   uint64
	goods    uint64 // good requests of the cell by then
	bad      bool
	outcome  string // of a bad one, for people
	method   string
	route    string // id
	pattern  string // of its path
	cohort   string
	cell     string // by name; said when somebody asks
	upstream string
	status   int
	trace    trace.TraceID
	failed   bool           // it failed or was slow
	class    evidence.Class // of its outcome
	packed   string         // its features, and then its path
	features int            // bytes of packed that are features
}

// sampleFeatures keeps what a finished request is like: on the service of every
// bad one, until there are many, and of few good ones; on the monolith of those
// that failed, and of a few of the same time.
func (rec *record) sampleFeatures(r *http.Request, f facts) {
	c := rec.cell
	if c == nil || c.samples == nil {
		return
	}
	if f == 0 || f&inVain != 0 {
		return // it says nothing of the side that was asked
	}
	if rec.Side != migrations.Modern {
		bad := f.failure() // slow ones hold nothing
		if n := c.samples.control.beside(bad); n > 0 {
			x := rec.sample(r, n)
			if bad {
				x.bad, x.failed, x.class, x.outcome = true, true, rec.class, outcomeText(f, rec.class, x.status)
			}
			c.samples.control.put(x)
		}
		return
	}
	bad := f.bad() || rec.class != evidence.ClassOK
	n := c.samples.requests.due(bad)
	if n == 0 {
		return
	}
	x := rec.sample(r, n)
	if bad {
		x.bad, x.failed, x.class, x.outcome = true, f.bad(), rec.class, outcomeText(f, rec.class, x.status)
	}
	c.samples.requests.put(x)
}

// compare keeps what a compared request is like, once it is known what became
// of the comparison.
func (s *samples) compare(x sample, v shadow.Verdict) {
	x.bad, x.at = true, time.Now().UnixNano()
	if v.Status != 0 || v.Upstream != "" { // of the service, which was not asked yet when the request was described
		x.status, x.upstream = v.Status, v.Upstream
	}
	switch v.Outcome {
	case compare.Match:
		x.bad = false
	case compare.Mismatch:
		x.outcome = "would get another answer"
	case compare.Failed:
		x.outcome = "would get no good answer"
	case compare.TimedOut:
		x.outcome = "would wait in vain"
	default:
		return // it was not compared
	}
	if x.weight = s.compared.due(x.bad); x.weight > 0 {
		s.compared.put(x)
	}
}

var featureBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

func (rec *record) sample(r *http.Request, weight uint64) sample {
	buf := featureBuffers.Get().(*[]byte)
	defer featureBuffers.Put(buf)
	b := appendFeatures((*buf)[:0], r, rec.body.n, rec.Scheme)
	n := len(b)
	b = append(b, r.URL.Path[:min(len(r.URL.Path), maxPathBytes)]...)
	*buf = b
	high, low := network(rec.peer.client)
	s := sample{
		user: uint64(rec.evidenceKey()), network: high*0x9e3779b97f4a7c15 ^ low, at: rec.Start.Add(rec.Total).UnixNano(), weight: weight,
		method: methodOf(r.Method), route: rec.route.ID, pattern: rec.route.Match.Path, cohort: rec.Cohort, upstream: rec.firstEndpoint, status: rec.firstStatus,
		trace: rec.trace.SpanContext().TraceID(), packed: string(b), features: n,
	}
	if s.user == 0 {
		s.user = s.network | 1
	}
	return s
}

// outcomeText says what the users of bad requests met, after "users".
func outcomeText(f facts, class evidence.Class, status int) string {
	text := ""
	switch {
	case class == evidence.ClassGRPC:
		return "had a gRPC call rejected"
	case f&timedOut != 0:
		text = "a timeout"
	case f&failed == 0 && (status == 0 || status < 300):
		return "waited too long"
	case status == 0:
		text = "no answer"
	case status >= 300:
		text = "status " + strconv.Itoa(status)
	default:
		text = "a broken answer"
	}
	if f&healed != 0 {
		return "met " + text + " before the monolith answered"
	}
	return "got " + text
}

// methodOf is a method without the request line that it was cut out of.
func methodOf(method string) string {
	switch method {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodPost:
		return http.MethodPost
	}
	return strings.Clone(method[:min(len(method), 16)])
}
