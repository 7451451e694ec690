package compare

import (
	"strings"
)

// Templates groups requests into endpoints: /orders/123 and /orders/9f-… are
// GET /orders/{id}. Segments that look like ids become {id} at once; others
// when so many were seen in one place that they can't be names of things. Not
// safe for concurrent use.
type Templates struct {
	most      int
	count     int
	methods   map[string]*pathNode
	crossings int // segments of a place beyond which it is {any}
}

type pathNode struct {
	children map[string]*pathNode
	leaf     bool
}

// Other is the endpoint of all requests beyond the number of endpoints kept.
const Other = "(other)"

// deepest is how many segments of a path are told apart.
const deepest = 16

// NewTemplates returns a Templates of at most so many endpoints; zero: 512.
func NewTemplates(most int) *Templates {
	if most <= 0 {
		most = 512
	}
	return &Templates{most: most, methods: map[string]*pathNode{}, crossings: 48}
}

// Endpoint returns the endpoint of a request by method and path. When a place
// in the path turns out to hold any text, it also returns the endpoints that
// the new one takes in; what was counted for them belongs to it from now on.
func (t *Templates) Endpoint(method, path string) (endpoint string, absorbed []string) {
	root := t.methods[method]
	if root == nil {
		if len(t.methods) >= 16 {
			return Other, nil
		}
		root = &pathNode{}
		t.methods[method] = root
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) > deepest {
		segments = append(segments[:deepest], "{rest}")
	}
	n := root
	for i, s := range segments {
		s = segmentOf(s)
		next := n.children[s]
		if next == nil {
			next = n.children["{any}"]
			if next != nil {
				s = "{any}"
			}
		}
		if next == nil {
			if t.count >= t.most {
				return Other, absorbed
			}
			if i > 0 && len(n.children) >= t.crossings {
				absorbed = append(absorbed, t.widen(method, segments[:i], n)...)
				s, next = "{any}", n.children["{any}"]
			} else {
				next = &pathNode{}
				if n.children == nil {
					n.children = map[string]*pathNode{}
				}
				n.children[s] = next
			}
		}
		segments[i] = s
		n = next
	}
	if !n.leaf {
		if t.count >= t.most {
			return Other, absorbed
		}
		n.leaf = true
		t.count++
	}
	return name(method, segments), absorbed
}

func name(method string, segments []string) string {
	return method + " /" + strings.Join(segments, "/")
}

// segmentOf is a segment of a path, or {id} unless it looks like the name of a
// page. What is stored of a path is its segments, so this also keeps the names
// and keys of people out of it.
func segmentOf(s string) string {
	if s == "" || len(s) <= 3 && !allDigits([]byte(s)) {
		return s
	}
	if opaqueKey([]byte(s)) {
		return "{id}"
	}
	base, ext := s, ""
	if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 6 && !allDigits([]byte(s[i+1:])) {
		base, ext = s[:i], s[i:]
	}
	if opaqueKey([]byte(base)) || !isName(base) {
		return "{id}" + ext
	}
	return s
}

// isName says whether a segment is a word or a few: not long, plain letters,
// few digits, and not a name that ends in a number, such as bike-1234.
func isName(s string) bool {
	digits, last, capitals := 0, 0, 0
	for _, c := range []byte(s) {
		last++
		switch {
		case c >= '0' && c <= '9':
			digits++
			continue
		case c >= 'A' && c <= 'Z':
			capitals++
		case c >= 'a' && c <= 'z', c == '-', c == '_', c == '.', c == '~', c == '(', c == ')', c == '\'', c == ':', c == '@':
		default:
			return false
		}
		last = 0
	}
	return len(s) <= 64 && last < 3 && digits*3 <= len(s) && (len(s) < 16 || digits == 0 || capitals == 0)
}

// widen makes one place of the children of n, which is at the segments given,
// except for {id}.
func (t *Templates) widen(method string, segments []string, n *pathNode) (absorbed []string) {
	any := &pathNode{}
	for s, c := range n.children {
		if strings.HasPrefix(s, "{id}") {
			continue
		}
		absorbed = append(absorbed, c.leaves(method, append(segments[:len(segments):len(segments)], s))...)
		any.absorb(c)
		delete(n.children, s)
	}
	n.children["{any}"] = any
	t.count += any.count() - len(absorbed)
	return absorbed
}

func (n *pathNode) leaves(method string, segments []string) (list []string) {
	if n.leaf {
		list = append(list, name(method, segments))
	}
	for s, c := range n.children {
		list = append(list, c.leaves(method, append(segments[:len(segments):len(segments)], s))...)
	}
	return list
}

func (n *pathNode) absorb(o *pathNode) {
	n.leaf = n.leaf || o.leaf
	for s, c := range o.children {
		if n.children == nil {
			n.children = map[string]*pathNode{}
		}
		if n.children[s] == nil {
			n.children[s] = c
		} else {
			n.children[s].absorb(c)
		}
	}
}

func (n *pathNode) count() int {
	k := 0
	if n.leaf {
		k++
	}
	for _, c := range n.children {
		k += c.count()
	}
	return k
}
