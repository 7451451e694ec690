package routes

import (
	"slices"
	"strings"
)

// A node is a place in the tree of patterns, before a segment.
type node struct {
	leaf  *leaf            // of the pattern that ends here
	plain map[string]*node // by the text of the next segment
	wild  []*edge          // the other segments, most specific first
}

// An edge is a segment with a parameter or "*".
type edge struct {
	seg  *segment
	key  string
	to   *node // nil with a star
	leaf *leaf // with a star
}

// insert puts a pattern into the tree.
func (n *node) insert(segs []segment, l *leaf) {
	for i := range segs {
		s := &segs[i]
		if s.parts == nil && !s.star {
			next := n.plain[s.text]
			if next == nil {
				if n.plain == nil {
					n.plain = map[string]*node{}
				}
				next = &node{}
				n.plain[s.text] = next
			}
			n = next
			continue
		}
		e := n.edge(s)
		if s.star {
			e.leaf = l
			return
		}
		n = e.to
	}
	n.leaf = l
}

// edge returns the edge of a segment, which it makes if there is none.
func (n *node) edge(s *segment) *edge {
	var key strings.Builder
	s.writeKey(&key)
	i, found := slices.BinarySearchFunc(n.wild, key.String(), func(e *edge, k string) int {
		return strings.Compare(e.key, k)
	})
	if !found {
		e := &edge{seg: s, key: key.String()}
		if !s.star {
			e.to = &node{}
		}
		n.wild = slices.Insert(n.wild, i, e)
	}
	return n.wild[i]
}

// each visits the leaves whose patterns match, most specific first, until a
// visit returns false. The node stands before the segment at path[i:]; past
// the end there is none left. The empty path, which is no path, matches only
// "/*".
func (n *node) each(path string, i int, visit func(*leaf) bool) bool {
	if i > len(path) {
		if n.leaf != nil && !visit(n.leaf) {
			return false
		}
		if k := len(n.wild) - 1; k >= 0 && n.wild[k].seg.all() {
			return visit(n.wild[k].leaf)
		}
		return true
	}
	end := strings.IndexByte(path[i:], '/')
	if end < 0 {
		end = len(path)
	} else {
		end += i
	}
	text := path[i:end]
	if next := n.plain[text]; next != nil && !next.each(path, end+1, visit) {
		return false
	}
	for _, e := range n.wild {
		switch {
		case e.seg.star:
			if e.seg.match(path[i:]) && !visit(e.leaf) {
				return false
			}
		case e.seg.match(text):
			if !e.to.each(path, end+1, visit) {
				return false
			}
		}
	}
	return true
}
