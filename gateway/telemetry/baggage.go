package telemetry

import (
	"net/http"
	"strings"
)

// maxBaggage bounds the combined value of the baggage header, as the W3C
// recommendation Baggage does (section 3.3.2).
const maxBaggage = 8192

// AddBaggage sets one member of the W3C baggage of a request, in place of any
// of that key, and reports whether it did: it leaves the header alone when
// the key is not a token or the whole would exceed 8192 bytes. Everything
// else in the header stays as it came. Values of h are replaced, never
// written to.
func AddBaggage(h http.Header, key, value string) bool {
	if !validToken(key) {
		return false
	}
	var b strings.Builder
	for _, line := range h["Baggage"] {
		for member := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(member, "=")
			if strings.Trim(name, " \t") == key || strings.Trim(member, " \t") == "" {
				continue
			}
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.WriteString(member)
		}
	}
	if b.Len() > 0 {
		b.WriteByte(',')
	}
	b.WriteString(key)
	b.WriteByte('=')
	writePercent(&b, value)
	if b.Len() > maxBaggage {
		return false
	}
	h["Baggage"] = []string{b.String()}
	return true
}

// writePercent writes a value as baggage-octets: what may not stand in one,
// and "%" itself, is percent-encoded.
func writePercent(b *strings.Builder, value string) {
	const digits = "0123456789ABCDEF"
	for i := range len(value) {
		switch c := value[i]; {
		case c <= ' ' || c >= 0x7f, c == '"', c == ',', c == ';', c == '\\', c == '%':
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		default:
			b.WriteByte(c)
		}
	}
}

// validToken reports whether s is a token of RFC 9110, section 5.6.2.
func validToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !lower(c|0x20) && !digit(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
