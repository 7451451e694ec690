package condition

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// A table is what the search works on: units, which are the one bad and the
// one good request that speak for a user, and a set of units for each feature.
type table struct {
	n       int      // units
	users   []uint64 // of the units; 0: of a user of its own
	bad     set
	columns []column
	sampled bool
	outcome string // what all bad ones met; empty: not the same
}

// A column is the units that have a feature, or that do not.
type column struct {
	feature string // with "!" in front of those that do not
	rank    int    // among columns that tell equally much
	in      set
}

// A set of units.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

func (s set) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// both counts the units that are in two sets.
func (s set) both(o set) (n int) {
	for i, w := range s {
		n += bits.OnesCount64(w & o[i])
	}
	return n
}

// of counts the units that are in three sets.
func (s set) of(a, b set) (n int) {
	for i, w := range s {
		n += bits.OnesCount64(w & a[i] & b[i])
	}
	return n
}

// tableOf draws the units: the first bad and the first good sample of a user,
// which no feature had a part in choosing.
func tableOf(samples []Sample) *table {
	type voice struct {
		user uint64
		bad  bool
	}
	heard := make(map[voice]bool, len(samples))
	units := make([]*Sample, 0, len(samples))
	t := &table{}
	for i := range samples {
		s := &samples[i]
		if s.User != 0 {
			v := voice{s.User, s.Bad}
			if heard[v] {
				continue
			}
			heard[v] = true
		}
		units = append(units, s)
		t.sampled = t.sampled || s.Weight > 1
	}
	t.n, t.bad = len(units), newSet(len(units))
	t.users = make([]uint64, t.n)
	byName := make(map[string]set)
	first := true
	for i, s := range units {
		t.users[i] = s.User
		if s.Bad {
			t.bad.add(i)
			if first {
				t.outcome, first = s.Outcome, false
			} else if t.outcome != s.Outcome {
				t.outcome = ""
			}
		}
		for _, f := range s.Features {
			in := byName[f]
			if in == nil {
				if len(byName) >= maxNames {
					continue
				}
				in = newSet(t.n)
				byName[f] = in
			}
			in.add(i)
		}
	}
	t.columnsOf(byName)
	return t
}

// maxNames bounds the features that are told apart at all: a stranger may send
// new ones with each request.
const maxNames = 16 << 10

// columnsOf chooses the features to be tried. What is bad has no part in the
// choice, or the bound on all conditions would not hold.
func (t *table) columnsOf(byName map[string]set) {
	type sized struct {
		name  string
		split int // units on the smaller side
	}
	list := make([]sized, 0, len(byName))
	for name, in := range byName {
		if c := in.count(); c > 1 && c < t.n { // one unit, or all, tells nothing
			list = append(list, sized{name, min(c, t.n-c)})
		}
	}
	slices.SortFunc(list, func(a, b sized) int {
		return cmp.Or(cmp.Compare(b.split, a.split), cmp.Compare(rankOf(a.name), rankOf(b.name)), strings.Compare(a.name, b.name))
	})
	for _, f := range list {
		if len(t.columns) == MaxFeatures {
			break
		}
		t.put(column{f.name, rankOf(f.name), byName[f.name]})
	}
	for _, c := range slices.Clone(t.columns) {
		if !mayLack(c.feature) {
			continue
		}
		without := newSet(t.n)
		for i := range t.n {
			if !c.in.has(i) {
				without.add(i)
			}
		}
		t.put(column{"!" + c.feature, c.rank + lacks, without})
	}
}

// put adds a column, unless one before it has the same units: it is the same
// condition by another name.
func (t *table) put(c column) {
	if !slices.ContainsFunc(t.columns, func(o column) bool { return slices.Equal(o.in, c.in) }) {
		t.columns = append(t.columns, c)
	}
}

// census counts the users of the units of which a condition says whether they
// are in: by whether they had a bad request there.
func (t *table) census(in func(unit int) bool) (c Count) {
	ill := make(map[uint64]bool)
	for i := range t.n {
		if t.bad.has(i) && in(i) {
			c.Bad++
			ill[t.users[i]] = true
		}
	}
	for i := range t.n {
		if !t.bad.has(i) && in(i) && (t.users[i] == 0 || !ill[t.users[i]]) {
			c.Good++
		}
	}
	return c
}
