package compare

import "slices"

// likelyKeys are members that tell elements apart, if they do.
var likelyKeys = []string{"id", "_id", "uuid", "guid", "key", "sku", "code", "slug", "name", "email", "url", "href", "self", "number", "type"}

// keyOf finds a member that every unmatched element has, that is different in
// each of one side, and that at least half of them share with the other side.
// Well-known names come first, then those of the first element.
func (d *differ) keyOf(l *elementList) string {
	at := int32(-1)
	for k := range l.a {
		if !l.a[k].matched {
			at = l.a[k].node
			break
		}
	}
	if at < 0 || d.a.nodes[at].kind != nodeObject {
		return ""
	}
	var own []string
	for c := at + 1; c < d.a.nodes[at].next; c = d.a.nodes[c].next {
		n := &d.a.nodes[c]
		if n.form == byName && (n.kind == nodeString || n.kind == nodeNumber) && len(own) < 24 {
			own = append(own, string(d.a.key(n)))
		}
	}
	for _, k := range likelyKeys {
		if slices.Contains(own, k) && d.isKey(l, k) {
			return k
		}
	}
	tried := 0
	for _, k := range own {
		if slices.Contains(likelyKeys, k) {
			continue
		}
		if tried++; tried > 8 {
			break
		}
		if d.isKey(l, k) {
			return k
		}
	}
	return ""
}

func (d *differ) isKey(l *elementList, key string) bool {
	by := func(t *table, i int32) uint64 { return keyHash(t, i, key) }
	a, b := distinct(l.fill(&l.sortA, l.a, &d.a, by)), distinct(l.fill(&l.sortB, l.b, &d.b, by))
	if a == nil || b == nil {
		return false
	}
	shared := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].by == b[j].by:
			shared++
			i, j = i+1, j+1
		case a[i].by < b[j].by:
			i++
		default:
			j++
		}
	}
	return shared > 0 && shared*2 >= min(len(a), len(b))
}

// distinct sorts the elements, or returns nil if one has no key or two have
// the same.
func distinct(e []element) []element {
	slices.SortFunc(e, func(x, y element) int {
		if x.by < y.by {
			return -1
		}
		if x.by > y.by {
			return 1
		}
		return 0
	})
	for i := range e {
		if e[i].by == 0 || i > 0 && e[i].by == e[i-1].by {
			return nil
		}
	}
	return e
}

// keyHash is the hash of an object's member, or 0 if it has none that can be
// a key.
func keyHash(t *table, i int32, key string) uint64 {
	n := &t.nodes[i]
	if n.kind != nodeObject {
		return 0
	}
	for c := i + 1; c < n.next; c = t.nodes[c].next {
		m := &t.nodes[c]
		if (m.kind == nodeString || m.kind == nodeNumber) && m.flag&flagIgnored == 0 && string(t.key(m)) == key {
			return m.hash
		}
	}
	return 0
}
