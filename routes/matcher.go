package routes

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
)

// A matcher finds the route of a request. It is immutable.
//
// Hosts decide first, so there is a branch for each host that a route names,
// exactly or with a wildcard, and one for the routes that name none.
type matcher struct {
	routes []*candidate       // all, most specific first
	exact  map[string]*branch // by host
	below  map[string]*branch // by what follows "*."
	any    *branch            // nil without a route for every host
}

// A candidate is a route made ready for matching.
type candidate struct {
	route *Route
	path  *pattern
	needs needs
	rank  rank
}

// newMatcher sorts the routes, most specific first, and compiles them. It
// reports bad paths, routes that are given twice, ties, and routes that no
// request can reach. With problems there is no matcher.
func newMatcher(routes []*Route) (*matcher, Problems) {
	sortRoutes(routes)
	m := &matcher{exact: map[string]*branch{}, below: map[string]*branch{}}
	var ps Problems
	for _, r := range routes {
		p, err := parsePattern(r.Match.Path)
		if err != nil {
			ps = append(ps, Problem{At: r.At, Text: err.Error()})
			continue
		}
		c := &candidate{route: r, path: p, needs: newNeeds(&r.Match), rank: rankOf(&r.Match)}
		m.routes = append(m.routes, c)
		if len(r.Match.Hosts) == 0 {
			m.any = m.any.add(c)
		}
		for _, h := range r.Match.Hosts {
			if suffix, wild := strings.CutPrefix(h, "*."); wild {
				m.below[suffix] = m.below[suffix].add(c)
			} else if h == "*" {
				m.any = m.any.add(c)
			} else {
				h = hostName(h)
				m.exact[h] = m.exact[h].add(c)
			}
		}
	}
	for b := range m.branches {
		if err := b.compile(); err != nil {
			ps = append(ps, Problem{Text: err.Error()})
		}
	}
	ps = append(ps, m.check()...)
	if len(ps) > 0 {
		slices.SortStableFunc(ps, func(a, b Problem) int {
			return cmp.Or(comparePositions(a.At, b.At), cmp.Compare(a.Text, b.Text))
		})
		return nil, ps
	}
	return m, nil
}

// branches yields all branches, in no order.
func (m *matcher) branches(yield func(*branch) bool) {
	for _, b := range m.exact {
		if !yield(b) {
			return
		}
	}
	for _, b := range m.below {
		if !yield(b) {
			return
		}
	}
	if m.any != nil {
		yield(m.any)
	}
}

// Match returns the most specific route that matches the request, whatever
// the order in the file. It is nil only if no route matches, which cannot be
// where one has the path "/*" and asks for nothing else. It does not allocate,
// but for paths and hosts that have to be normalised and for query parameters
// that are compared with an expression and come percent-encoded.
func (t *Table) Match(r *http.Request) *Route {
	if t.matcher == nil {
		return nil
	}
	return t.matcher.match(r)
}

func (m *matcher) match(r *http.Request) *Route {
	path := matchPath(r)
	if len(m.exact) > 0 || len(m.below) > 0 {
		host := hostName(r.Host)
		if b := m.exact[host]; b != nil {
			if c := b.find(r, path); c != nil {
				return c.route
			}
		}
		for len(m.below) > 0 {
			i := strings.IndexByte(host, '.')
			if i < 0 {
				break
			}
			host = host[i+1:]
			if b := m.below[host]; b != nil {
				if c := b.find(r, path); c != nil {
					return c.route
				}
			}
		}
	}
	if m.any != nil {
		if c := m.any.find(r, path); c != nil {
			return c.route
		}
	}
	return nil
}

// hostName returns a host as routes name it: in lower case, without port,
// brackets and trailing dot.
func hostName(host string) string {
	if strings.HasPrefix(host, "[") {
		if i := strings.IndexByte(host, ']'); i > 0 {
			return strings.ToLower(host[1:i])
		}
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[:i], ':') < 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// A branch holds the routes of one host.
//
// The usual request is answered by chi, whose radix tree goes straight to the
// most specific pattern. Only when none of that pattern's routes accepts the
// request are the less specific ones looked at, in order, in a tree of our own.
type branch struct {
	root   node
	leaves map[string]*leaf // by the text of their pattern
	mux    *chi.Mux
	mixed  bool // chi would try the patterns in another order
}

// A leaf holds the routes of one pattern, most specific first.
type leaf struct {
	path       *pattern
	candidates []*candidate
}

// add puts a candidate into the branch, which it makes if there is none.
func (b *branch) add(c *candidate) *branch {
	if b == nil {
		b = &branch{leaves: map[string]*leaf{}}
	}
	l := b.leaves[c.path.text]
	if l == nil {
		l = &leaf{path: c.path}
		b.leaves[c.path.text] = l
		b.root.insert(c.path.segs, l)
	}
	if !slices.Contains(l.candidates, c) { // a host may be named twice
		l.candidates = append(l.candidates, c)
	}
	return b
}

// compile orders the candidates and hands the patterns to chi. They have been checked, so a panic of
// chi's is a mistake of ours; it must not end the process that reloads.
func (b *branch) compile() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a path that the router refuses: %v", p)
		}
	}()
	b.mux = chi.NewRouter()
	handler := http.NotFoundHandler() // never called: the pattern is all we ask for
	for text, l := range b.leaves {
		// Routes of several hosts stood in the order of their most specific one.
		slices.SortStableFunc(l.candidates, func(a, b *candidate) int { return a.rank.compare(b.rank) })
		b.mux.Method(http.MethodGet, text, handler)
		if bare, ok := strings.CutSuffix(text, "/*"); ok && bare != "" && b.leaves[bare] == nil {
			b.mux.Method(http.MethodGet, bare, handler)
		}
		for _, s := range l.path.segs {
			for _, p := range s.parts {
				b.mixed = b.mixed || p.rex != nil && p.end != 0
			}
		}
	}
	return nil
}

// lookups are chi's contexts, which keep the memory that its search needs.
var lookups = sync.Pool{New: func() any { return chi.NewRouteContext() }}

// find returns the most specific candidate that accepts the request.
func (b *branch) find(r *http.Request, path string) *candidate {
	var first *leaf
	if path != "" && !b.mixed {
		ctx := lookups.Get().(*chi.Context)
		ctx.Reset()
		text := b.mux.Find(ctx, http.MethodGet, path)
		lookups.Put(ctx)
		if text == "" {
			return nil
		}
		// chi lets a parameter be empty in the middle of a path; we do not.
		if l := b.leaves[text]; l != nil && l.path.match(path) {
			first = l
			if c := l.find(r); c != nil {
				return c
			}
		}
	}
	var found *candidate
	b.root.each(path, 1, func(l *leaf) bool {
		if l == first {
			return true
		}
		found = l.find(r)
		return found == nil
	})
	return found
}

// find returns the leaf's most specific candidate whose predicates hold.
func (l *leaf) find(r *http.Request) *candidate {
	for _, c := range l.candidates {
		if c.needs.met(r) {
			return c
		}
	}
	return nil
}
