package routes

import (
	"net/http"
	"strings"
)

// RequestTarget returns what the client asked for, byte for byte. This is what
// goes on the wire; [Table.Match] looks at a normalised copy of its path.
func RequestTarget(r *http.Request) string { return r.RequestURI }

// matchPath returns the path that routes are matched against. Two paths that
// RFC 3986 calls equivalent match the same route:
//
//   - percent-encoded unreserved characters are decoded (§6.2.2.2), so
//     "/%61pi" is "/api"; "%2F" and all other escapes stay, with upper-case
//     digits (§6.2.2.1)
//   - bytes that may not stand in a path are encoded, so "/é" is "/%C3%A9"
//   - dot segments are resolved (§5.2.4), also where they are written "%2e"
//   - nothing else: "//a" is not "/a", ";v=1" is part of its segment, and
//     case counts
//
// Of an absolute-form target the path counts, "/" if it has none. The
// asterisk of "OPTIONS *" and the authority of CONNECT are no paths; they give
// "", which only "/*" matches.
//
// Why dots are resolved: nearly every upstream does so, and if routes did not,
// "/public/../admin" would be sent by the rules of "/public/*" and served as
// "/admin". An upstream that does not resolve them sees a path it has no page
// for. The opposite, "%2F" taken for a slash, would let "/admin%2F..%2Fpublic"
// choose a route by what few upstreams make of it, so it stays. What cannot be
// known here is an upstream's own dialect (";" cut off by servlet containers,
// "\" taken for a slash): routes choose an upstream, they do not guard it.
func matchPath(r *http.Request) string {
	target := r.RequestURI
	if target == "" && r.URL != nil { // not from a server
		target = r.URL.EscapedPath()
		if target == "" {
			target = "/"
		}
	}
	_, path, _ := splitTarget(target)
	if path == "" {
		return ""
	}
	return normalPath(path)
}

// splitTarget cuts a request target into what stands before its path (scheme
// and authority of an absolute form), the path, and the query with its "?".
// Asterisk and authority form have no path and are all "before".
func splitTarget(target string) (before, path, query string) {
	rest := target
	if !strings.HasPrefix(rest, "/") {
		scheme := strings.Index(rest, "://")
		if scheme <= 0 {
			return target, "", ""
		}
		rest = rest[scheme+3:]
		i := strings.IndexAny(rest, "/?")
		if i < 0 {
			return target, "/", ""
		}
		before, rest = target[:scheme+3+i], rest[i:]
	}
	path = rest
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		path, query = rest[:i], rest[i:]
	}
	if path == "" {
		path = "/"
	}
	return before, path, query
}

// normalPath returns the form of an absolute path that is compared. It
// allocates only if there is something to change.
func normalPath(p string) string { return normalText(resolveDots(p)) }

// normalText normalises percent-encoding and leaves everything else.
func normalText(p string) string {
	i := 0
	for i < len(p) {
		if p[i] == '%' {
			if !isEscape(p[i:]) || !keptEscape(p[i:]) {
				break
			}
			i += 3
			continue
		}
		if !pathByte[p[i]] {
			break
		}
		i++
	}
	if i == len(p) {
		return p
	}
	b := make([]byte, i, len(p)+8)
	copy(b, p[:i])
	for i < len(p) {
		switch c := p[i]; {
		case c == '%' && isEscape(p[i:]):
			if d := unhex(p[i+1])<<4 | unhex(p[i+2]); unreserved(d) {
				b = append(b, d)
			} else {
				b = appendEscape(b, d)
			}
			i += 3
		case c == '%' || !pathByte[c]:
			b = appendEscape(b, c)
			i++
		default:
			b = append(b, c)
			i++
		}
	}
	return string(b)
}

// resolveDots removes the segments "." and ".." of an absolute path as
// RFC 3986 §5.2.4 does, however their dots are written. The other segments
// stay byte for byte, empty ones too.
func resolveDots(p string) string {
	if !hasDots(p) {
		return p
	}
	out := make([]byte, 0, len(p))
	for rest := p; rest != ""; {
		seg := rest[1:]
		rest = ""
		if i := strings.IndexByte(seg, '/'); i >= 0 {
			seg, rest = seg[:i], seg[i:]
		}
		n := dots(seg)
		if n == 0 {
			out = append(append(out, '/'), seg...)
			continue
		}
		if n == 2 {
			for len(out) > 0 {
				c := out[len(out)-1]
				out = out[:len(out)-1]
				if c == '/' {
					break
				}
			}
		}
		if rest == "" {
			out = append(out, '/')
		}
	}
	return string(out)
}

// hasDots reports whether an absolute path has dot segments.
func hasDots(p string) bool {
	for i := 0; i+1 < len(p); i++ {
		if p[i] != '/' || (p[i+1] != '.' && p[i+1] != '%') {
			continue
		}
		seg := p[i+1:]
		if j := strings.IndexByte(seg, '/'); j >= 0 {
			seg = seg[:j]
		}
		if dots(seg) > 0 {
			return true
		}
	}
	return false
}

// dots returns 1 for the segment ".", 2 for "..", else 0.
func dots(seg string) int {
	n := 0
	for seg != "" {
		switch {
		case seg[0] == '.':
			seg = seg[1:]
		case len(seg) >= 3 && seg[0] == '%' && seg[1] == '2' && seg[2]|0x20 == 'e':
			seg = seg[3:]
		default:
			return 0
		}
		if n++; n > 2 {
			return 0
		}
	}
	return n
}

// pathByte says which bytes may stand in a path as they are: the pchar of
// RFC 3986 without "%", and "/".
var pathByte = func() (t [256]bool) {
	for c := range t {
		t[c] = unreserved(byte(c)) || c != 0 && strings.IndexByte("!$&'()*+,;=:@/", byte(c)) >= 0
	}
	return t
}()

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}

func isEscape(s string) bool { return len(s) >= 3 && isHex(s[1]) && isHex(s[2]) }

// keptEscape reports whether an escape is in its normal form.
func keptEscape(s string) bool {
	return s[1] < 'a' && s[2] < 'a' && !unreserved(unhex(s[1])<<4|unhex(s[2]))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func appendEscape(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&15])
}
