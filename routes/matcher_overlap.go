package routes

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// overlap reports whether one request can meet both. In doubt it says yes.
func (n *needs) overlap(o *needs) bool {
	if len(n.methods) > 0 && len(o.methods) > 0 &&
		!slices.ContainsFunc(n.methods, func(m string) bool { return slices.Contains(o.methods, m) }) {
		return false
	}
	return overlapPairs(n.headers, o.headers) && overlapPairs(n.query, o.query) && overlapPairs(n.cookies, o.cookies)
}

func overlapPairs(a, b []Pair) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Name == q.Name && !p.overlaps(q) {
				return false
			}
		}
	}
	return true
}

// overlaps reports whether a value satisfies both pairs.
func (p Pair) overlaps(q Pair) bool {
	switch {
	case p.Any || q.Any:
		return true
	case p.Pattern == nil:
		return q.accepts(p.Value)
	case q.Pattern == nil:
		return p.accepts(q.Value)
	}
	return overlapTexts(p.Pattern.String(), q.Pattern.String())
}

// implies reports whether all that meets n meets o. In doubt it says no.
func (n *needs) implies(o *needs) bool {
	if len(o.methods) > 0 && (len(n.methods) == 0 ||
		slices.ContainsFunc(n.methods, func(m string) bool { return !slices.Contains(o.methods, m) })) {
		return false
	}
	return n.impliesPairs(o)
}

// impliesPairs is implies without the methods.
func (n *needs) impliesPairs(o *needs) bool {
	return impliesAll(n.headers, o.headers) && impliesAll(n.query, o.query) && impliesAll(n.cookies, o.cookies)
}

func impliesAll(from, to []Pair) bool {
	for _, q := range to {
		if !slices.ContainsFunc(from, func(p Pair) bool { return p.Name == q.Name && p.implies(q) }) {
			return false
		}
	}
	return true
}

// implies reports whether every value that p accepts is one that q accepts.
func (p Pair) implies(q Pair) bool {
	switch {
	case q.Any:
		return true
	case p.Any:
		return false
	case p.Pattern == nil:
		return q.accepts(p.Value)
	}
	return q.Pattern != nil && p.Pattern.String() == q.Pattern.String()
}

// ranked reports whether one of two segments is more specific wherever
// both match, which their order then says. Where they first differ, two
// expressions, or two texts after a parameter, cannot be compared.
func ranked(a, b *segment) bool {
	s, t := a.tokens(), b.tokens()
	parameter := false
	for i := range min(len(s), len(t)) {
		if s[i] != t[i] {
			if s[i].kind != t[i].kind {
				return true
			}
			return s[i].kind == keyLiteral && !parameter
		}
		parameter = parameter || s[i].kind == keyExpr || s[i].kind == keyParam
	}
	return true
}

// overlapPatterns reports whether a path matches both. In doubt it says yes.
func overlapPatterns(a, b *pattern) bool {
	for i := 0; ; i++ {
		switch {
		case i == len(a.segs) && i == len(b.segs):
			return true
		case i == len(a.segs):
			return b.segs[i].all()
		case i == len(b.segs):
			return a.segs[i].all()
		case !overlapSegments(&a.segs[i], &b.segs[i]):
			return false
		case a.segs[i].star || b.segs[i].star:
			return true
		}
	}
}

func overlapSegments(a, b *segment) bool {
	if a.parts == nil && b.parts == nil {
		return a.star || b.star || a.text == b.text
	}
	return overlapTexts(a.expr(), b.expr())
}

// expr returns an expression for all that the segment matches, and perhaps more.
func (s *segment) expr() string {
	var b strings.Builder
	if s.parts == nil && !s.star {
		b.WriteString(regexp.QuoteMeta(s.text))
	}
	for _, p := range s.parts {
		switch {
		case p.lit != "":
			b.WriteString(regexp.QuoteMeta(p.lit))
		case p.rex != nil:
			b.WriteString("(?:" + p.expr + ")")
		default:
			b.WriteString("[^/]+")
		}
	}
	if s.star {
		b.WriteString(".*")
	}
	return b.String()
}

// overlapTexts reports whether a text exists that both expressions match as a
// whole. It walks the two automata side by side; where it would take too long,
// or an expression cannot be read, the answer is yes.
func overlapTexts(a, b string) bool {
	x, y := automaton(a), automaton(b)
	if x == nil || y == nil {
		return true
	}
	type state struct{ x, y uint32 }
	todo := []state{{uint32(x.Start), uint32(y.Start)}}
	seen := map[state]bool{todo[0]: true}
	const most = 20_000
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		xs, xEnds := steps(x, s.x)
		ys, yEnds := steps(y, s.y)
		if xEnds && yEnds {
			return true
		}
		for _, i := range xs {
			for _, j := range ys {
				next := state{i.Out, j.Out}
				if !seen[next] && shareRune(i, j) {
					if len(seen) == most {
						return true
					}
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	return false
}

func automaton(expr string) *syntax.Prog {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil
	}
	return prog
}

// steps returns the instructions that read a rune next, and whether the text
// may end here. Anchors and word boundaries count as given.
func steps(p *syntax.Prog, pc uint32) (reads []*syntax.Inst, ends bool) {
	seen := map[uint32]bool{}
	var walk func(uint32)
	walk = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		switch i := &p.Inst[pc]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			walk(i.Out)
			walk(i.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			walk(i.Out)
		case syntax.InstMatch:
			ends = true
		case syntax.InstFail:
		default:
			reads = append(reads, i)
		}
	}
	walk(pc)
	return reads, ends
}

// shareRune reports whether two instructions read a common rune.
func shareRune(a, b *syntax.Inst) bool {
	x, y := runes(a), runes(b)
	for i := 0; i < len(x); i += 2 {
		for j := 0; j < len(y); j += 2 {
			if x[i] <= y[j+1] && y[j] <= x[i+1] {
				return true
			}
		}
	}
	return false
}

// runes returns what an instruction reads, as pairs of first and last.
func runes(i *syntax.Inst) []rune {
	switch {
	case i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL:
		return []rune{0, unicode.MaxRune}
	case len(i.Rune) > 1:
		return i.Rune
	}
	r := i.Rune[0]
	rs := []rune{r, r}
	if syntax.Flags(i.Arg)&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			rs = append(rs, f, f)
		}
	}
	return rs
}
