package gateway

import "strings"

// An element is one hop of a Forwarded field (RFC 7239, section 4).
type element struct{ node, host, proto string }

// maxForwarded bounds the elements that are read of a Forwarded field.
const maxForwarded = 64

// parseForwarded reads all lines of Forwarded as one list. A syntax error
// makes the whole field void, since what is right of it can't be told from
// what is left of it.
func parseForwarded(lines []string) (elements []element, ok bool) {
	for _, line := range lines {
		rest := line
		for {
			var e element
			if e, rest, ok = parseElement(rest); !ok {
				return nil, false
			}
			if e != (element{}) {
				if elements = append(elements, e); len(elements) > maxForwarded {
					return nil, false
				}
			}
			if rest == "" {
				break
			}
			rest = rest[1:] // the comma
		}
	}
	return elements, true
}

// parseElement reads pairs up to a comma or the end; rest begins with the comma.
func parseElement(s string) (e element, rest string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return e, s, true
		}
		if s[0] == ';' {
			s = s[1:]
			continue
		}
		end := 0
		for end < len(s) && isToken(s[end]) {
			end++
		}
		if end == 0 || end == len(s) || s[end] != '=' {
			return e, "", false
		}
		name := s[:end]
		var value string
		if value, s, ok = parseValue(s[end+1:]); !ok {
			return e, "", false
		}
		switch {
		case strings.EqualFold(name, "for"):
			e.node = value
		case strings.EqualFold(name, "host"):
			e.host = value
		case strings.EqualFold(name, "proto"):
			e.proto = value
		}
		if s = strings.TrimLeft(s, " \t"); s != "" && s[0] != ';' && s[0] != ',' {
			return e, "", false
		}
	}
}

// parseValue reads a token or a quoted string. Addresses with colons and
// brackets must be quoted, but many senders forget, so they are read as well.
func parseValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := 0
		for end < len(s) && (isToken(s[end]) || strings.IndexByte(":[]", s[end]) >= 0) {
			end++
		}
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// isToken reports whether c is a tchar (RFC 9110, section 5.6.2).
func isToken(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
