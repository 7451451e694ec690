package evidence

import (
	"cmp"
	"slices"
)

// A Part is one of the counts whose evidence a record averages: all keys, keys
// by their first answer, or one endpoint. The mean of e-values with weights
// that are fixed before the test is an e-value whatever the dependence between
// them (Vovk and Wang, "E-values: Calibration, combination and applications",
// Annals of Statistics 2021), so that one key may count in several parts.
type Part struct {
	Of     Of            `json:"of,omitempty"`
	Weight float64       `json:"weight"`
	Epochs []Sample      `json:"epochs"`
	From   []FromNetwork `json:"from,omitempty"` // what single networks add to Epochs
}

// An Of names what a part counts: "" for all keys, [FirstAnswer], or an
// endpoint such as "GET /api/orders/{id}".
type Of string

// FirstAnswer is the part in which a key counts by its first answer of the test.
const FirstAnswer Of = "first answer"

// A FromNetwork is what one client network adds to a part.
type FromNetwork struct {
	Network int         `json:"network"`        // position in the order of the record, from 0; never an address
	Counts  [][2]uint64 `json:"counts"`         // by epoch: on the service, on the monolith
	Good    [][2]uint64 `json:"good,omitempty"` // ByTrial: likewise, answered well
}

const (
	// mixedNetworks is the number of networks, by the time of their first vote,
	// without each of which the evidence is averaged.
	mixedNetworks = 8
	// suspects is the number of networks with the most events on the service, and
	// on both sides, without each of which a trip must stand as well.
	suspects = 6
)

// averaged returns the mean of the parts by their weights, without what the
// networks at the positions given have added. What the weights leave of 1 counts
// as no evidence.
func averaged(parts []Part, stat statistic, without ...int) scaled {
	terms := make([]scaled, 0, len(parts))
	for _, p := range parts {
		epochs := p.Epochs
		for _, f := range p.From {
			if slices.Contains(without, f.Network) {
				epochs = f.outOf(epochs)
			}
		}
		terms = append(terms, scale(p.Weight).times(stat.of(epochs)))
	}
	return sum(terms)
}

// outOf returns the samples without what the network has added.
func (f FromNetwork) outOf(samples []Sample) []Sample {
	out := slices.Clone(samples)
	for i := range out {
		if i < len(f.Counts) {
			out[i].Service -= min(f.Counts[i][0], out[i].Service)
			out[i].Legacy -= min(f.Counts[i][1], out[i].Legacy)
		}
		if i < len(f.Good) {
			out[i].GoodService -= min(f.Good[i][0], out[i].GoodService)
			out[i].GoodLegacy -= min(f.Good[i][1], out[i].GoodLegacy)
		}
	}
	return out
}

// mixture returns the evidence of the parts, without the network at a position;
// −1 leaves none out. Half of it is the evidence of all networks, the other half
// that without each of the first networks to vote, with weights 1/(n(n+1)) in
// the order of their first votes. So a network whose clients make the monolith
// look bad delays a trip by a known factor at most.
func mixture(parts []Part, stat statistic, mixed, without int) scaled {
	left := 1.0
	var terms []scaled
	for i := range mixed {
		if i == without {
			continue
		}
		weight := 0.5 / float64((i+1)*(i+2))
		left -= weight
		terms = append(terms, scale(weight).times(averaged(parts, stat, without, i)))
	}
	terms = append(terms, scale(left).times(averaged(parts, stat, without)))
	return sum(terms)
}

// A source is a set of keys that a part counts.
type source struct {
	of     Of
	weight float64
	keys   *Keys
	good   *Keys // ByTrial
}

// parts returns the parts of several sets over the epochs of a cell, the number
// of networks that they tell apart, and how many of those the mixture leaves out
// in turn. Sets without an event on the service are left out, but for the first.
func (c *Cell) parts(g Guard, sources []source, several bool) (parts []Part, networks, mixed int) {
	var order []Network
	if several {
		order, mixed = rankNetworks(sources)
	}
	for i, s := range sources {
		if i > 0 && (s.keys == nil || s.keys.Total()[Modern] == 0) {
			continue
		}
		p := Part{Of: s.of, Weight: s.weight, Epochs: c.samples(g, s.keys)}
		if s.good != nil {
			for i := range p.Epochs {
				sides := s.good.In(p.Epochs[i].Epoch)
				p.Epochs[i].GoodService, p.Epochs[i].GoodLegacy = sides[Modern], sides[Legacy]
			}
		}
		for n, network := range order {
			bad, good := s.keys.by(network, p.Epochs), s.good.by(network, p.Epochs)
			if bad == nil && good == nil {
				continue
			}
			if bad == nil {
				bad = make([][2]uint64, len(p.Epochs))
			}
			p.From = append(p.From, FromNetwork{Network: n, Counts: bad, Good: good})
		}
		parts = append(parts, p)
	}
	return parts, len(order), mixed
}

// by returns what a network has added to each epoch; nil: nothing.
func (k *Keys) by(network Network, epochs []Sample) [][2]uint64 {
	if k == nil || k.networks[network] == nil || len(k.networks[network].counts) == 0 {
		return nil
	}
	out := make([][2]uint64, 0, len(epochs))
	for _, e := range epochs {
		sides := in(k.networks[network].counts, e.Epoch)
		out = append(out, [2]uint64{sides[Modern], sides[Legacy]})
	}
	return out
}

// rankNetworks returns the networks that a record tells apart: the first to
// vote, which are mixed, and then those with the most events on the service and on
// both sides together.
func rankNetworks(sources []source) (order []Network, mixed int) {
	type voter struct {
		network       Network
		first         int64
		service, both uint64
	}
	all := make(map[Network]voter)
	for _, s := range sources {
		for _, keys := range []*Keys{s.keys, s.good} {
			if keys == nil {
				continue
			}
			for n, f := range keys.networks {
				v, known := all[n]
				v.network = n
				if !known || f.first < v.first {
					v.first = f.first
				}
				t := f.total()
				if keys == s.keys {
					v.service = max(v.service, t[Modern])
				}
				v.both = max(v.both, t.Sum())
				all[n] = v
			}
		}
	}
	voters := make([]voter, 0, len(all))
	for _, v := range all {
		voters = append(voters, v)
	}
	slices.SortFunc(voters, func(a, b voter) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.network, b.network))
	})
	mixed = min(len(voters), mixedNetworks)
	for _, v := range voters[:mixed] {
		order = append(order, v.network)
	}
	for _, by := range []func(voter) uint64{func(v voter) uint64 { return v.service }, func(v voter) uint64 { return v.both }} {
		slices.SortFunc(voters, func(a, b voter) int {
			return cmp.Or(cmp.Compare(by(b), by(a)), cmp.Compare(a.network, b.network))
		})
		for _, v := range voters[:min(len(voters), suspects)] {
			if !slices.Contains(order, v.network) {
				order = append(order, v.network)
			}
		}
	}
	return order, mixed
}
