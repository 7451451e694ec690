package flags

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

// ownCookies begins the name of every cookie that the gateway sets, behind
// hostPrefix where the browser is to see to it that it came from this host.
const (
	ownCookies = "ficus_"
	hostPrefix = "__Host-"
)

// cookies yields name and value of every cookie of a request, in order, names
// and values as they stand between the separators. Quotes around a value are
// left out, as net/http does. It allocates nothing.
func cookies(h http.Header) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, line := range h["Cookie"] {
			for more := true; more; {
				var pair string
				pair, line, more = strings.Cut(line, ";")
				name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
				if !ok {
					continue
				}
				value = strings.Trim(value, " \t")
				if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
					value = value[1 : n-1]
				}
				if !yield(strings.Trim(name, " \t"), value) {
					return
				}
			}
		}
	}
}

// StripCookies removes the gateway's own cookies, those whose names begin
// with "ficus_" or "__Host-ficus_", from the Cookie fields of a request's header, and leaves
// every other byte as it is: the monolith sees what it would have seen. A
// field that holds nothing else is removed. The values of the map are
// replaced, not changed, so a shallow copy of a header may be stripped. It
// allocates nothing when there is nothing to remove.
func StripCookies(h http.Header) {
	lines := h["Cookie"]
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, ownCookies) }) {
		return
	}
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if text := stripLine(line); text != "" || line == "" {
			kept = append(kept, text)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

// stripLine removes a pair together with the separator and the space before
// it, or those after it where it comes first.
func stripLine(line string) string {
	if !strings.Contains(line, ownCookies) {
		return line
	}
	var b strings.Builder
	first, removed := true, false
	for more := true; more; {
		var pair string
		pair, line, more = strings.Cut(line, ";")
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimLeft(pair, " \t"), hostPrefix), ownCookies) {
			removed = true
			continue
		}
		if first && removed {
			pair = strings.TrimLeft(pair, " \t")
		}
		if !first {
			b.WriteByte(';')
		}
		b.WriteString(pair)
		first = false
	}
	return b.String()
}
