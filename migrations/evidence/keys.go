package evidence

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Limit is the greatest number of keys of a metric that one test takes in.
const Limit = 1 << 16

// Keys is an exact set of keys, each with the epoch, the side and the client
// network of its first event: every key counts once. The zero value is empty
// and ready.
//
// A Keys belongs to one goroutine. Copies share what they hold; see [Keys.Clone].
type Keys struct {
	places   map[Key]place
	counts   []placed             // by epoch, ascending; what places add up to
	networks map[Network]*fromOne // what each network adds to counts
}

// A place is where a key was counted.
type place struct {
	epoch   uint64
	side    Side
	network Network
}

// placed is the number of keys counted in an epoch.
type placed struct {
	epoch uint64
	sides Sides
}

// fromOne is what one network has added to a set.
type fromOne struct {
	first  int64 // when its first key was counted, in Unix milliseconds
	counts []placed
}

func (f *fromOne) total() (sum Sides) {
	for _, c := range f.counts {
		sum = sum.plus(c.sides)
	}
	return sum
}

// A Vote is one event of one key.
type Vote struct {
	Key     Key
	Epoch   uint64
	Side    Side
	Network Network
	At      time.Time
	Several bool // clients of several networks are known, so that what one adds is bounded
}

// What one network may add to a set. The rules look at the past only, so that
// the evidence stays a supermartingale.
const (
	freeVotes = 2    // events, whatever the others add; beyond that a third of what all others add, or an equal part if they are fewer
	freeKeys  = 1024 // keys of a set that grows with every key; beyond that as many as all others together
)

// Add counts a key, unless it was counted before or the set is full, and
// reports whether it did.
func (k *Keys) Add(key Key, epoch uint64, side Side) bool {
	return k.Vote(Vote{Key: key, Epoch: epoch, Side: side})
}

// Vote is Add for a bad event of a key whose network is known. Where clients of
// several networks are known, one network adds at most a third of what all
// others add: those who make keys up, or requests that fail, can't outvote the
// others.
func (k *Keys) Vote(v Vote) bool {
	if f := k.networks[v.Network]; v.Several && f != nil {
		own := f.total().Sum()
		parts := uint64(min(max(len(k.networks)-1, 1), 3))
		if own >= freeVotes && own*parts > uint64(k.Len())-own {
			return false
		}
	}
	return k.count(v)
}

// Meet is Vote for a set that grows with every key, be it bad or not: a network
// with many users is no attack.
func (k *Keys) Meet(v Vote) bool {
	if f := k.networks[v.Network]; v.Several && f != nil {
		if own := f.total().Sum(); own >= freeKeys && own >= uint64(k.Len())-own {
			return false
		}
	}
	return k.count(v)
}

func (k *Keys) count(v Vote) bool {
	if k.Full() || k.Has(v.Key) {
		return false
	}
	k.put(v.Key, place{v.Epoch, v.Side & 1, v.Network})
	if f := k.networks[v.Network]; f.first == 0 && !v.At.IsZero() {
		f.first = v.At.UnixMilli()
	}
	return true
}

// Has reports whether the key was counted.
func (k Keys) Has(key Key) bool {
	_, ok := k.places[key]
	return ok
}

// Len returns the number of keys.
func (k Keys) Len() int { return len(k.places) }

// Full reports whether [Limit] is reached: the test ends undecided.
func (k Keys) Full() bool { return len(k.places) >= Limit }

// In returns the number of keys counted in an epoch, by side.
func (k Keys) In(epoch uint64) Sides { return in(k.counts, epoch) }

// Total returns the number of keys by side.
func (k Keys) Total() Sides {
	var sum Sides
	for _, c := range k.counts {
		sum = sum.plus(c.sides)
	}
	return sum
}

// ByNetwork returns the number of keys by side of each network, in no order.
func (k Keys) ByNetwork() []Sides {
	out := make([]Sides, 0, len(k.networks))
	for _, f := range k.networks {
		out = append(out, f.total())
	}
	return out
}

// Clone returns a copy that shares nothing with k.
func (k Keys) Clone() Keys {
	out := Keys{places: maps.Clone(k.places), counts: slices.Clone(k.counts)}
	if k.networks != nil {
		out.networks = make(map[Network]*fromOne, len(k.networks))
		for n, f := range k.networks {
			out.networks[n] = &fromOne{f.first, slices.Clone(f.counts)}
		}
	}
	return out
}

// Merge adds the keys of o. A key that both have keeps the earlier epoch and,
// within an epoch, [Legacy] (one epoch gives a key one side, so that this does
// not happen unless an assignment is broken). The union is associative,
// commutative and idempotent. It may exceed [Limit]: cutting it down would have
// to choose among keys, and a choice can favour a side.
func (k *Keys) Merge(o Keys) {
	for key, theirs := range o.places {
		ours, ok := k.places[key]
		if ok && !theirs.before(ours) {
			continue
		}
		if ok {
			k.counts = less(k.counts, ours)
			f := k.networks[ours.network] // which stays, though nothing may be left of it: when it first came is known
			f.counts = less(f.counts, ours)
		}
		k.put(key, theirs)
	}
	for n, theirs := range o.networks {
		ours := k.network(n)
		if theirs.first != 0 && (ours.first == 0 || theirs.first < ours.first) {
			ours.first = theirs.first
		}
	}
}

// network returns what a network has added, nothing yet if it is new.
func (k *Keys) network(n Network) *fromOne {
	f := k.networks[n]
	if f == nil {
		if k.networks == nil {
			k.networks = make(map[Network]*fromOne)
		}
		f = new(fromOne)
		k.networks[n] = f
	}
	return f
}

func (p place) before(o place) bool {
	return cmp.Or(cmp.Compare(p.epoch, o.epoch), cmp.Compare(p.side, o.side), cmp.Compare(p.network, o.network)) < 0
}

func (k *Keys) put(key Key, p place) {
	if k.places == nil {
		k.places = make(map[Key]place)
	}
	k.places[key] = p
	k.counts = more(k.counts, p)
	f := k.network(p.network)
	f.counts = more(f.counts, p)
}

// in returns the number of an epoch.
func in(counts []placed, epoch uint64) Sides {
	if i, ok := at(counts, epoch); ok {
		return counts[i].sides
	}
	return Sides{}
}

// more returns the counts with one key more.
func more(counts []placed, p place) []placed {
	i, ok := at(counts, p.epoch)
	if !ok {
		counts = slices.Insert(counts, i, placed{epoch: p.epoch})
	}
	counts[i].sides[p.side]++
	return counts
}

// less returns the counts with one key less.
func less(counts []placed, p place) []placed {
	i, _ := at(counts, p.epoch)
	counts[i].sides[p.side]--
	if counts[i].sides.Sum() == 0 {
		counts = slices.Delete(counts, i, i+1)
	}
	return counts
}

func at(counts []placed, epoch uint64) (int, bool) {
	return slices.BinarySearchFunc(counts, epoch, func(c placed, e uint64) int {
		return cmp.Compare(c.epoch, e)
	})
}
