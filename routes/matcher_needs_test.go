package routes

import (
	"net/http"
	"net/url"
	"testing"
)

// Where the standard library can read a Cookie line, we read the same.
func FuzzCookieValue(f *testing.F) {
	for _, s := range []string{"a=1; b=2", `a="1"; a=2`, " a = 1 ;b", "=;;a=", `a="`, "a=b=c;a"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		got, ok := cookieValue(http.Header{"Cookie": {line}}, name)
		cookies, err := http.ParseCookie(line)
		if err != nil {
			return
		}
		for _, c := range cookies {
			if c.Name == name {
				if !ok || got != c.Value {
					t.Errorf("%q in %q: %q, %v; the standard library says %q", name, line, got, ok, c.Value)
				}
				return
			}
		}
		if ok {
			t.Errorf("%q in %q: %q; the standard library finds none", name, line, got)
		}
	})
}

// Where the standard library can read a query, we read the same.
func FuzzQueryValue(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a&a=1", "%61=%31+%20", "a=%", "&&=&a=b=c", "a=1;b=2"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, raw, name string) {
		got, ok := queryValue(&http.Request{URL: &url.URL{RawQuery: raw}}, name)
		want, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if ok != want.Has(name) || ok && (unescapeQuery(got) != want.Get(name) || !equalsEscaped(got, want.Get(name))) {
			t.Errorf("%q in %q: %q, %v; the standard library says %q", name, raw, got, ok, want[name])
		}
	})
}
