package evidence

import (
	"cmp"
	"maps"
	"slices"
)

const (
	// MostEndpoints is the number of endpoints that a gateway counts apart in one
	// cell; what comes beyond them counts as [OtherEndpoint].
	MostEndpoints = 32
	// endpointShares is what the weight of the endpoints in a record is divided by:
	// the number of endpoints that several gateways may come to together. It is
	// fixed, so that the weights are known before the test.
	endpointShares = 2 * MostEndpoints
	// endpointVotes is the number of keys of a metric that one endpoint takes in;
	// then its evidence stays as it is.
	endpointVotes = 512
)

// OtherEndpoint stands for the endpoints beyond [MostEndpoints].
const OtherEndpoint = "(other)"

// An Endpoint is what was counted of one method and path template in a test,
// of keys that their hash placed.
type Endpoint struct {
	Requests [2]ByGroup       `json:"requests,omitzero"` // by side and group of client networks
	Clean    ByGroup          `json:"clean,omitzero"`    // on the service, without a bad event
	Failed   [2]ByGroup       `json:"failed,omitzero"`   // answers that are not OK, and those that never came, by side
	Classes  [2]ByClass       `json:"classes,omitzero"`  // by side
	Compared ByGroup          `json:"compared,omitzero"` // comparisons
	Differed ByGroup          `json:"differed,omitzero"` // comparisons in which the service differed or failed
	Bad      map[Metric]*Keys `json:"bad,omitempty"`     // keys by their first bad event here, at most one per metric
	Asked    bool             `json:"asked,omitempty"`   // the service was asked here in an earlier test of the ramp
	Before   uint64           `json:"before,omitempty"`  // requests here in the test before
}

// vote counts a key of a metric.
func (e *Endpoint) vote(m Metric, v Vote) {
	keys := e.Bad[m]
	if keys == nil {
		if e.Bad == nil {
			e.Bad = make(map[Metric]*Keys)
		}
		keys = new(Keys)
		e.Bad[m] = keys
	}
	if keys.Len() < endpointVotes {
		keys.Vote(v)
	}
}

// Answer counts a key by its first answer here. When as many keys were answered
// well as are told apart, no more are counted: whether another answer is a first
// one is not known then.
func (e *Endpoint) Answer(ok bool, v Vote) {
	bad, good := e.Bad[Harm], e.Bad[harmless]
	if bad != nil && bad.Has(v.Key) || good != nil && (good.Has(v.Key) || good.Len() >= endpointVotes) {
		return
	}
	if ok {
		e.vote(harmless, v)
	} else {
		e.vote(Harm, v)
	}
}

// Answers returns the keys by side whose first answer here was OK, and those
// whose was not. Where clients of several networks are known, the network that
// adds most of the bad ones to the service is left out on that side, and that
// which adds most to the monolith on that.
func (e *Endpoint) Answers(several bool) (good, bad Sides) {
	if keys := e.Bad[harmless]; keys != nil {
		good = keys.Total()
	}
	keys := e.Bad[Harm]
	if keys == nil {
		return good, bad
	}
	if bad = keys.Total(); !several {
		return good, bad
	}
	var worst Sides
	for _, n := range keys.ByNetwork() {
		for side := range worst {
			worst[side] = max(worst[side], n[side])
		}
	}
	for side := range bad {
		bad[side] -= worst[side]
	}
	return good, bad
}

// At returns the endpoint of a name, made if there is room, else that of the
// rest.
func (c *Cell) At(name string) *Endpoint {
	if e := c.Endpoints[name]; e != nil {
		return e
	}
	if c.Endpoints == nil {
		c.Endpoints = make(map[string]*Endpoint)
	}
	if len(c.Endpoints) >= MostEndpoints-1 && !c.evict() {
		name = OtherEndpoint
		if e := c.Endpoints[name]; e != nil {
			return e
		}
	}
	e := new(Endpoint)
	c.Endpoints[name] = e
	return e
}

// evict makes room for an endpoint, if there is one that was asked once or twice
// and never of the service, as those that a scanner tries.
func (c *Cell) evict() bool {
	const seldom = 2
	for name, e := range c.Endpoints {
		if name != OtherEndpoint && e.total() <= seldom && e.Requests[Modern].Sum() == 0 && e.Before <= seldom {
			delete(c.Endpoints, name)
			return true
		}
	}
	return false
}

// Absorb makes an endpoint take another one in, which it was found to be.
func (c *Cell) Absorb(old, name string) {
	e := c.Endpoints[old]
	if e == nil || old == name {
		return
	}
	delete(c.Endpoints, old)
	c.Endpoints = mergeEndpoints(c.Endpoints, map[string]*Endpoint{name: e})
}

// EndpointNames returns the names of the endpoints, the busiest first.
func (c *Cell) EndpointNames() []string {
	names := slices.Collect(maps.Keys(c.Endpoints))
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Endpoints[b].total(), c.Endpoints[a].total()), cmp.Compare(a, b))
	})
	return names
}

func (e *Endpoint) total() uint64 { return e.Requests[Legacy].Sum() + e.Requests[Modern].Sum() }

// next returns what the next test of the ramp begins with.
func nextEndpoints(before map[string]*Endpoint) map[string]*Endpoint {
	if len(before) == 0 {
		return nil
	}
	out := make(map[string]*Endpoint, len(before))
	for name, e := range before {
		if n := e.total(); n > 0 { // one that was not asked in a whole test is forgotten
			out[name] = &Endpoint{Asked: e.Asked || e.Requests[Modern].Sum() > 0, Before: n}
		}
	}
	return out
}

func (e *Endpoint) clone(before *Endpoint) *Endpoint {
	out := *e
	out.Bad = cloneKeys(e.Bad, nil)
	if before != nil {
		out.Bad = cloneKeys(e.Bad, before.Bad)
	}
	return &out
}

func mergeEndpoints(a, b map[string]*Endpoint) map[string]*Endpoint {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := make(map[string]*Endpoint, len(a)+len(b))
	for _, from := range []map[string]*Endpoint{a, b} {
		for name, e := range from {
			if e == nil {
				continue
			}
			have := out[name]
			if have == nil {
				out[name] = e.clone(nil)
				continue
			}
			for side := range have.Requests {
				have.Requests[side] = have.Requests[side].plus(e.Requests[side])
				have.Failed[side] = have.Failed[side].plus(e.Failed[side])
				for class, n := range e.Classes[side] {
					have.Classes[side][class] += n
				}
			}
			have.Clean, have.Compared, have.Differed = have.Clean.plus(e.Clean), have.Compared.plus(e.Compared), have.Differed.plus(e.Differed)
			have.Asked, have.Before = have.Asked || e.Asked, have.Before+e.Before
			for m, keys := range e.Bad {
				if have.Bad == nil {
					have.Bad = make(map[Metric]*Keys)
				}
				if have.Bad[m] == nil {
					have.Bad[m] = new(Keys)
				}
				have.Bad[m].Merge(*keys)
			}
		}
	}
	return out
}

// cloneKeys returns a copy of sets that shares with before what is the same.
func cloneKeys(sets, before map[Metric]*Keys) map[Metric]*Keys {
	if sets == nil {
		return nil
	}
	out := make(map[Metric]*Keys, len(sets))
	for m, keys := range sets {
		if keys == nil {
			continue
		}
		if old := before[m]; old != nil && old.Len() == keys.Len() {
			out[m] = old
			continue
		}
		clone := keys.Clone()
		out[m] = &clone
	}
	return out
}
