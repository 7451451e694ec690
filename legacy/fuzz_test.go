package legacy

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// tail returns a reference from its query or fragment on.
func tail(ref string) string {
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		return ref[i:]
	}
	return ""
}

// leadsBack reports whether what the route does on the way in to the path out
// gives the path in, whose root has two spellings.
func leadsBack(v *View, out, in string) bool {
	back := trimSlash(v.Add) + strings.TrimPrefix(out, trimSlash(v.Strip))
	return strings.TrimSuffix(decoded(back), "/") == strings.TrimSuffix(decoded(in), "/")
}

func FuzzLocation(f *testing.F) {
	for _, ref := range []string{
		"/v2/x", "http://app.internal/v2/x?a#b", "//app.internal:80/v2", "http://u:p@APP.internal/v2/%2e%2e/x",
		"/v2//evil.example", `/v2/\evil.example`, "http://[::1]:80/v2", "https://evil.example/v2", "/%76%32/x", "mailto:a@b",
	} {
		f.Add(ref, "/shop", "/v2")
		f.Add(ref, "", "/v2")
		f.Add(ref, "/shop", "")
	}
	f.Fuzz(func(t *testing.T, ref, strip, add string) {
		if strip != "" && !clean(strip) || add != "" && !clean(add) {
			t.Skip() // the config takes no such prefix
		}
		v := View{ClientScheme: "https", ClientHost: "shop.example.com", UpstreamScheme: "http", UpstreamHost: "app.internal", Strip: strip, Add: add}
		got, changed := v.URL(ref)
		if changed != (got != ref) {
			t.Fatalf("URL(%q) = %q, reports %v", ref, got, changed)
		}
		if !changed {
			return
		}
		if tail(got) != tail(ref) {
			t.Errorf("%q became %q: query or fragment changed", ref, got)
		}
		was, err := url.Parse(ref)
		if err != nil {
			return // broken escapes are kept; net/url knows no more
		}
		is, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q became %q, which does not parse: %v", ref, got, err)
		}
		switch {
		case was.Host == "" && is.Host != "":
			t.Errorf("%q became %q: a path became a host", ref, got)
		case was.Host != "" && is.Hostname() != "shop.example.com":
			t.Errorf("%q became %q: another host", ref, got)
		case was.Host != "" && hostName(was.Hostname()) != "app.internal":
			t.Errorf("%q became %q: it was foreign", ref, got)
		case was.User.String() != is.User.String():
			t.Errorf("%q became %q: userinfo changed", ref, got)
		}
		from, _ := splitReference(ref)
		to, _ := splitReference(got)
		if !leadsBack(&v, to.path, from.path) && (to.absolute() || !leadsBack(&v, strings.TrimPrefix(to.path, "/."), from.path)) {
			t.Errorf("%q became %q, which leads elsewhere", ref, got)
		}
	})
}

// clean reports whether a prefix is one that a config may hold.
func clean(prefix string) bool {
	u, err := url.Parse(prefix)
	return err == nil && u.Path != "" && u.EscapedPath() == prefix && !strings.Contains(prefix, "//") &&
		strings.HasPrefix(prefix, "/") && !strings.Contains(prefix, "%") && !strings.Contains(u.Path, `\`) && !strings.Contains(prefix+"/", "./")
}

func decoded(path string) string {
	if text, err := url.PathUnescape(strings.ReplaceAll(strings.ReplaceAll(path, "%2F", "%252F"), "%2f", "%252F")); err == nil {
		return text
	}
	return path
}

func FuzzSetCookie(f *testing.F) {
	for _, line := range []string{
		"a=1", "a=1; Path=/v2; Domain=app.internal; Secure", "a=1;path=/;domain=.internal", `a="b; c"; Path=/v2/x`,
		"__Host-a=1; Path=/; Secure", "a=1; Domain=example.com; Expires=Wed, 21 Oct 2026 07:28:00 GMT", ";;;", "; Domain=app.internal;",
	} {
		f.Add(line, "shop.example.com")
		f.Add(line, "[::1]:8080")
		f.Add(line, "localhost")
	}
	f.Fuzz(func(t *testing.T, line, client string) {
		v := View{ClientScheme: "http", ClientHost: client, UpstreamScheme: "http", UpstreamHost: "app.internal", Strip: "/shop", Add: "/v2"}
		got, changed := v.SetCookie(line)
		if changed != (got != line) {
			t.Fatalf("SetCookie(%q) = %q, reports %v", line, got, changed)
		}
		// What is neither Domain nor Path is the same, byte for byte and in order.
		if a, b := others(line), others(got); a != b {
			t.Errorf("%q became %q: %q is now %q", line, got, a, b)
		}
		if was, err := http.ParseSetCookie(line); err == nil {
			is, err := http.ParseSetCookie(got)
			if err != nil {
				t.Fatalf("%q became %q, which does not parse: %v", line, got, err)
			}
			if is.Path != was.Path && is.Path != "/shop" && !strings.HasPrefix(is.Path, "/shop/") {
				t.Errorf("%q became %q: path %q", line, got, is.Path)
			}
		}
	})
}

func others(line string) string {
	parts := strings.Split(line, ";")
	kept := parts[:1]
	for _, part := range parts[1:] {
		name, _, _ := strings.Cut(part, "=")
		if name = strings.Trim(name, " \t"); !strings.EqualFold(name, "domain") && !strings.EqualFold(name, "path") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ";")
}
