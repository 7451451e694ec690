package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Noise learns how the control differs from itself, and from that says which
// differences of the candidate are real. It is a state machine without a
// clock; its methods are not safe for concurrent use, the profiles are.
type Noise struct {
	alpha      float64
	paths      int // per endpoint
	registered int // paths ever registered
	endpoints  map[string]*endpointNoise
}

type endpointNoise struct {
	Observed  int                  `json:"observed"`
	Probes    int                  `json:"probes"`
	Overflow  int                  `json:"overflow,omitempty"` // differences at paths beyond the limit
	Suspicion int                  `json:"suspicion,omitempty"`
	Paths     map[string]*evidence `json:"paths"`

	profile *Profile // nil: to be made
}

// NoiseOptions of [NewNoise].
type NoiseOptions struct {
	Alpha float64 // bound on the share of false ones among the paths confirmed, and on the chance of any when nothing is wrong; zero: 0.01
	Paths int     // templates per endpoint, beyond which there is one row for all; zero: 1,024
}

// NewNoise returns a Noise that knows nothing.
func NewNoise(o NoiseOptions) *Noise {
	if o.Alpha <= 0 {
		o.Alpha = 0.01
	}
	if o.Paths <= 0 {
		o.Paths = 1024
	}
	return &Noise{alpha: o.Alpha, paths: o.Paths, endpoints: map[string]*endpointNoise{}}
}

// Overflow is the path under which the templates beyond an endpoint's limit
// are counted together.
const Overflow = "…"

// failing is the row of the direct test of failures; it is not a path of any
// answer. What it confirms is reported as [Status].
const failing = "(failing)"

// A Discovery is a path at which the candidate was found to differ more than
// the control differs from itself.
type Discovery struct {
	Endpoint string  `json:"endpoint"`
	Path     string  `json:"path"`
	E        float64 `json:"e"`    // evidence, before its share of α
	Rank     int     `json:"rank"` // the share of α is that of this rank …
	Test     int     `json:"test"` // … and test
	Worse    uint32  `json:"worse"`
	Better   uint32  `json:"better"` // pairs, at the level that says most
}

func (n *Noise) at(endpoint string) *endpointNoise {
	e := n.endpoints[endpoint]
	if e == nil {
		e = &endpointNoise{Paths: map[string]*evidence{}}
		n.endpoints[endpoint] = e
	}
	return e
}

// row returns the evidence of a path, registering it if it is new.
func (n *Noise) row(e *endpointNoise, path string) *evidence {
	if r := e.Paths[path]; r != nil {
		return r
	}
	if len(e.Paths) >= n.paths && path != failing {
		e.Overflow++
		if path = Overflow; e.Paths[path] != nil {
			return e.Paths[path]
		}
	}
	n.registered++
	r := &evidence{Path: path, Rank: n.registered, Test: 1, Seen: uint32(min(e.Probes, forget/2))}
	r.score = logWeight(r.Rank, 1)
	e.Paths[path] = r
	e.profile = nil
	return r
}

// Profile returns what is known about an endpoint, for [Compare] and [Probe].
func (n *Noise) Profile(endpoint string) *Profile {
	e := n.at(endpoint)
	if e.profile != nil {
		return e.profile
	}
	p := &Profile{probes: e.Probes, levels: make(map[string]Level, len(e.Paths)), tracked: newTracked()}
	for _, path := range slices.Sorted(maps.Keys(e.Paths)) {
		r := e.Paths[path]
		if path == failing {
			continue
		}
		p.tracked.add(path, int32(len(p.paths)))
		p.paths = append(p.paths, path)
		if e.Probes > 0 {
			if l := r.level(); l > Exact || r.Seen >= learnedAfter {
				p.levels[path] = l
			}
		}
	}
	if len(p.paths) == 0 {
		p.tracked = nil
	}
	e.profile = p
	return p
}

// Observe counts a comparison of control and candidate, probed or not. Of
// failures no probe is needed: which of the two sides failed, if only one did,
// is a fair coin if the candidate is as good.
func (n *Noise) Observe(endpoint string, r *Result) []Discovery {
	e := n.at(endpoint)
	e.Observed++
	if e.Suspicion > 0 {
		e.Suspicion--
	}
	if r.Outcome == Mismatch {
		e.Suspicion = suspicionLasts
	}
	if r.failing == 0 {
		return nil
	}
	row := n.row(e, failing)
	var s [levels]int8
	for l := range s {
		s[l] = r.failing
	}
	row.bet(s)
	return n.confirm(endpoint, row)
}

// suspicionLasts is for how many observations an endpoint is probed more
// often after a mismatch.
const suspicionLasts = 50

// Learn takes a probed observation: the control's first answer against the
// candidate's, and against the control's second. The order in which the two
// were asked must have been drawn at random, or the test is not valid.
func (n *Noise) Learn(endpoint string, candidate, control *Result) []Discovery {
	return n.learn(endpoint, candidate.agreement(), control.agreement(), control.present)
}

