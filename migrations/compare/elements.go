package compare

import (
	"cmp"
	"slices"
)

// An element of an array, or a child of an element of markup.
type element struct {
	node    int32
	at      int32  // index among the elements that are compared
	ord     int32  // in an array its index; in markup which of its name it is
	by      uint64 // what it is matched by at the moment
	matched bool
}

// An elementList matches the elements of two arrays.
type elementList struct {
	a, b         []element
	sortA, sortB []element
	pairs        [][2]int32 // at of the control's, at of the candidate's
}

// elements compares two arrays, or the children of two elements. Elements
// that are the same are matched wherever they are, the others by a key, then
// by their rank; what is left over is missing or extra.
func (d *differ) elements(i, j int32) {
	l := d.lists.push()
	defer d.lists.pop()
	l.a, l.b = list(&d.a, i, l.a[:0]), list(&d.b, j, l.b[:0])
	l.pairs = l.pairs[:0]
	markup := d.a.nodes[i].kind == nodeElement

	l.match(func(t *table, i int32) uint64 { return t.nodes[i].hash }, d)
	if l.done() && !l.moved() {
		return
	}
	from := len(l.pairs)
	moved := l.moved()
	switch {
	case l.done():
	case markup: // where what is matched by its name only says nothing of order
		l.match(nameOf, d)
	default:
		l.match(func(t *table, i int32) uint64 { return t.nodes[i].bag }, d)
		if key := d.keyOf(l); !l.done() && key != "" {
			l.match(func(t *table, i int32) uint64 { return keyHash(t, i, key) }, d)
		}
		moved = l.moved()
	}
	if moved && !d.isUnordered() {
		d.report(KindOrder, d.value(&d.a, &d.a.nodes[i]), d.value(&d.b, &d.b.nodes[j]), Normalised, 0)
	}
	for _, p := range l.pairs[from:] {
		d.pair(&l.a[p[0]], &l.b[p[1]])
	}
	d.leftovers(l, i, j)
}

// list appends the elements of node i that no rule ignores.
func list(t *table, i int32, out []element) []element {
	at := int32(-1)
	for c := i + 1; c < t.nodes[i].next; c = t.nodes[c].next {
		n := &t.nodes[c]
		if n.form == byAttribute {
			continue
		}
		at++
		if n.flag&flagIgnored != 0 {
			continue
		}
		e := element{node: c, at: int32(len(out)), ord: at}
		if n.form == byElement {
			e.ord = 0
			for k := len(out) - 1; k >= 0 && k > len(out)-64; k-- {
				if o := &t.nodes[out[k].node]; o.form == byElement && string(t.key(o)) == string(t.key(n)) {
					e.ord = out[k].ord + 1
					break
				}
			}
		}
		out = append(out, e)
	}
	return out
}

