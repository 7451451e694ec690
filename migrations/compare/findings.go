package compare

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// An Observation is one comparison, with what is stored of it.
type Observation struct {
	Endpoint       string
	Target         string // path and query that were asked for, without what is secret in it
	Time           time.Time
	Result         Result
	Probe          *Result // of the control with itself, if it was probed
	Drift          *Drift  // if both sides were asked again
	Repeatable     bool    // the route may be asked twice; if not, findings need no proof
	Key            Mark    // [Rules.Mark] of the targeting key
	Control        string  // side that the control is: "legacy" or "modern"
	ControlTrace   string  // ids of the traces of the two requests
	CandidateTrace string
	Network        uint32  // hash of the client's network; 0: not known
	Request        Request // what the request was like; zero: not known
	Size           int64   // of both bodies
	ControlTook    time.Duration
	CandidateTook  time.Duration
}

// Findings aggregates mismatches, in bounded memory. It is a state machine
// without a clock; not safe for concurrent use.
type Findings struct {
	most      int
	sample    int
	byID      map[string]*Finding
	endpoints map[string]*tallied
	random    *rand.Rand
	lost      int
}

// tallied is what is counted of an endpoint.
type tallied struct {
	Observed   int             `json:"observed"`
	Mismatched int             `json:"mismatched"`
	Races      int             `json:"races,omitempty"`
	Confirmed  map[string]bool `json:"confirmed,omitempty"`
}

// FindingsOptions of [NewFindings].
type FindingsOptions struct {
	Most   int    // findings kept; zero: 1,024
	Sample int    // examples drawn per finding, beside the smallest, first and last; zero: 4
	Seed   uint64 // of the draw
}

// NewFindings returns an empty aggregate.
func NewFindings(o FindingsOptions) *Findings {
	if o.Most <= 0 {
		o.Most = 1024
	}
	if o.Sample <= 0 {
		o.Sample = 4
	}
	return &Findings{
		most: o.Most, sample: o.Sample, byID: map[string]*Finding{}, endpoints: map[string]*tallied{},
		random: rand.New(rand.NewPCG(o.Seed, 0x5eed)),
	}
}

func (f *Findings) at(endpoint string) *tallied {
	t := f.endpoints[endpoint]
	if t == nil {
		t = &tallied{}
		f.endpoints[endpoint] = t
	}
	return t
}

// Observe counts an observation. It returns the finding it belongs to, or nil
// if it is none, and what had to go to make room, to be spilled.
func (f *Findings) Observe(o *Observation) (found, evicted *Finding) {
	t := f.at(o.Endpoint)
	t.Observed++
	signs := signsOf(&o.Result)
	if len(signs) == 0 {
		return nil, nil
	}
	t.Mismatched++
	race := o.Drift.Race()
	if race {
		t.Races++
	}
	id := findingID(o.Endpoint, signs)
	g := f.byID[id]
	if g == nil {
		if len(f.byID) >= f.most {
			evicted = f.evict(o.Time)
		}
		g = &Finding{ID: id, Endpoint: o.Endpoint, Signs: signs, State: Suspected, First: o.Time, since: t.Observed - 1}
		f.byID[id] = g
	}
	g.Count++
	g.meets(o.Network, false)
	g.Last = o.Time
	g.seen = t.Observed
	if race {
		g.Races++
	}
	for i := range o.Result.Differences {
		if d := &o.Result.Differences[i]; !d.Accepted() {
			g.Gap = max(g.Gap, d.Gap)
		}
	}
	f.example(g, o)
	f.advance(g, t, o)
	return g, evicted
}

// advance moves a finding that was seen from one state to the next.
func (f *Findings) advance(g *Finding, t *tallied, o *Observation) {
	switch {
	case g.State == Suspected && !o.Repeatable:
		g.State, g.Unlearned = Open, true
	case g.State == Suspected && confirms(t.Confirmed, g.Signs):
		g.State = Open
	case g.State == Fixed && (!o.Repeatable || confirms(t.Confirmed, g.Signs)):
		g.State, g.RegressedAt = Open, o.Time
	case g.State == Muted && !o.Time.Before(g.Until):
		g.State = Open
	}
}

