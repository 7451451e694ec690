package routes

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A table is as good as trying all routes in the order of precedence, however
// the file orders them, and no two routes that match stand equal.
func TestMatchEqualsTryingAllRoutesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := drawRoutes(t)
		m, ps := newMatcher(slices.Clone(rs))
		for ps != nil { // leave out what is refused
			rs = slices.DeleteFunc(rs, func(r *Route) bool { return r.At == ps[0].At })
			m, ps = newMatcher(slices.Clone(rs))
		}
		shuffled, ps := newMatcher(rapid.Permutation(rs).Draw(t, "file"))
		if ps != nil {
			t.Fatalf("the same routes in another order: %v", ps)
		}
		for range 20 {
			r := drawRequest(t)
			want, tie := naive(rs, r)
			if tie != nil {
				t.Fatalf("%s %s: %v and %v stand equal", r.Host, r.RequestURI, want.Match, tie.Match)
			}
			for _, m := range []*matcher{m, shuffled} {
				if got := m.match(r); got != want {
					t.Fatalf("%s %s %s: %s, want %s", r.Method, r.Host, r.RequestURI, id(got), id(want))
				}
			}
		}
	})
}

// naive tries all routes. It has its own idea of what a pattern means, and
// returns a second route if that has the same precedence.
func naive(rs []*Route, r *http.Request) (best, tie *Route) {
	var bestHost int
	for _, c := range rs {
		host := naiveHost(c.Match.Hosts, r.Host)
		if host < 0 || !naivePath(c.Match.Path, r.RequestURI) || !naiveNeeds(&c.Match, r) {
			continue
		}
		order := 1
		if best != nil {
			a, b := c.Match, best.Match
			a.Hosts, b.Hosts = nil, nil
			order = moreSpecific(&b, &a)
			if host != bestHost {
				order = host - bestHost
			}
		}
		switch {
		case order > 0:
			best, bestHost, tie = c, host, nil
		case order == 0:
			tie = c
		}
	}
	return best, tie
}

func naiveHost(hosts []string, host string) int {
	if len(hosts) == 0 {
		return 0
	}
	best := -1
	for _, h := range hosts {
		switch {
		case h == host:
			best = 1000
		case h[0] == '*' && strings.HasSuffix(host, h[1:]):
			best = max(best, len(h))
		}
	}
	return best
}

var naiveParam = regexp.MustCompile(`\{[a-z]+:?([^}]*)\}`)

// naivePath makes an expression of the pattern. A parameter without one takes
// anything but a slash and the byte after it.
func naivePath(path, target string) bool {
	target, _, _ = strings.Cut(target, "?")
	path, prefix := strings.CutSuffix(path, "/*")
	expr, from := "^", 0
	for _, at := range naiveParam.FindAllStringSubmatchIndex(path, -1) {
		expr += regexp.QuoteMeta(path[from:at[0]])
		from = at[1]
		if value := path[at[2]:at[3]]; value != "" {
			expr += value
		} else {
			expr += "[^/" + regexp.QuoteMeta(path[from:min(from+1, len(path))]) + "]+"
		}
	}
	expr += regexp.QuoteMeta(path[from:])
	if prefix {
		expr += "(/.*)?"
	}
	return regexp.MustCompile(expr + "$").MatchString(target)
}

func naiveNeeds(m *Match, r *http.Request) bool {
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, r.Method) {
		return false
	}
	ok := func(p Pair, vs []string) bool {
		return len(vs) > 0 && (p.Any || p.Pattern != nil && p.Pattern.MatchString(vs[0]) || p.Pattern == nil && p.Value == vs[0])
	}
	for _, p := range m.Headers {
		if !ok(p, r.Header.Values(p.Name)) {
			return false
		}
	}
	for _, p := range m.Query {
		if !ok(p, r.URL.Query()[p.Name]) {
			return false
		}
	}
	for _, p := range m.Cookies {
		var vs []string
		for _, c := range r.CookiesNamed(p.Name) {
			vs = append(vs, c.Value)
		}
		if !ok(p, vs) {
			return false
		}
	}
	return true
}

func drawRoutes(t *rapid.T) []*Route {
	segment := rapid.SampledFrom([]string{
		"a", "b", "ab", "", "{p}", "{p}", "{p:[0-9]+}", "{p:[a-b]+}", "a{p}", "{p}.a", "{p}-b", "{p:[0-9]+}.a", "a{p:[0-9]+}",
	})
	pair := rapid.SampledFrom([]Pair{is("x", "1"), is("x", "2"), has("x"), like("x", "^[0-9]$"), is("y", "1"), has("y")})
	name := rapid.StringMatching("[a-z]{6}")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Route {
		r := &Route{ID: name.Draw(t, "id")}
		var b strings.Builder
		for _, s := range rapid.SliceOfN(segment, 0, 3).Draw(t, "path") {
			b.WriteByte('/')
			b.WriteString(strings.Replace(s, "{p", "{"+name.Draw(t, "name"), 1))
		}
		if b.Len() == 0 || rapid.Bool().Draw(t, "prefix") {
			b.WriteString("/*")
		}
		r.Match.Path = b.String()
		few := func(label string) []Pair { return rapid.SliceOfN(pair, 0, 1).Draw(t, label) }
		if rapid.IntRange(0, 2).Draw(t, "needs") == 0 {
			r.Match.Headers, r.Match.Query, r.Match.Cookies = few("headers"), few("query"), few("cookies")
			r.Match.Methods = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"GET", "POST"}), 0, 2, rapid.ID).Draw(t, "methods")
		}
		if rapid.IntRange(0, 2).Draw(t, "hosted") == 0 {
			r.Match.Hosts = rapid.SliceOfNDistinct(
				rapid.SampledFrom([]string{"a.x", "x", "*.x", "*.a.x", "y"}), 1, 2, rapid.ID).Draw(t, "hosts")
		}
		r.At = Position{"f", rapid.IntRange(1, 1<<30).Draw(t, "line"), 1}
		return r
	}), 0, 12).Draw(t, "routes")
}

func drawRequest(t *rapid.T) *http.Request {
	segment := rapid.SampledFrom([]string{"a", "b", "ab", "", "7", "77", "a7", "a.a", "a-b", "7.a", "a7.a", "b-b-b", "a.a.a", "%2F", "."})
	path := "/" + strings.Join(rapid.SliceOfN(segment, 0, 4).Draw(t, "asked"), "/")
	if hasDots(path) {
		path = "/a"
	}
	target := path + rapid.SampledFrom([]string{"", "?", "?x=1", "?x=2&y=1", "?y&x=3&x=1"}).Draw(t, "query")
	r := request(rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "method"), target,
		"Host: "+rapid.SampledFrom([]string{"x", "a.x", "b.a.x", "y", "z"}).Draw(t, "host"))
	for _, f := range rapid.SliceOfN(rapid.SampledFrom([]string{"X: 1", "X: 2", "Y: 1", "Cookie: x=1", "Cookie: y=1; x=12", "Cookie: x=2"}), 0, 3).Draw(t, "fields") {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	return r
}