// match pairs the elements not yet matched for which by gives the same on
// both sides, the first with the first. Zero matches nothing.
func (l *elementList) match(by func(*table, int32) uint64, d *differ) {
	a, b := l.fill(&l.sortA, l.a, &d.a, by), l.fill(&l.sortB, l.b, &d.b, by)
	// What is the same at both ends needs no sorting.
	for len(a) > 0 && len(b) > 0 && a[0].by == b[0].by && a[0].by != 0 {
		l.take(a[0], b[0])
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].by == b[len(b)-1].by && a[len(a)-1].by != 0 {
		l.take(a[len(a)-1], b[len(b)-1])
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	order := func(x, y element) int { return cmp.Or(cmp.Compare(x.by, y.by), cmp.Compare(x.at, y.at)) }
	slices.SortFunc(a, order)
	slices.SortFunc(b, order)
	for len(a) > 0 && len(b) > 0 {
		switch c := cmp.Compare(a[0].by, b[0].by); {
		case c < 0 || a[0].by == 0:
			a = a[1:]
		case c > 0 || b[0].by == 0:
			b = b[1:]
		default:
			l.take(a[0], b[0])
			a, b = a[1:], b[1:]
		}
	}
}

func (l *elementList) fill(into *[]element, from []element, t *table, by func(*table, int32) uint64) []element {
	out := (*into)[:0]
	for _, e := range from {
		if !e.matched {
			e.by = by(t, e.node)
			out = append(out, e)
		}
	}
	*into = out
	return out
}

func (l *elementList) take(a, b element) {
	l.a[a.at].matched, l.b[b.at].matched = true, true
	l.pairs = append(l.pairs, [2]int32{a.at, b.at})
}

// done says whether every element has found its counterpart.
func (l *elementList) done() bool { return len(l.pairs) == len(l.a) && len(l.pairs) == len(l.b) }

// moved says whether the pairs are in another order on the two sides.
func (l *elementList) moved() bool {
	sorted := l.sortA[:0]
	for _, p := range l.pairs {
		sorted = append(sorted, element{at: p[0], node: p[1]})
	}
	l.sortA = sorted
	slices.SortFunc(sorted, func(x, y element) int { return cmp.Compare(x.at, y.at) })
	for k := 1; k < len(sorted); k++ {
		if sorted[k].node < sorted[k-1].node {
			return true
		}
	}
	return false
}

// pair compares two elements that were matched by less than all they hold.
func (d *differ) pair(x, y *element) {
	nx, ny := &d.a.nodes[x.node], &d.b.nodes[y.node]
	if nx.hash == ny.hash {
		return
	}
	d.steps = append(d.steps, d.a.step(nx, x.ord))
	d.nodes(x.node, y.node)
	d.steps = d.steps[:len(d.steps)-1]
}

// leftovers pairs what has no counterpart by rank, up to the limit; beyond it
// only counts are reported.
func (d *differ) leftovers(l *elementList, i, j int32) {
	a, b := l.sortA[:0], l.sortB[:0]
	for _, e := range l.a {
		if !e.matched {
			a = append(a, e)
		}
	}
	for _, e := range l.b {
		if !e.matched {
			b = append(b, e)
		}
	}
	l.sortA, l.sortB = a, b
	limit := d.rules.limits.Leftovers
	if d.a.nodes[i].kind != nodeElement {
		for len(a) > 0 && len(b) > 0 && limit > 0 {
			d.pair(&a[0], &b[0])
			a, b, limit = a[1:], b[1:], limit-1
		}
	}
	for len(a) > 0 && limit > 0 && (len(b) == 0 || d.a.nodes[i].kind == nodeElement) {
		d.lone(&d.a, &d.a.nodes[a[0].node], a[0].ord, KindMissing)
		a, limit = a[1:], limit-1
	}
	for len(b) > 0 && limit > 0 && (len(a) == 0 || d.a.nodes[i].kind == nodeElement) {
		d.lone(&d.b, &d.b.nodes[b[0].node], b[0].ord, KindExtra)
		b, limit = b[1:], limit-1
	}
	if len(a) > 0 || len(b) > 0 {
		d.report(KindCount, d.value(&d.a, &d.a.nodes[i]), d.value(&d.b, &d.b.nodes[j]), Present, 0)
	}
}

// isUnordered says whether a rule says so of the array at the path.
func (d *differ) isUnordered() bool {
	return len(d.rules.unordered) > 0 && anyMatches(d.rules.unordered, d.root, d.steps)
}

// nameOf a child of markup: its tag, with its id or name if it has one.
func nameOf(t *table, i int32) uint64 {
	n := &t.nodes[i]
	h := mix(hashBytes(t.key(n)), uint64(n.form))
	if n.form != byElement {
		return h
	}
	for c := i + 1; c < n.next && t.nodes[c].form == byAttribute; c = t.nodes[c].next {
		if k := t.key(&t.nodes[c]); string(k) == "id" || string(k) == "name" {
			h = mix(h, t.nodes[c].hash)
		}
	}
	return h
}