func confirms(paths map[string]bool, signs []Sign) bool {
	return slices.ContainsFunc(signs, func(s Sign) bool { return paths[s.Path] })
}

func (f *Findings) example(g *Finding, o *Observation) {
	e := newExample(o)
	if g.Begin == nil {
		g.Begin = &e
	}
	g.Latest = &e
	if g.Smallest == nil || e.Size < g.Smallest.Size {
		g.Smallest = &e
	}
	g.Drawn++
	if len(g.Sample) < f.sample {
		g.Sample = append(g.Sample, e)
	} else if i := f.random.IntN(g.Drawn); i < f.sample {
		g.Sample[i] = e
	}
}

// evict takes out what is least worth keeping: fixed before suspected before
// the rest, and of those the lowest rank.
func (f *Findings) evict(now time.Time) *Finding {
	order := map[State]int{Fixed: 0, Suspected: 1, Muted: 2, Open: 3, Acknowledged: 3}
	var worst *Finding
	for _, g := range f.byID {
		if worst == nil || cmp.Or(cmp.Compare(order[g.State], order[worst.State]), cmp.Compare(g.Rank(now), worst.Rank(now)), cmp.Compare(g.ID, worst.ID)) < 0 {
			worst = g
		}
	}
	delete(f.byID, worst.ID)
	f.lost++
	return f.settle(worst)
}

// settle fills in what is derived.
func (f *Findings) settle(g *Finding) *Finding {
	g.Of = max(g.Count, f.at(g.Endpoint).Observed-g.since)
	return g
}

// Confirm opens the findings of a path that was proved to differ, and those
// that will come.
func (f *Findings) Confirm(d Discovery) {
	t := f.at(d.Endpoint)
	if t.Confirmed == nil {
		t.Confirmed = map[string]bool{}
	}
	t.Confirmed[d.Path] = true
	for _, g := range f.byID {
		if g.Endpoint == d.Endpoint && g.State == Suspected && confirms(t.Confirmed, g.Signs) {
			g.State = Open
		}
	}
}

// All returns every finding, the highest rank first. They belong to the
// aggregate: read, don't keep.
func (f *Findings) All(now time.Time) []*Finding {
	list := make([]*Finding, 0, len(f.byID))
	for _, g := range f.byID {
		list = append(list, f.settle(g))
	}
	slices.SortFunc(list, func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(b.Rank(now), a.Rank(now)), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Real returns the findings that people should see, the highest rank first.
// One that another explains is left out.
func (f *Findings) Real(now time.Time) []*Finding {
	list := slices.DeleteFunc(f.All(now), func(g *Finding) bool { return !g.Real(now) })
	shown := slices.Clone(list)
	return slices.DeleteFunc(list, func(g *Finding) bool {
		return slices.ContainsFunc(shown, func(h *Finding) bool { return f.explains(h, g) })
	})
}

// explains says whether g is h with some noise beside it: it has all signs of
// h and more, but none that was proved.
func (f *Findings) explains(h, g *Finding) bool {
	if h.Endpoint != g.Endpoint || len(h.Signs) >= len(g.Signs) || h.Unlearned || g.Unlearned {
		return false
	}
	proved := f.at(g.Endpoint).Confirmed
	for _, s := range h.Signs {
		if !slices.Contains(g.Signs, s) {
			return false
		}
	}
	return !slices.ContainsFunc(g.Signs, func(s Sign) bool { return proved[s.Path] && !slices.Contains(h.Signs, s) })
}

// Get returns a finding by its id, or an error that says that there is none.
func (f *Findings) Get(id string) (*Finding, error) {
	if g := f.byID[id]; g != nil {
		return f.settle(g), nil
	}
	return nil, fmt.Errorf("no finding %q", id)
}

// Lost is how many findings had to go for want of room.
func (f *Findings) Lost() int { return f.lost }

// Races counts, for an endpoint, the mismatches that went away when both
// sides were asked again.
func (f *Findings) Races(endpoint string) int { return f.at(endpoint).Races }
