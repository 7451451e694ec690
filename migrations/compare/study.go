package compare

import "time"

// A Study is everything that is known about how the two sides of one
// migration compare: the endpoints, the noise, the findings and the latencies.
// It decides what is to be asked; somebody else asks. It has no clock and
// draws no random numbers of its own; its methods are not safe for concurrent
// use, but the profiles it hands out may be used by any number of
// comparisons.
//
// One observation goes like this: [Study.Endpoint] and [Study.Wants] when the
// request is sampled, [Compare] with the profile, [Probe] and [Recheck] if
// wanted, and [Study.Add].
type Study struct {
	Templates *Templates
	Noise     *Noise
	Findings  *Findings
	Requests  *Requests             // what some of the observations were like
	Latencies map[string]*Latencies // by endpoint

	probing Probing
	drifts  float64 // credit for drift checks
}

// NewStudy returns a Study that knows nothing.
func NewStudy(noise NoiseOptions, findings FindingsOptions) *Study {
	return &Study{
		Templates: NewTemplates(0), Noise: NewNoise(noise), Findings: NewFindings(findings), Requests: newRequests(findings.Seed), Latencies: map[string]*Latencies{},
	}
}

// Endpoint returns the endpoint that a request belongs to. Where the route
// gives a template, use that instead.
func (s *Study) Endpoint(method, path string) string {
	endpoint, absorbed := s.Templates.Endpoint(method, path)
	for _, old := range absorbed {
		for _, name := range [][2]string{{old, endpoint}, {FirstVisit(old), FirstVisit(endpoint)}} {
			s.Noise.Forget(name[0])
			s.Requests.rename(name[0], name[1], s.Findings)
			s.Findings.Rename(name[0], name[1])
			delete(s.Latencies, name[0])
		}
	}
	return endpoint
}

// Wants says whether the next observation of an endpoint is to be probed, and
// in which order; see [Probing.Wants]. Only repeatable routes may ask.
func (s *Study) Wants(endpoint string, draw, order float64) (probe, candidateFirst bool) {
	return s.probing.Wants(s.Noise, endpoint, draw, order)
}

// Shares of the observations that may be asked again, over time and at once.
const (
	driftShare  = 0.05
	driftAtMost = 100
)

// WantsRecheck says whether a mismatch is to be confirmed by asking both
// sides again, in an order drawn at random. Only repeatable routes may ask.
func (s *Study) WantsRecheck(r *Result) bool {
	return r.Unaccepted() > 0 && s.drifts > -driftAtMost
}

// Add takes an observation in, and returns what it proved and the finding
// that had to go to make room, if any.
func (s *Study) Add(o *Observation) (proved []Discovery, evicted *Finding) {
	s.drifts = min(s.drifts+driftShare, 0)
	proved = s.Noise.Observe(o.Endpoint, &o.Result)
	if o.Probe != nil {
		proved = append(proved, s.Noise.Learn(o.Endpoint, &o.Result, o.Probe)...)
	}
	if o.Drift != nil {
		s.drifts--
		proved = append(proved, s.Noise.Recheck(o.Endpoint, o.Drift)...)
	}
	for _, d := range proved {
		s.Findings.Confirm(d)
	}
	found, evicted := s.Findings.Observe(o)
	s.Requests.observe(o, found)
	if evicted != nil {
		delete(s.Requests.differing, evicted.ID)
	}
	if o.ControlTook > 0 && o.CandidateTook > 0 {
		l := s.Latencies[o.Endpoint]
		if l == nil {
			l = NewLatencies()
			s.Latencies[o.Endpoint] = l
		}
		l.Add(o.ControlTook, o.CandidateTook)
	}
	return proved, evicted
}

// Fix marks a finding as fixed, and begins to test its paths anew, so that it
// has to be proved again before it is said to have come back.
func (s *Study) Fix(id, note string, now time.Time) error {
	if err := s.Findings.Fix(id, note, now); err != nil {
		return err
	}
	g, err := s.Findings.Get(id)
	if err != nil {
		return err
	}
	s.retest(g)
	return nil
}

// Sweep is [Findings.Sweep], and begins to test anew what it took for fixed.
func (s *Study) Sweep(now time.Time, retention time.Duration) (fixed []*Finding) {
	fixed = s.Findings.Sweep(now, retention)
	s.Requests.sweep(now, retention)
	for _, g := range fixed {
		s.retest(g)
	}
	return fixed
}

func (s *Study) retest(g *Finding) {
	for _, sign := range g.Signs {
		s.Noise.Restart(g.Endpoint, sign.Path)
	}
}
