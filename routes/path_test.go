package routes

import (
	"net/http"
	"strings"
	"testing"
)

func TestMatchPathOfAwkwardTargets(t *testing.T) {
	for target, want := range map[string]string{
		"/":                       "/",
		"/a/b":                    "/a/b",
		"/a?b=/../c":              "/a",
		"/?":                      "/",
		"//a":                     "//a",
		"//a//b/":                 "//a//b/",
		"/a/./b":                  "/a/b",
		"/a/../b":                 "/b",
		"/a/b/..":                 "/a/",
		"/a/b/.":                  "/a/b/",
		"/..":                     "/",
		"/../../a":                "/a",
		"/a//../b":                "/a/b",
		"/a/%2e%2E/b":             "/b",
		"/a/.%2e/b":               "/b",
		"/a/%2e/b":                "/a/b",
		"/a/...":                  "/a/...",
		"/a/..b":                  "/a/..b",
		"/a/..;/b":                "/a/..;/b",
		"/a/..%2Fb":               "/a/..%2Fb",
		"/a/%252e%252e/b":         "/a/%252e%252e/b",
		"/%61%62":                 "/ab",
		"/a%2fb":                  "/a%2Fb",
		"/a%2Fb":                  "/a%2Fb",
		"/%7Euser":                "/~user",
		"/a%3Bb;c=1":              "/a%3Bb;c=1",
		"/A/b":                    "/A/b",
		"/caf\xc3\xa9":            "/caf%C3%A9",
		"/caf%c3%a9":              "/caf%C3%A9",
		"/a b":                    "/a%20b",
		"/a#b":                    "/a%23b",
		"/a[1]|{x}":               "/a%5B1%5D%7C%7Bx%7D",
		`/a\..\b`:                 "/a%5C..%5Cb",
		"/a%zz%4":                 "/a%25zz%254",
		"/%00":                    "/%00",
		"/a+b!$&'()*,=:@":         "/a+b!$&'()*,=:@",
		"*":                       "",
		"shop.test:443":           "",
		"":                        "/", // not from a server: from the URL
		"http://shop.test/a/../b": "/b",
		"http://shop.test":        "/",
		"http://shop.test?a=b/c":  "/",
		"http://shop.test//a":     "//a",
	} {
		r := request("GET", "/")
		r.RequestURI = target
		if got := matchPath(r); got != want {
			t.Errorf("%q: path %q, want %q", target, got, want)
		}
		if got := RequestTarget(r); got != target {
			t.Errorf("%q: on the wire %q", target, got)
		}
	}
}

func TestRequestWithoutTargetMatchesByURL(t *testing.T) {
	r, err := http.NewRequest("GET", "http://shop.test/a%2Fb/../c?d", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := matchPath(r); got != "/c" {
		t.Errorf("path %q", got)
	}
}

func TestNormalPathsAreNotCopied(t *testing.T) {
	for _, p := range []string{"/", "/a/b/c.html", "/a%2Fb%20c/%C3%A9/.../.well-known/x", "//a;b=1"} {
		if n := testing.AllocsPerRun(100, func() { normalPath(p) }); n != 0 {
			t.Errorf("%s: %v allocations", p, n)
		}
	}
}

func FuzzNormalPath(f *testing.F) {
	for _, s := range []string{"/", "//a/../b/%2e%2E/c", "/%41%zz%", "/a/./", "/\xff é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = "/" + s
		n := normalPath(s)
		if !strings.HasPrefix(n, "/") || hasDots(n) {
			t.Errorf("%q: %q", s, n)
		}
		if again := normalPath(n); again != n {
			t.Errorf("%q: %q, then %q", s, n, again)
		}
	})
}
