package routes

import (
	"strings"
	"testing"
)

func TestRoutesThatCannotBeToldApartAreErrors(t *testing.T) {
	const (
		same   = "matches the same requests"
		tie    = "neither is more specific"
		hidden = "no request reaches this route"
	)
	for name, c := range map[string]struct {
		a, b *Route
		want string // of the problem; empty: none
	}{
		"same path":                           {route("a", "/x"), route("b", "/x"), same},
		"same path, parameters named apart":   {route("a", "/{x}"), route("b", "/{y}"), same},
		"same path, written apart":            {route("a", "/~x"), route("b", "/%7ex"), same},
		"an expression that takes everything": {route("a", "/{x:.+}"), route("b", "/{y}"), same},
		"same host among others":              {route("a", "/", hosts("x", "y")), route("b", "/", hosts("y", "z")), same},
		"same predicates in another order":    {route("a", "/", header(is("x", "1")), header(has("Y"))), route("b", "/", header(has("y")), header(is("X", "1"))), same},
		"different headers":                   {route("a", "/", header(has("x"))), route("b", "/", header(has("y"))), tie},
		"methods that overlap":                {route("a", "/", methods("GET", "PUT")), route("b", "/", methods("GET", "POST")), tie},
		"expressions that overlap":            {route("a", "/{x:[0-9]+}"), route("b", "/{x:[0-9a-f]+}"), tie},
		"expressions that overlap, further on": {
			route("a", "/{x:[0-9]+}/a/{z}"), route("b", "/{x:[0-9a-f]+}/{y}/b"), tie},
		"parameters cut in two ways": {route("a", "/{x}.{y}"), route("b", "/{x}-{y}"), tie},
		"values that overlap":        {route("a", "/", query(like("q", "a.*"))), route("b", "/", query(like("q", ".*b"))), tie},
		"methods taken one by one":   {route("a", "/", methods("GET")), route("b", "/", methods("GET")), same},
		"an expression for anything": {route("a", "/", header(is("x", "1")), header(is("x", "1"))), route("b", "/", header(is("x", "1"))), hidden},

		"different paths":        {route("a", "/x"), route("b", "/y"), ""},
		"exact and prefix":       {route("a", "/x"), route("b", "/x/*"), ""},
		"different hosts":        {route("a", "/", hosts("x")), route("b", "/", hosts("y")), ""},
		"different values":       {route("a", "/", header(is("x", "1"))), route("b", "/", header(is("x", "2"))), ""},
		"value and presence":     {route("a", "/", header(is("x", "1"))), route("b", "/", header(has("x"))), ""},
		"header and query":       {route("a", "/", header(has("x"))), route("b", "/", query(has("x"))), ""},
		"disjoint expressions":   {route("a", "/{x:[0-9]+}"), route("b", "/{x:[a-z]+}"), ""},
		"disjoint in their ends": {route("a", "/{x}.json"), route("b", "/{x}-v1"), ""},
		"disjoint further on":    {route("a", "/{x:[0-9]+}/a"), route("b", "/{x:[0-9a-f]+}/b"), ""},
		"disjoint values":        {route("a", "/", cookie(like("v", "1.*"))), route("b", "/", cookie(like("v", "(?i)2x|3"))), ""},
		"fewer methods":          {route("a", "/", methods("GET")), route("b", "/", methods("GET", "POST")), ""},
		"crossing parameters":    {route("a", "/{x}/b"), route("b", "/a/{y}"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.a.At, c.b.At = Position{"ficus.yaml", 4, 5}, Position{"ficus.yaml", 7, 5}
			m, ps := newMatcher([]*Route{c.b, c.a})
			if c.want == "" {
				if ps != nil || m == nil {
					t.Fatal(ps)
				}
				return
			}
			if len(ps) != 1 || m != nil {
				t.Fatalf("problems: %v", ps)
			}
			if got := ps[0].Error(); !strings.Contains(got, c.want) || !strings.Contains(got, "ficus.yaml:7:5") ||
				!strings.Contains(got, "ficus.yaml:4:5") || ps[0].Hint == "" {
				t.Error(got)
			}
		})
	}
}

func TestMethodsTakenOneByOneHideARoute(t *testing.T) {
	rs := []*Route{
		route("both", "/", methods("GET", "POST")),
		route("get", "/", methods("GET")),
		route("post", "/", methods("POST")),
	}
	for i, r := range rs {
		r.At = Position{"ficus.yaml", i + 1, 3}
	}
	_, ps := newMatcher(rs)
	if len(ps) != 1 || ps[0].At.Line != 1 || !strings.Contains(ps[0].Text, "ficus.yaml:3:3") {
		t.Fatal(ps)
	}
}

func TestBadPathsNameTheMistake(t *testing.T) {
	for path, want := range map[string]string{
		"":              "does not begin with a slash",
		"a":             "does not begin with a slash",
		"/{a":           "without its",
		"/a}":           "without its",
		"/{}":           "without a name",
		"/{a:}":         "no expression",
		"/{a:[}":        "the expression of {a}",
		"/{a}{b}":       "two parameters without anything between",
		"/{a}/{a}":      "given twice",
		"/*/a":          "must come last",
		"/a*b":          "must come last",
		"/{a}*":         "right after a parameter",
		"/a?b=1":        "cannot stand in a path",
		"/a#b":          "cannot stand in a path",
		"/a/../b":       "can never be asked for",
		"/%2e%2E":       "can never be asked for",
		"/{a:[0-9]{2}":  "without its",
		"/{a:(?<a>[)}/": "the expression of {a}",
	} {
		_, ps := newMatcher([]*Route{{ID: "r", Match: Match{Path: path}, At: Position{"f", 1, 2}}})
		if len(ps) != 1 || !strings.Contains(ps[0].Text, want) || ps[0].At.Line != 1 {
			t.Errorf("%q: %v, want %q", path, ps, want)
		}
	}
}

// A pattern that we accept is one that chi accepts.
func FuzzPatterns(f *testing.F) {
	for _, s := range []string{"/", "/*", "/a/{b}.{c:[0-9]{2}}-d*", "/{a:x|y}/é/%2f", "/{a}{b}", "//", "/{a:(})}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePattern(s)
		if err != nil {
			return
		}
		var b *branch
		b = b.add(&candidate{route: &Route{}, path: p})
		if err := b.compile(); err != nil {
			t.Errorf("%q as %q: %v", s, p.text, err)
		}
		b.find(request("GET", "/a/b"), "/a/b")
	})
}
