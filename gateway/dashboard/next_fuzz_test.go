package dashboard

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever somebody puts into a link to the login, it leads to a page of ours.
func FuzzNextPage(f *testing.F) {
	for _, next := range []string{"/", "/x?y#z", "//evil.example", `/\evil.example`, "https://evil.example", "/\t/evil.example", "/%2f/evil", "/login", "javascript:x", "/.//evil.example", "/..//evil.example"} {
		f.Add(next)
	}
	base := &url.URL{Scheme: "https", Host: "ficus.example", Path: "/login"}
	f.Fuzz(func(t *testing.T, next string) {
		got := nextPage(next)
		u, err := base.Parse(got)
		if err != nil || u.Host != "ficus.example" || u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q leads to %q, %v", next, got, u)
		}
		// As browsers read it: a backslash is a slash to them, and white space is nothing.
		read := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(strings.TrimSpace(got))
		if strings.HasPrefix(read, "//") || !strings.HasPrefix(read, "/") {
			t.Fatalf("%q leads to %q, which a browser takes to another host", next, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q leads to %q, which is not ASCII", next, got)
		}
	})
}
