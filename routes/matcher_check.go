package routes

import (
	"cmp"
	"fmt"
	"slices"
)

// check reports routes that are given twice, ties and routes that are never
// reached.
func (m *matcher) check() Problems {
	ck := checks{hidden: map[*candidate]int{}, by: map[*candidate]*candidate{}, told: map[[2]*candidate]bool{}}
	for b := range m.branches {
		for _, l := range b.leaves {
			ck.leaf(l)
		}
		ck.node(&b.root)
	}
	for c, by := range ck.by {
		if ck.hidden[c] == max(1, len(c.route.Match.Hosts)) {
			ck.problems = append(ck.problems, Problem{At: c.route.At,
				Text: fmt.Sprintf("no request reaches this route: %s takes all of them first", spoken(by.route)),
				Hint: "remove one of the two, or ask for less in the other"})
		}
	}
	return ck.problems
}

// checks collects what is wrong with the routes of all branches.
type checks struct {
	problems Problems
	hidden   map[*candidate]int        // in how many branches nothing reaches it
	by       map[*candidate]*candidate // what takes its place
	told     map[[2]*candidate]bool    // pairs that have been reported
}

// leaf compares the routes of one pattern. They come most specific first.
func (ck *checks) leaf(l *leaf) {
	for j, c := range l.candidates {
		var before []*candidate // that share requests with c
		for _, o := range l.candidates[:j] {
			if !o.needs.overlap(&c.needs) {
				continue
			}
			if o.rank == c.rank {
				ck.tie(o, c)
				continue
			}
			before = append(before, o)
		}
		if by := covered(&c.needs, before); by != nil {
			ck.hidden[c]++
			ck.by[c] = by
		}
	}
}

// node looks for patterns that overlap without one being more specific: they
// part at segments of one node that cannot be compared.
func (ck *checks) node(n *node) {
	for i, e := range n.wild {
		for _, o := range n.wild[:i] {
			if ranked(o.seg, e.seg) || !overlapSegments(o.seg, e.seg) {
				continue
			}
			for a := range o.leaves {
				for b := range e.leaves {
					if overlapPatterns(a.path, b.path) {
						ck.leaves(a, b)
					}
				}
			}
		}
		if e.to != nil {
			ck.node(e.to)
		}
	}
	for _, next := range n.plain {
		ck.node(next)
	}
}

// leaves reports the ties between the routes of two patterns.
func (ck *checks) leaves(a, b *leaf) {
	for _, x := range a.candidates {
		for _, y := range b.candidates {
			if x.needs.overlap(&y.needs) {
				ck.tie(x, y)
			}
		}
	}
}

func (ck *checks) tie(a, b *candidate) {
	if comparePositions(a.route.At, b.route.At) > 0 {
		a, b = b, a
	}
	if ck.told[[2]*candidate{a, b}] {
		return
	}
	ck.told[[2]*candidate{a, b}] = true
	p := Problem{At: b.route.At}
	if a.path.text == b.path.text && a.needs.implies(&b.needs) && b.needs.implies(&a.needs) {
		p.Text = fmt.Sprintf("this route matches the same requests as %s", spoken(a.route))
		p.Hint = "remove one of the two, or make one more specific"
	} else {
		p.Text = fmt.Sprintf("some requests match both this route and %s, and neither is more specific", spoken(a.route))
		p.Hint = "make one more specific: a longer path, a method, or one more header, query parameter or cookie"
	}
	ck.problems = append(ck.problems, p)
}

// leaves yields the leaves at and below an edge.
func (e *edge) leaves(yield func(*leaf) bool) {
	if e.leaf != nil {
		yield(e.leaf)
		return
	}
	e.to.leaves(yield)
}

func (n *node) leaves(yield func(*leaf) bool) bool {
	if n.leaf != nil && !yield(n.leaf) {
		return false
	}
	for _, next := range n.plain {
		if !next.leaves(yield) {
			return false
		}
	}
	for _, e := range n.wild {
		if e.leaf != nil && !yield(e.leaf) || e.to != nil && !e.to.leaves(yield) {
			return false
		}
	}
	return true
}

// spoken says which route is meant, by its position if it has one.
func spoken(r *Route) string {
	if r.At.File == "" {
		return fmt.Sprintf("route %q", r.ID)
	}
	return fmt.Sprintf("the one at %s:%d:%d", r.At.File, r.At.Line, r.At.Col)
}

func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}

// covered returns a route that takes the last of what n asks for, if those
// before it take everything: one for each method, asking for no more than n
// does.
func covered(n *needs, before []*candidate) *candidate {
	before = slices.DeleteFunc(before, func(o *candidate) bool { return !n.impliesPairs(&o.needs) })
	if len(n.methods) == 0 {
		i := slices.IndexFunc(before, func(o *candidate) bool { return len(o.needs.methods) == 0 })
		if i < 0 {
			return nil
		}
		return before[i]
	}
	var last *candidate
	for _, m := range n.methods {
		i := slices.IndexFunc(before, func(o *candidate) bool {
			return len(o.needs.methods) == 0 || slices.Contains(o.needs.methods, m)
		})
		if i < 0 {
			return nil
		}
		last = before[i]
	}
	return last
}
