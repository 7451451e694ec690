package routes

import "strings"

// Target returns the request target that an upstream gets instead of the
// client's. Only the path is rewritten; scheme and authority of an absolute
// form and the query stay byte for byte, and so does the percent-encoding of
// what is left of the path. The nil Rewrite changes nothing.
//
//   - Strip is removed where it ends at a slash or the end of the path: "/api"
//     from "/api/orders" and "/api", but not from "/apis". It is found however
//     the client encoded it ("/%61pi").
//   - Pattern, matched anywhere in the path, is replaced wherever it matches
//     by Replace, in which "$1" and "${name}" stand for submatches. A path
//     that it does not match stays.
//   - Add is put in front of the result.
//
// Dot segments are resolved beforehand: "/api/../../admin" under an added
// "/shop" must not climb out of it.
//
// The result is false, and the target the client's, if there is nothing to
// rewrite in it ("*", or Strip is not there) or if the path would not be one.
func (rw *Rewrite) Target(target string) (string, bool) {
	if rw == nil || *rw == (Rewrite{}) {
		return target, true
	}
	before, path, query := splitTarget(target)
	if path == "" {
		return target, false
	}
	path = resolveDots(path)
	switch {
	case rw.Strip != "":
		rest, ok := stripPrefix(path, rw.Strip)
		if !ok {
			return target, false
		}
		path = rest
	case rw.Pattern != nil:
		path = rw.Pattern.ReplaceAllString(path, rw.Replace)
	}
	if rw.Add != "" {
		if !strings.HasPrefix(path, "/") {
			return target, false
		}
		path = strings.TrimSuffix(rw.Add, "/") + path
	}
	if !isPath(path) {
		return target, false
	}
	return before + path + query, true
}

// stripPrefix removes as many segments as the prefix has, if they are the
// prefix. What is left begins with a slash.
func stripPrefix(path, prefix string) (string, bool) {
	prefix = normalText(strings.TrimSuffix(prefix, "/"))
	end := 0
	for range strings.Count(prefix, "/") {
		if end == len(path) {
			return "", false
		}
		next := strings.IndexByte(path[end+1:], '/')
		if next < 0 {
			end = len(path)
		} else {
			end += 1 + next
		}
	}
	if normalText(path[:end]) != prefix {
		return "", false
	}
	if end == len(path) {
		return "/", true
	}
	return path[end:], true
}

// isPath reports whether a text can stand as the path of a request line. It
// need not be pure RFC 3986: clients send, and upstreams take, more.
func isPath(s string) bool {
	if !strings.HasPrefix(s, "/") || hasDots(s) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '?' || c == '#' {
			return false
		}
	}
	return true
}
