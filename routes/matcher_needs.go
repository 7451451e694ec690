package routes

import (
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The needs of a match are its predicates besides host and path. Of a header,
// query parameter or cookie that comes more than once the first counts, so
// that two routes that ask for different values exclude each other.
type needs struct {
	methods                 []string
	headers, query, cookies []Pair
}

func newNeeds(m *Match) needs {
	n := needs{
		methods: m.Methods,
		headers: wholePairs(m.Headers),
		query:   wholePairs(m.Query),
		cookies: wholePairs(m.Cookies),
	}
	for i := range n.headers {
		n.headers[i].Name = textproto.CanonicalMIMEHeaderKey(n.headers[i].Name)
	}
	return n
}

// whole returns an expression that matches whole values only.
func whole(re *regexp.Regexp) *regexp.Regexp {
	return regexp.MustCompile(wholeOpen + re.String() + wholeClose)
}

const wholeOpen, wholeClose = `\A(?:`, `)\z`

// wholePairs copies the pairs, with expressions that match whole values only
// and without those that match every value.
func wholePairs(pairs []Pair) []Pair {
	pairs = slices.Clone(pairs)
	for i := range pairs {
		p := &pairs[i]
		if p.Pattern == nil {
			continue
		}
		switch p.Pattern.String() {
		case ".*", "^.*$", "^(?:.*)$":
			p.Any = true
		}
		if p.Any {
			p.Pattern = nil
			continue
		}
		p.Pattern = whole(p.Pattern)
	}
	return pairs
}

// met reports whether a request has all that is asked for.
func (n *needs) met(r *http.Request) bool {
	if len(n.methods) > 0 && !slices.Contains(n.methods, r.Method) {
		return false
	}
	for i := range n.headers {
		if v, ok := headerValue(r.Header, n.headers[i].Name); !ok || !n.headers[i].accepts(v) {
			return false
		}
	}
	for i := range n.query {
		if v, ok := queryValue(r, n.query[i].Name); !ok || !n.query[i].acceptsEscaped(v) {
			return false
		}
	}
	for i := range n.cookies {
		if v, ok := cookieValue(r.Header, n.cookies[i].Name); !ok || !n.cookies[i].accepts(v) {
			return false
		}
	}
	return true
}

// accepts reports whether the value is what the pair asks for.
func (p *Pair) accepts(value string) bool {
	switch {
	case p.Any:
		return true
	case p.Pattern != nil:
		return p.Pattern.MatchString(value)
	}
	return p.Value == value
}

// acceptsEscaped is accepts for a value as it stands in a query.
func (p *Pair) acceptsEscaped(raw string) bool {
	switch {
	case p.Any:
		return true
	case p.Pattern != nil:
		return p.Pattern.MatchString(unescapeQuery(raw))
	}
	return equalsEscaped(raw, p.Value)
}

// headerValue returns the first value of a header.
func headerValue(h http.Header, canonical string) (string, bool) {
	if vs := h[canonical]; len(vs) > 0 {
		return vs[0], true
	}
	return "", false
}

// queryValue returns the first value of a query parameter as it was sent.
func queryValue(r *http.Request, name string) (string, bool) {
	if r.URL == nil {
		return "", false
	}
	for rest := r.URL.RawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if key, value, _ := strings.Cut(pair, "="); pair != "" && equalsEscaped(key, name) {
			return value, true
		}
	}
	return "", false
}

// equalsEscaped reports whether the raw text of a query stands for a text.
// A "%" that begins no escape stands for itself.
func equalsEscaped(raw, text string) bool {
	i, j := 0, 0
	for ; i < len(raw) && j < len(text); j++ {
		c := raw[i]
		switch {
		case c == '+':
			c = ' '
			i++
		case c == '%' && isEscape(raw[i:]):
			c = unhex(raw[i+1])<<4 | unhex(raw[i+2])
			i += 3
		default:
			i++
		}
		if c != text[j] {
			return false
		}
	}
	return i == len(raw) && j == len(text)
}

func unescapeQuery(raw string) string {
	if !strings.ContainsAny(raw, "%+") {
		return raw
	}
	if s, err := url.QueryUnescape(raw); err == nil {
		return s
	}
	return raw
}

// cookieValue returns the value of the first cookie of that name, without the
// quotes that RFC 6265 §4.1.1 allows around it.
func cookieValue(h http.Header, name string) (string, bool) {
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			key, value, ok := strings.Cut(textproto.TrimString(pair), "=")
			if !ok || textproto.TrimString(key) != name {
				continue
			}
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			return value, true
		}
	}
	return "", false
}
