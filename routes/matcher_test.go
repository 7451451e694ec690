package routes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// route returns a route with its position made of its place in the test.
func route(id, path string, edits ...func(*Match)) *Route {
	r := &Route{ID: id, Match: Match{Path: path}, Upstream: "u"}
	for _, e := range edits {
		e(&r.Match)
	}
	return r
}

func hosts(hs ...string) func(*Match)   { return func(m *Match) { m.Hosts = hs } }
func methods(ms ...string) func(*Match) { return func(m *Match) { m.Methods = ms } }
func header(p Pair) func(*Match)        { return func(m *Match) { m.Headers = append(m.Headers, p) } }
func query(p Pair) func(*Match)         { return func(m *Match) { m.Query = append(m.Query, p) } }
func cookie(p Pair) func(*Match)        { return func(m *Match) { m.Cookies = append(m.Cookies, p) } }

func is(name, value string) Pair  { return Pair{Name: name, Value: value} }
func has(name string) Pair        { return Pair{Name: name, Any: true} }
func like(name, expr string) Pair { return Pair{Name: name, Pattern: regexp.MustCompile(expr)} }

// table compiles routes; line i of the file is the i-th of them.
func table(t testing.TB, rs ...*Route) *Table {
	t.Helper()
	for i, r := range rs {
		r.At = Position{"ficus.yaml", i + 1, 3}
	}
	m, ps := newMatcher(rs)
	if ps != nil {
		t.Fatal(ps)
	}
	return &Table{Routes: rs, matcher: m}
}

