package flags

import (
	"iter"
	"net/url"
	"strings"
)

// queries yields the values of a query parameter, unescaped, in order. As
// net/url does, it leaves out pairs that hold a semicolon or a broken escape.
func queries(raw, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for raw != "" {
			var pair string
			pair, raw, _ = strings.Cut(raw, "&")
			if pair == "" || strings.Contains(pair, ";") {
				continue
			}
			key, value, _ := strings.Cut(pair, "=")
			if key, err := url.QueryUnescape(key); err != nil || key != name {
				continue
			}
			value, err := url.QueryUnescape(value)
			if err == nil && !yield(value) {
				return
			}
		}
	}
}
