package compare

import "bytes"

// members compares the members of two objects, or the attributes of two
// elements, by name, whatever their order. Of a name that is there twice, the
// first goes with the first.
func (d *differ) members(i, j int32) {
	a, b := &d.a, &d.b
	x, y := d.firstMember(a, i+1, a.nodes[i].next), d.firstMember(b, j+1, b.nodes[j].next)
	if (a.nodes[i].flag|b.nodes[j].flag)&flagDouble == 0 {
		// In step as long as both have the same names in the same order.
		for x >= 0 && y >= 0 && bytes.Equal(a.key(&a.nodes[x]), b.key(&b.nodes[y])) {
			d.member(x, y)
			x, y = d.firstMember(a, a.nodes[x].next, a.nodes[i].next), d.firstMember(b, b.nodes[y].next, b.nodes[j].next)
		}
	}
	if x < 0 && y < 0 {
		return
	}
	if d.a.nodes[i].size <= 64 && d.b.nodes[j].size <= 64 {
		d.fewMembers(x, a.nodes[i].next, y, b.nodes[j].next)
	} else {
		d.manyMembers(x, a.nodes[i].next, y, b.nodes[j].next)
	}
}

// firstMember returns the first member from node i on, before end, that no
// rule ignores, or −1.
func (d *differ) firstMember(t *table, i, end int32) int32 {
	for ; i >= 0 && i < end; i = t.nodes[i].next {
		n := &t.nodes[i]
		if n.form != byName && n.form != byAttribute {
			return -1 // the attributes of an element come first
		}
		if n.flag&flagIgnored == 0 {
			return i
		}
	}
	return -1
}

func (d *differ) member(x, y int32) {
	n := &d.a.nodes[x]
	if n.hash == d.b.nodes[y].hash {
		return
	}
	d.steps = append(d.steps, d.a.step(n, 0))
	d.nodes(x, y)
	d.steps = d.steps[:len(d.steps)-1]
}

// fewMembers pairs at most 64 members a side by looking at each.
func (d *differ) fewMembers(x, endA, y, endB int32) {
	a, b := &d.a, &d.b
	var taken uint64
	for ; x >= 0; x = d.firstMember(a, a.nodes[x].next, endA) {
		key := a.key(&a.nodes[x])
		found, known := int32(-1), false
		k := 0
		for z := y; z >= 0; z, k = d.firstMember(b, b.nodes[z].next, endB), k+1 {
			if bytes.Equal(key, b.key(&b.nodes[z])) {
				known = true
				if taken&(1<<k) == 0 {
					taken |= 1 << k
					found = z
					break
				}
			}
		}
		switch {
		case found >= 0:
			d.member(x, found)
		case !known && !d.repeated(a, x, endA):
			d.lone(a, &a.nodes[x], 0, KindMissing)
		}
	}
	k := 0
	for z := y; z >= 0; z, k = d.firstMember(b, b.nodes[z].next, endB), k+1 {
		if taken&(1<<k) == 0 && !d.namesake(y, z, endB) {
			d.lone(b, &b.nodes[z], 0, KindExtra)
		}
	}
}

// namesake says whether the candidate has the name of member z before z. What
// is there twice is a duplicate, reported at its object, and nothing extra.
func (d *differ) namesake(y, z, endB int32) bool {
	b := &d.b
	for ; y >= 0 && y < z; y = d.firstMember(b, b.nodes[y].next, endB) {
		if bytes.Equal(b.key(&b.nodes[y]), b.key(&b.nodes[z])) {
			return true
		}
	}
	return false
}

// repeated says whether a later member has the same name, so that a name
// that is missing twice is reported once, at its last.
func (d *differ) repeated(t *table, x, end int32) bool {
	key := t.key(&t.nodes[x])
	for z := d.firstMember(t, t.nodes[x].next, end); z >= 0; z = d.firstMember(t, t.nodes[z].next, end) {
		if bytes.Equal(key, t.key(&t.nodes[z])) {
			return true
		}
	}
	return false
}

// manyMembers pairs any number of members through an index.
func (d *differ) manyMembers(x, endA, y, endB int32) {
	a, b := &d.a, &d.b
	type bucket struct {
		at   []int32
		used int
	}
	index := map[string]*bucket{}
	for z := y; z >= 0; z = d.firstMember(b, b.nodes[z].next, endB) {
		key := b.key(&b.nodes[z])
		if k := index[string(key)]; k != nil {
			k.at = append(k.at, z)
		} else {
			index[string(key)] = &bucket{at: []int32{z}}
		}
	}
	lone := map[string]bool{}
	for ; x >= 0; x = d.firstMember(a, a.nodes[x].next, endA) {
		key := a.key(&a.nodes[x])
		k := index[string(key)]
		switch {
		case k != nil && k.used < len(k.at):
			k.used++
			d.member(x, k.at[k.used-1])
		case k == nil && !lone[string(key)]:
			lone[string(key)] = true
			d.lone(a, &a.nodes[x], 0, KindMissing)
		}
	}
	for z := y; z >= 0; z = d.firstMember(b, b.nodes[z].next, endB) {
		if k := index[string(b.key(&b.nodes[z]))]; k.used == 0 {
			k.used = len(k.at)
			d.lone(b, &b.nodes[z], 0, KindExtra)
		}
	}
}
