package routes

import (
	"cmp"
	"slices"
	"strings"
)

// The parts of a pattern, most specific first. A pattern's key is made of them
// so that the order of keys is the order of patterns: byte by byte from the
// left, text before the end before an expression before a parameter before
// "*". So "/api/orders" comes before "/api/{x}", which comes before "/api/*",
// and of two prefixes the longer one is first.
const (
	keyLiteral = '1' + iota // and a byte
	keyEnd                  // of a segment
	keyExpr                 // and the expression, and a zero byte
	keyParam
	keyStar
)

func (s *segment) writeKey(b *strings.Builder) {
	for _, t := range s.tokens() {
		b.WriteByte(t.kind)
		b.WriteString(t.text)
		if t.kind == keyExpr {
			b.WriteByte(0)
		}
	}
}

// A token is the smallest piece of a segment that has a rank.
type token struct {
	kind byte
	text string
}

func (s *segment) tokens() []token {
	var ts []token
	literal := func(text string) {
		for i := range len(text) {
			ts = append(ts, token{keyLiteral, text[i : i+1]})
		}
	}
	if s.parts == nil && !s.star {
		literal(s.text)
	}
	for _, p := range s.parts {
		switch {
		case p.lit != "":
			literal(p.lit)
		case p.rex != nil:
			ts = append(ts, token{keyExpr, p.expr})
		default:
			ts = append(ts, token{kind: keyParam})
		}
	}
	if s.star {
		return append(ts, token{kind: keyStar})
	}
	return append(ts, token{kind: keyEnd})
}

// A rank is where a match stands in the order of precedence, but for hosts
// and path, which decide before it.
type rank struct {
	method                  bool
	headers, query, cookies int
	exact, patterns         int // predicates that say more than "present"
	methods                 int // fewer are more specific
}

func rankOf(m *Match) rank {
	r := rank{
		method:  len(m.Methods) > 0,
		headers: len(m.Headers), query: len(m.Query), cookies: len(m.Cookies),
		methods: len(m.Methods),
	}
	for _, pairs := range [][]Pair{m.Headers, m.Query, m.Cookies} {
		for _, p := range pairs {
			switch {
			case p.Any:
			case p.Pattern != nil:
				r.patterns++
			default:
				r.exact++
			}
		}
	}
	return r
}

// compare returns a negative number if r is more specific than o.
func (r rank) compare(o rank) int {
	if r.method != o.method {
		if r.method {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(o.headers, r.headers),
		cmp.Compare(o.query, r.query),
		cmp.Compare(o.cookies, r.cookies),
		cmp.Compare(o.exact, r.exact),
		cmp.Compare(o.patterns, r.patterns),
		cmp.Compare(r.methods, o.methods),
	)
}

// moreSpecific returns a negative number if a takes precedence over b, a
// positive one if b does, and 0 if neither. The order is the Gateway API's: an
// exact host, then a wildcard, the longer first, then none; the path, as
// [pattern] keys order it; a method given; more header predicates, then more
// query predicates, then more cookie predicates; then more of them with a
// value to equal, then with an expression; then fewer methods.
//
// A match with several hosts stands where its most specific one does. For a
// request it is the host asked for that counts.
func moreSpecific(a, b *Match) int {
	return newStanding(a).compare(newStanding(b))
}

// A standing is all that the order of routes looks at.
type standing struct {
	host string // key of the most specific host
	path string // key of the pattern
	rank rank
}

func newStanding(m *Match) standing {
	s := standing{host: hostKey(m), rank: rankOf(m), path: m.Path}
	if p, err := parsePattern(m.Path); err == nil {
		s.path = p.key
	}
	return s
}

func (s standing) compare(o standing) int {
	return cmp.Or(cmp.Compare(s.host, o.host), cmp.Compare(s.path, o.path), s.rank.compare(o.rank))
}

// hostKey returns a text that sorts more specific hosts first.
func hostKey(m *Match) string {
	best := "~" // no host
	for _, h := range m.Hosts {
		if h == "*" {
			continue
		}
		k := "0" + h
		if suffix, wild := strings.CutPrefix(h, "*."); wild {
			k = "1" + string(rune(0x10000-len(suffix))) + suffix
		}
		best = min(best, k)
	}
	return best
}

// sortRoutes puts the most specific route first and numbers the routes.
// Routes that nothing tells apart keep the order of the files.
func sortRoutes(routes []*Route) {
	at := make(map[*Route]standing, len(routes))
	for _, r := range routes {
		at[r] = newStanding(&r.Match)
	}
	slices.SortStableFunc(routes, func(a, b *Route) int {
		return cmp.Or(
			at[a].compare(at[b]),
			cmp.Compare(a.At.File, b.At.File),
			cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Col, b.At.Col),
			cmp.Compare(a.ID, b.ID),
		)
	})
	for i, r := range routes {
		r.Index = i
	}
}
