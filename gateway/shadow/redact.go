package shadow

import "strings"

const (
	redactedValue = "REDACTED"
	maxTarget     = 1024 // bytes of a target that are kept
	maxSegment    = 40   // beyond it a segment of a path is a token rather than an id; a uuid has 36
)

// Redact returns a target as an example keeps it: with the ids that it takes to
// ask again, without what may let somebody in. The values of the query and of
// path parameters (";jsessionid=") go, and so do segments that look like a
// token or an address of mail.
func Redact(target string) string {
	path, query, asked := strings.Cut(target, "?")
	if _, rest, ok := strings.Cut(path, "://"); ok { // absolute form, which may hold a password
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = redactedSegment(s)
	}
	path = strings.Join(segments, "/")
	if asked {
		pairs := strings.Split(query, "&")
		for i, pair := range pairs {
			name, _, named := strings.Cut(pair, "=")
			switch {
			case named:
				pairs[i] = name + "=" + redactedValue
			case pair != "":
				pairs[i] = redactedValue
			}
		}
		path += "?" + strings.Join(pairs, "&")
	}
	if len(path) > maxTarget {
		return strings.ToValidUTF8(path[:maxTarget], "") + "…"
	}
	return path
}

func redactedSegment(s string) string {
	s, params, has := strings.Cut(s, ";")
	if len(s) > maxSegment || strings.HasPrefix(s, "eyJ") || strings.Contains(s, "@") || strings.Contains(s, "%40") {
		s = redactedValue
	}
	if !has {
		return s
	}
	list := strings.Split(params, ";")
	for i, p := range list {
		if name, _, named := strings.Cut(p, "="); named {
			list[i] = name + "=" + redactedValue
		} else if len(p) > 0 {
			list[i] = redactedValue
		}
	}
	return s + ";" + strings.Join(list, ";")
}
