package legacy

import "strings"

// Path translates a path of the upstream to the client's: without Add, with
// Strip. It returns false if the path lies outside Add, so that no path of the
// client leads there. An empty path is the root.
func (v *View) Path(path string) (string, bool) {
	strip, add := trimSlash(v.Strip), trimSlash(v.Add)
	if path == "" {
		path = "/"
	}
	if strip == add {
		return path, true
	}
	rest, ok := cutPrefix(path, add)
	if !ok || climbs(rest) {
		return path, false
	}
	if strip == "" && rest == "" {
		rest = "/"
	}
	return strip + rest, true
}

func trimSlash(prefix string) string { return strings.TrimRight(prefix, "/") }

// cutPrefix cuts a prefix of whole segments off a path. Octets that are
// percent-encoded equal those that are not, but for an encoded slash, which
// does not end a segment.
func cutPrefix(path, prefix string) (rest string, ok bool) {
	for prefix != "" {
		if path == "" {
			return "", false
		}
		p, n := octet(path)
		q, m := octet(prefix)
		if p != q {
			return "", false
		}
		path, prefix = path[n:], prefix[m:]
	}
	return path, path == "" || path[0] == '/'
}

// encodedSlash is no octet, and so equals none.
const encodedSlash = 0x100 + '/'

// octet returns the first octet that a text stands for, and its length there.
func octet(text string) (value, length int) {
	if len(text) >= 3 && text[0] == '%' {
		hi, lo := unhex(text[1]), unhex(text[2])
		if hi >= 0 && lo >= 0 {
			if value = hi<<4 | lo; value == '/' {
				value = encodedSlash
			}
			return value, 3
		}
	}
	return int(text[0]), 1
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// climbs reports whether dot segments lead out of the directory that the path
// starts in. Browsers know %2e for a dot and \ for a slash.
func climbs(path string) bool {
	depth := 0
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch len(segment) {
		case 2, 4, 6:
			if strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") == ".." {
				if depth--; depth < 0 {
					return true
				}
				continue
			}
			depth++
		case 1, 3:
			if segment != "." && !strings.EqualFold(segment, "%2e") {
				depth++
			}
		default:
			depth++
		}
	}
	return false
}
