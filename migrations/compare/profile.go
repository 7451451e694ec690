package compare

import "iter"

// learnedAfter is how many probes an endpoint needs until a path that never
// differed in one is taken for exact. Before, values that look volatile are
// held to their class only.
const learnedAfter = 30

// A Profile is what has been learned about an endpoint: to which level the
// candidate is held at each path. It is immutable; a newer one replaces it.
// Nil knows nothing.
type Profile struct {
	probes  int
	levels  map[string]Level
	tracked *tracked
	paths   []string // by id in tracked
}

// Probes says from how many pairs of the control with itself it was learned.
func (p *Profile) Probes() int {
	if p == nil {
		return 0
	}
	return p.probes
}

// Level returns the level that the candidate is held to at a path, and
// whether it was learned there or is what holds anywhere.
func (p *Profile) Level(path string) (held Level, learned bool) {
	if p == nil {
		return Exact, false
	}
	if l, ok := p.levels[path]; ok {
		return l, true
	}
	return Exact, p.probes >= learnedAfter
}

// Levels lists the paths that are held to less than exact.
func (p *Profile) Levels() iter.Seq2[string, Level] {
	return func(yield func(string, Level) bool) {
		if p == nil {
			return
		}
		for path, l := range p.levels {
			if l > Exact && !yield(path, l) {
				return
			}
		}
	}
}

// held is the level for a difference whose values are of the given classes.
func (p *Profile) held(path string, a, b Class) Level {
	l, learned := p.Level(path)
	if !learned && a == b && a.volatile() {
		return Classed
	}
	return l
}

// A tracked is a set of path templates as a tree, so that a reader can tell
// as it goes along which of them a body has.
type tracked struct{ root trackedNode }

type trackedNode struct {
	id       int32 // −1: only on the way to others
	members  map[string]*trackedNode
	elements *trackedNode
	any      *trackedNode
}

func newTracked() *tracked { return &tracked{trackedNode{id: -1}} }

// add puts a template of a body into the tree. Others are left out.
func (t *tracked) add(template string, id int32) {
	p, err := parsePattern(template)
	if err != nil || p.root != "$" {
		return
	}
	n := &t.root
	for _, s := range p.segs {
		switch {
		case s.array:
			n = grow(&n.elements)
		case s.any:
			n = grow(&n.any)
		default:
			if n.members == nil {
				n.members = map[string]*trackedNode{}
			}
			next := n.members[s.name]
			if next == nil {
				next = &trackedNode{id: -1}
				n.members[s.name] = next
			}
			n = next
		}
	}
	n.id = id
}

func grow(n **trackedNode) *trackedNode {
	if *n == nil {
		*n = &trackedNode{id: -1}
	}
	return *n
}

func (n *trackedNode) child(s *step) *trackedNode {
	if n == nil {
		return nil
	}
	switch s.form {
	case byIndex:
		return n.elements
	case byText:
		return n.members["text()"]
	case byAttribute:
		return n.members["@"+string(s.name)]
	}
	if c := n.members[string(s.name)]; c != nil {
		return c
	}
	if n.any != nil && opaqueKey(s.name) {
		return n.any
	}
	return nil
}