// learn takes agreements by path; what is not in them agrees exactly. Without
// a list of what is present, all paths are taken to be.
func (n *Noise) learn(endpoint string, candidate, control map[string]Level, present []string) []Discovery {
	e := n.at(endpoint)
	// Sorted, so that registering them doesn't depend on which side differs.
	fresh := make([]string, 0, 8)
	for path := range control {
		if e.Paths[path] == nil {
			fresh = append(fresh, path)
		}
	}
	for path := range candidate {
		if _, both := control[path]; !both && e.Paths[path] == nil {
			fresh = append(fresh, path)
		}
	}
	slices.Sort(fresh)
	there := make(map[string]bool, len(present))
	for _, path := range present {
		there[path] = true
	}
	for _, path := range fresh {
		n.row(e, path)
	}
	e.Probes++
	var touched []*evidence
	for path, r := range e.Paths {
		if path == failing || path == Overflow {
			continue
		}
		apart, differs := control[path]
		if differs || present == nil || there[path] || path[0] != '$' {
			r.learn(apart)
		}
		if r.bet(signs(candidate[path], apart)) {
			touched = append(touched, r)
		}
	}
	n.learnOverflow(e, candidate, control)
	if e.Probes < 64 || e.Probes%16 == 0 {
		e.profile = nil
	}
	return n.confirm(endpoint, touched...)
}

// learnOverflow counts the paths that have no row of their own as one.
func (n *Noise) learnOverflow(e *endpointNoise, candidate, control map[string]Level) {
	r := e.Paths[Overflow]
	if r == nil {
		return
	}
	var a, b Level
	for path, l := range candidate {
		if e.Paths[path] == nil {
			a = max(a, l)
		}
	}
	for path, l := range control {
		if e.Paths[path] == nil {
			b = max(b, l)
		}
	}
	r.learn(b)
	r.bet(signs(a, b))
}

// Recheck takes the coins of a drift check.
func (n *Noise) Recheck(endpoint string, d *Drift) []Discovery {
	e := n.at(endpoint)
	var touched []*evidence
	for _, c := range d.Coins {
		if r := n.row(e, c.Path); r.bet(c.Signs) {
			touched = append(touched, r)
		}
	}
	return n.confirm(endpoint, touched...)
}

// confirm says which of the rows that have changed are now beyond doubt, by
// the e-BH procedure over all paths of all endpoints: the k strongest are
// confirmed if the weakest of them has weight × E ≥ 1/(αk). If nothing is
// wrong anywhere, the chance of ever confirming anything is at most α, since
// the sum of all weight × E is a supermartingale that begins below 1.
func (n *Noise) confirm(endpoint string, touched ...*evidence) []Discovery {
	touched = slices.DeleteFunc(touched, func(r *evidence) bool { return r.score <= 0 || r.Confirmed })
	if len(touched) == 0 {
		return nil
	}
	bar := n.bar()
	var found []Discovery
	slices.SortFunc(touched, func(a, b *evidence) int { return cmp.Compare(a.Path, b.Path) })
	for _, r := range touched {
		if r.score < bar {
			continue
		}
		r.Confirmed = true
		d := Discovery{Endpoint: endpoint, Path: r.Path, E: math.Exp(r.log()), Rank: r.Rank, Test: r.Test}
		if d.Path == failing {
			d.Path = Status
		}
		for _, b := range r.Bets {
			if b.Log(Stake) >= (Bet{d.Worse, d.Better}).Log(Stake) {
				d.Worse, d.Better = b.Worse, b.Better
			}
		}
		found = append(found, d)
	}
	return found
}

// bar is the score that a path needs now.
func (n *Noise) bar() float64 {
	var scores []float64
	for _, e := range n.endpoints {
		for _, r := range e.Paths {
			if r.score > 0 {
				scores = append(scores, r.score)
			}
		}
	}
	slices.Sort(scores)
	slices.Reverse(scores)
	for k := len(scores); k > 0; k-- {
		if t := -math.Log(n.alpha * float64(k)); scores[k-1] >= t {
			return t
		}
	}
	return math.Inf(1)
}

// Confirmed says whether the path has been found to differ.
func (n *Noise) Confirmed(endpoint, path string) bool {
	e := n.endpoints[endpoint]
	if e == nil {
		return false
	}
	if r := e.Paths[failing]; path == Status && r != nil && r.Confirmed {
		return true
	}
	r := e.Paths[path]
	return r != nil && r.Confirmed
}

// Restart begins a new test at a path: after a fix, or a new version of the
// candidate, what came before says nothing. An empty path means all.
func (n *Noise) Restart(endpoint, path string) {
	e := n.endpoints[endpoint]
	if e == nil {
		return
	}
	for p, r := range e.Paths {
		if path == "" || p == path || path == Status && p == failing {
			r.restart()
		}
	}
}

// Forget drops an endpoint, which was absorbed by a wider template.
func (n *Noise) Forget(endpoint string) { delete(n.endpoints, endpoint) }