func request(method, target string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.RequestURI = target
	if _, q, ok := strings.Cut(target, "?"); ok {
		r.URL.RawQuery = q
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	return r
}

func id(r *Route) string {
	if r == nil {
		return "-"
	}
	return r.ID
}

func TestMostSpecificPathWins(t *testing.T) {
	tab := table(t,
		route("rest", "/*"),
		route("param", "/api/{thing}"),
		route("prefix", "/api/orders/*"),
		route("longer", "/api/orders/archive/*"),
		route("number", "/api/orders/{id:[0-9]+}"),
		route("one", "/api/orders/{id}"),
		route("exact", "/api/orders/new"),
		route("slash", "/api/users/"),
		route("file", "/files/{name}.json"),
		route("anyfile", "/files/{name}"),
		route("lines", "/api/{thing}/lines"),
	)
	for target, want := range map[string]string{
		"/":                          "rest",
		"/nothing":                   "rest",
		"/api":                       "rest",
		"/api/":                      "rest",
		"/api/carts":                 "param",
		"/api/orders":                "prefix", // also the prefix itself
		"/api/orders/":               "prefix",
		"/api/orders/7":              "number",
		"/api/orders/x7":             "one",
		"/api/orders/new":            "exact",
		"/api/orders/7/lines":        "prefix",
		"/api/orders/archive":        "longer",
		"/api/orders/archive/2024/1": "longer",
		"/api/ordersx":               "param",
		"/api/users":                 "param",
		"/api/users/":                "slash",
		"/api/carts/lines":           "lines",
		"/api//lines":                "rest", // a parameter is never empty
		"/files/a.json":              "file",
		"/files/a.xml":               "anyfile",
		"/files/.json":               "anyfile",
		"//api/orders":               "rest",
		"/api/%6Frders/7":            "number",
		"/api/orders%2F7":            "param",
		"/api/x/../orders/new":       "exact",
		"/API/orders/new":            "rest",
		"/api/orders;v=1":            "param",
		"http://shop.test/api/carts": "param",
		"http://shop.test":           "rest",
		"*":                          "rest",
		"shop.test:443":              "rest",
	} {
		if got := id(tab.Match(request("GET", target))); got != want {
			t.Errorf("%s: route %q, want %q", target, got, want)
		}
	}
}

func TestHostsDecideBeforePaths(t *testing.T) {
	tab := table(t,
		route("any", "/api/orders"),
		route("rest", "/*"),
		route("wild", "/*", hosts("*.shop.test")),
		route("eu", "/*", hosts("*.eu.shop.test", "eu.test")),
		route("exact", "/api/*", hosts("www.eu.shop.test")),
		route("six", "/*", hosts("::1")),
	)
	for host, want := range map[string]string{
		"other.test":            "any",
		"shop.test":             "any", // the wildcard covers what is below
		"a.shop.test":           "wild",
		"a.b.shop.test":         "wild",
		"a.eu.shop.test":        "eu",
		"EU.test:8080":          "eu",
		"eu.test.":              "eu",
		"www.EU.shop.test:8443": "exact",
		"[::1]:80":              "six",
		"[::1]":                 "six",
		"":                      "any",
	} {
		if got := id(tab.Match(request("GET", "/api/orders", "Host: "+host))); got != want {
			t.Errorf("%s: route %q, want %q", host, got, want)
		}
	}
	if got := id(tab.Match(request("GET", "/x", "Host: www.eu.shop.test"))); got != "eu" {
		t.Errorf("a path that the exact host has no route for: %q, want that of the wildcard", got)
	}
}

func TestPredicatesDecideAmongRoutesOfOnePath(t *testing.T) {
	tab := table(t,
		route("rest", "/*"),
		route("plain", "/a"),
		route("post", "/a", methods("POST")),
		route("v1", "/a", header(is("x-version", "1"))),
		route("v2", "/a", header(is("X-Version", "2"))),
		route("both", "/a", header(is("X-Version", "1")), header(has("X-Beta"))),
		route("query", "/a", query(is("q", "a b"))),
		route("cookie", "/a", cookie(like("uid", "[0-9]+"))),
		route("only", "/b", header(like("X-Version", "[0-9]+"))),
		route("sub", "/b/*", query(has("debug"))),
	)
	for _, c := range []struct {
		want, method, target string
		fields               []string
	}{
		{"plain", "GET", "/a", nil},
		{"plain", "HEAD", "/a", nil},
		{"post", "POST", "/a", []string{"X-Version: 1"}},
		{"v1", "GET", "/a", []string{"X-Version: 1"}},
		{"v1", "GET", "/a", []string{"X-Version: 1", "X-Version: 2"}},
		{"plain", "GET", "/a", []string{"X-Version: 12"}},
		{"both", "GET", "/a", []string{"X-Version: 1", "X-Beta: "}},
		{"query", "GET", "/a?x&q=a+b", nil},
		{"query", "GET", "/a?q=a%20b&q=c", nil},
		{"query", "GET", "/a?%71=a%20b", nil},
		{"plain", "GET", "/a?q=c&q=a+b", nil},
		{"cookie", "GET", "/a", []string{"Cookie: theme=dark; uid=42"}},
		{"cookie", "GET", "/a", []string{"Cookie: theme=dark", `Cookie: uid="42"; x`}},
		{"plain", "GET", "/a", []string{"Cookie: uid=42x; xuid=1"}},
		{"plain", "GET", "/a", []string{"Cookie: UID=42"}},
		{"only", "GET", "/b", []string{"X-Version: 12"}},
		{"rest", "GET", "/b", []string{"X-Version: 12x"}},
		{"sub", "GET", "/b?debug", nil},
		{"rest", "GET", "/b/c?debugging=1", nil},
	} {
		if got := id(tab.Match(request(c.method, c.target, c.fields...))); got != c.want {
			t.Errorf("%s %s %q: route %q, want %q", c.method, c.target, c.fields, got, c.want)
		}
	}
}

func TestNoRouteWithoutCatchAll(t *testing.T) {
	tab := table(t, route("a", "/a"))
	if got := tab.Match(request("GET", "/b")); got != nil {
		t.Errorf("route %q for a path that none has", got.ID)
	}
	if got := (&Table{}).Match(request("GET", "/")); got != nil {
		t.Errorf("route %q of an empty table", got.ID)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	rs := manyRoutes(1000)
	rs = append(rs, route("e", "/e/{x:[a-z]+}/f", header(is("X-A", "1")), query(is("q", "a b")), cookie(is("uid", "7"))))
	tab := table(t, rs...)
	for _, r := range []*http.Request{
		request("GET", "/service7/items/42/lines"),
		request("GET", "/service7/%2Fitems/a.b/..."),
		request("POST", "/e/abc/f?x=1&q=a%20b", "X-A: 1", `Cookie: a=b; uid="7"`),
		request("POST", "/e/abc/f?x=1&q=a%20c", "X-A: 1", `Cookie: a=b; uid="7"`),
		request("GET", "/service7/export", "Host: shop3.test:8080"),
		request("OPTIONS", "*"),
	} {
		if tab.Match(r) == nil {
			t.Fatalf("%s: no route", r.RequestURI)
		}
		if n := testing.AllocsPerRun(200, func() { tab.Match(r) }); n != 0 {
			t.Errorf("%s: %v allocations", r.RequestURI, n)
		}
	}
}

// manyRoutes returns what a large installation might have.
func manyRoutes(n int) []*Route {
	rs := []*Route{route("rest", "/*")}
	for i := 0; len(rs) < n; i++ {
		base := fmt.Sprintf("/service%d", i)
		host := hosts(fmt.Sprintf("shop%d.test", i))
		rs = append(rs,
			route(base+"-all", base+"/*"),
			route(base+"-item", base+"/items/{id}"),
			route(base+"-number", base+"/items/{id:[0-9]+}"),
			route(base+"-lines", base+"/items/{id}/lines"),
			route(base+"-post", base+"/items", methods("POST")),
			route(base+"-beta", base+"/items", header(is("X-Beta", "1"))),
			route(base+"-file", base+"/files/{name}.json"),
			route(base+"-host", "/*", host),
			route(base+"-export", base+"/export", host),
			route(base+"-debug", "/{area}/debug"+fmt.Sprint(i), query(has("debug"))),
		)
	}
	return rs[:n]
}

func BenchmarkMatch10000(b *testing.B) {
	tab := table(b, manyRoutes(10_000)...)
	for name, r := range map[string]*http.Request{
		"exact":    request("POST", "/service500/items"),
		"deep":     request("GET", "/service500/items/42/lines"),
		"catchall": request("GET", "/nothing/here"),
		"fallback": request("GET", "/service500/items"),
		"param":    request("GET", "/elsewhere/debug77"),
		"host":     request("GET", "/service500/export", "Host: shop500.test"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tab.Match(r)
			}
		})
	}
}

func BenchmarkCompile10000(b *testing.B) {
	rs := manyRoutes(10_000)
	for b.Loop() {
		if _, ps := newMatcher(rs); ps != nil {
			b.Fatal(ps[0])
		}
	}
}
