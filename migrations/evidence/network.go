package evidence

import (
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

// A Crowding tells whether users come from several client networks. What one
// network does is bounded (law 13) only if they do, since a single one, such as
// an office or a proxy that does not say for whom it speaks, can't be told from
// all users. A stray address or two beside it makes no difference: there must be
// [FewKeys] keys outside the network that has most.
//
// It belongs to one gateway; the zero value is ready. What gateways tell one
// another is the hour in which they last saw several.
type Crowding struct {
	since int64 // hour in which the counting began
	slots [4]crowdingSlot
	rest  uint64 // keys of networks without a slot
}

type crowdingSlot struct {
	network Network
	keys    uint64
}

// severalFor is how long it is remembered, in hours.
const severalFor = 24

// See counts a key that was not here lately. It returns the hour if keys of
// several networks have come, else 0.
func (c *Crowding) See(network Network, at time.Time) int64 {
	hour := slotOf(at, time.Hour)
	if hour-c.since >= severalFor {
		*c = Crowding{since: hour}
	}
	c.count(network)
	all, largest := c.rest, uint64(0)
	for _, s := range c.slots {
		all, largest = all+s.keys, max(largest, s.keys)
	}
	if all-largest >= FewKeys {
		return hour
	}
	return 0
}

func (c *Crowding) count(network Network) {
	for i := range c.slots {
		s := &c.slots[i]
		if s.keys == 0 || s.network == network {
			s.network = network
			s.keys++
			return
		}
	}
	c.rest++
}
