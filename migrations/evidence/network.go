package evidence

import (
	"cmp"
	"slices"
	"time"
)

// A Network is the hash of a client network: an IPv4 address, or the /64 of an
// IPv6 address. Zero is not known. Evidence never holds the address itself.
type Network uint32

// Groups is the number of groups that networks are hashed into where a count
// for each network would cost too much.
const Groups = 16

// Group returns the group of a network. The networks of a group are chosen by
// their hash, so that what one of them does concerns one group.
func (n Network) Group() int { return int(mix(uint64(n)+golden) % Groups) }

// ByGroup is a number for each group of networks.
type ByGroup [Groups]uint64

// Sum returns the number of all groups together.
func (g ByGroup) Sum() uint64 {
	sum := uint64(0)
	for _, n := range g {
		sum += n
	}
	return sum
}

// Capped returns the sum in which no group counts for more than most.
func (g ByGroup) Capped(most uint64) uint64 {
	sum := uint64(0)
	for _, n := range g {
		sum += min(n, most)
	}
	return sum
}

// WithoutLargest returns the sum without the largest group.
func (g ByGroup) WithoutLargest() uint64 { return g.Sum() - slices.Max(g[:]) }

func (g ByGroup) plus(o ByGroup) ByGroup {
	for i := range g {
		g[i] += o[i]
	}
	return g
}

// Networks are the client networks that were seen of late, the newest of them:
// enough to tell whether there are several. What one network does is bounded
// (law 13) only if there are, since a single one, such as an office or a proxy
// that does not say for whom it speaks, can't be told from all users.
type Networks []SeenNetwork

// A SeenNetwork is when a network was last seen.
type SeenNetwork struct {
	Network Network `json:"network"`
	Hour    int64   `json:"hour"` // of the Unix epoch
}

const (
	networksKept   = 4
	networksForget = 24 // hours
)

// See notes that a network asks for something.
func (n *Networks) See(network Network, at time.Time) {
	hour := slotOf(at, time.Hour)
	for i := range *n {
		if (*n)[i].Network == network && (*n)[i].Hour >= hour {
			return
		}
	}
	*n = n.merged(Networks{{network, hour}})
}

// Several reports whether more than one network was seen in the last day.
func (n Networks) Several(now time.Time) bool {
	count, oldest := 0, slotOf(now, time.Hour)-networksForget
	for _, s := range n {
		if s.Hour >= oldest {
			count++
		}
	}
	return count > 1
}

// merged returns the newest of both.
func (n Networks) merged(o Networks) Networks {
	all := slices.Concat(n, o)
	slices.SortFunc(all, func(a, b SeenNetwork) int {
		return cmp.Or(cmp.Compare(b.Hour, a.Hour), cmp.Compare(a.Network, b.Network))
	})
	var out Networks
	for _, s := range all {
		if len(out) < networksKept && !slices.ContainsFunc(out, func(x SeenNetwork) bool { return x.Network == s.Network }) {
			out = append(out, s)
		}
	}
	return out
}
