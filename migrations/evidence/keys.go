package evidence

import (
	"cmp"
	"maps"
	"slices"
)

// Limit is the greatest number of keys of a metric that one test takes in.
const Limit = 1 << 16

// Keys is an exact set of keys, each with the epoch and the side of its first
// event: it makes every person count once. The zero value is empty and ready.
//
// A Keys belongs to one goroutine. Copies share what they hold; see [Keys.Clone].
type Keys struct {
	places map[Key]place
	counts []placed // by epoch, ascending; what places add up to
}

// A place is where a key was counted.
type place struct {
	epoch uint64
	side  Side
}

// placed is the number of keys counted in an epoch.
type placed struct {
	epoch uint64
	sides Sides
}

// Add counts a key, unless it was counted before or the set is full, and
// reports whether it did.
func (k *Keys) Add(key Key, epoch uint64, side Side) bool {
	if k.Full() || k.Has(key) {
		return false
	}
	k.put(key, place{epoch, side & 1})
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
func (k Keys) In(epoch uint64) Sides {
	if i, ok := k.find(epoch); ok {
		return k.counts[i].sides
	}
	return Sides{}
}

// Total returns the number of keys by side.
func (k Keys) Total() Sides {
	var sum Sides
	for _, c := range k.counts {
		sum = sum.plus(c.sides)
	}
	return sum
}

// Clone returns a copy that shares nothing with k.
func (k Keys) Clone() Keys {
	return Keys{maps.Clone(k.places), slices.Clone(k.counts)}
}

// Merge adds the keys of o. A key that both have keeps the earlier epoch and,
// within an epoch, [Legacy] (one epoch gives a key one side, so that this does
// not happen unless an assignment is broken). The union is associative,
// commutative and idempotent. It may exceed [Limit]: cutting it down would have
// to choose among keys, and a choice can favour a side.
func (k *Keys) Merge(o Keys) {
	for key, theirs := range o.places {
		ours, ok := k.places[key]
		if !ok {
			k.put(key, theirs)
			continue
		}
		if theirs.before(ours) {
			i, _ := k.find(ours.epoch)
			k.counts[i].sides[ours.side]--
			if k.counts[i].sides.Sum() == 0 {
				k.counts = slices.Delete(k.counts, i, i+1)
			}
			k.put(key, theirs)
		}
	}
}

func (p place) before(o place) bool {
	return cmp.Or(cmp.Compare(p.epoch, o.epoch), cmp.Compare(p.side, o.side)) < 0
}

func (k *Keys) put(key Key, p place) {
	if k.places == nil {
		k.places = make(map[Key]place)
	}
	k.places[key] = p
	i, ok := k.find(p.epoch)
	if !ok {
		k.counts = slices.Insert(k.counts, i, placed{epoch: p.epoch})
	}
	k.counts[i].sides[p.side]++
}

func (k Keys) find(epoch uint64) (int, bool) {
	return slices.BinarySearchFunc(k.counts, epoch, func(c placed, e uint64) int {
		return cmp.Compare(c.epoch, e)
	})
}
