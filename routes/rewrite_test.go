package routes

import (
	"regexp"
	"strings"
	"testing"
)

func TestRewriteTouchesThePathAlone(t *testing.T) {
	strip := func(s string) *Rewrite { return &Rewrite{Strip: s} }
	expr := func(s, by string) *Rewrite { return &Rewrite{Pattern: regexp.MustCompile(s), Replace: by} }
	for _, c := range []struct {
		rw           *Rewrite
		target, want string // want empty: refused
	}{
		{nil, "/a/../b?c", "/a/../b?c"},
		{&Rewrite{}, "/a/../b?c", "/a/../b?c"},

		{strip("/api"), "/api/orders?a=/api", "/orders?a=/api"},
		{strip("/api"), "/api", "/"},
		{strip("/api"), "/api?x", "/?x"},
		{strip("/api"), "/api?", "/?"},
		{strip("/api"), "/api/", "/"},
		{strip("/api"), "/api//x", "//x"},
		{strip("/api"), "/apis/x", ""},
		{strip("/api"), "/ap", ""},
		{strip("/api"), "/x/api", ""},
		{strip("/api/"), "/api/x", "/x"},
		{strip("/api/v1"), "/api/v1/%2F%41;b", "/%2F%41;b"},
		{strip("/api/v1"), "/api", ""},
		{strip("/api"), "/%61p%69/%61", "/%61"},
		{strip("/a b"), "/a%20b/c", "/c"},
		{strip("/"), "/x", "/x"},
		{strip("/api"), "/x/../api/a", "/a"},
		{strip("/api"), "/api/%2e%2e/api/%7e", "/%7e"},
		{strip("/api"), "/api/../admin", ""},
		{strip("/api"), "http://shop.test/api/a?b", "http://shop.test/a?b"},
		{strip("/api"), "*", ""},

		{&Rewrite{Add: "/shop"}, "/a?b", "/shop/a?b"},
		{&Rewrite{Add: "/shop/"}, "/", "/shop/"},
		{&Rewrite{Add: "/shop"}, "/../admin", "/shop/admin"},
		{&Rewrite{Add: "/shop"}, "/%2e%2E/../admin%2f", "/shop/admin%2f"},
		{&Rewrite{Add: "/shop"}, "http://shop.test?a", "http://shop.test/shop/?a"},
		{&Rewrite{Strip: "/api", Add: "/v2"}, "/api/x%20y", "/v2/x%20y"},
		{&Rewrite{Add: "/shop"}, "shop.test:443", ""},

		{expr(`^/user/([^/]+)`, "/people/$1/x"), "/user/%2e7?a=/user/1", "/people/%2e7/x?a=/user/1"},
		{expr(`^/user/(?P<id>\d+)$`, "/u${id}"), "/user/7", "/u7"},
		{expr(`^/user`, "/people"), "/carts", "/carts"},
		{expr(`o`, "0"), "/foo", "/f00"},
		{expr(`^/`, ""), "/a", ""},
		{expr(`^/a`, "http://evil.test"), "/a", ""},
		{expr(`x`, "?"), "/x", ""},
		{expr(`x`, " HTTP/1.1\r\n"), "/x", ""},
		{expr(`x`, ""), "/a/.x./b", ""},
		{&Rewrite{Pattern: regexp.MustCompile(`^/a`), Add: "/v"}, "/a/b", "/v/b"},
		{&Rewrite{Pattern: regexp.MustCompile(`^/`), Add: "/v"}, "/a", ""},
	} {
		got, ok := c.rw.Target(c.target)
		want := c.want
		if want == "" {
			want = c.target
		}
		if got != want || ok != (c.want != "") {
			t.Errorf("%+v of %q: %q, %v; want %q", c.rw, c.target, got, ok, c.want)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("/api/orders?a", "/api", "/v1", "")
	f.Add("/a/%2e%2e/b", "", "/x", "b")
	f.Fuzz(func(t *testing.T, target, strip, add, cut string) {
		rw := &Rewrite{Strip: strip, Add: add}
		if re, err := regexp.Compile(cut); err == nil && cut != "" {
			rw = &Rewrite{Pattern: re, Add: add}
		}
		got, ok := rw.Target(target)
		switch {
		case !ok && got != target:
			t.Errorf("%q was refused and became %q", target, got)
		case ok && *rw != Rewrite{}:
			_, path, query := splitTarget(got)
			if !isPath(path) || !strings.HasSuffix(target, query) {
				t.Errorf("%q became %q", target, got)
			}
		}
	})
}
