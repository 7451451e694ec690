package flags

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Storable reports whether a shared cache may store a response, so that a
// cookie set on it could be handed to other people. It goes by RFC 9111,
// section 3, and in doubt says yes:
//
//   - POST and the like are storable only with explicit freshness, other
//     methods than GET and HEAD never.
//   - private and no-store protect a response; so does an Authorization field
//     in the request, if nothing in the response lifts it.
//   - public, a lifetime above zero, permission to serve stale, or a field that
//     speaks to a CDN alone make it storable.
//   - Otherwise caches go by heuristics and revalidation. A response with a
//     validator is storable if its status is heuristically cacheable, unless
//     the application sets a cookie of its own on it; permanent redirects and
//     410 are storable even without a validator, and 304 always, as its fields
//     replace those of what is stored.
//   - So an ordinary dynamic page, without lifetime and validator, is not.
//
// The header is that of the upstream's response: ask once, before any cookie of
// ours is added, which would pass for the application's.
//
// Vary is no protection: clients without cookies share
// one variant.
func Storable(status int, h http.Header, r *http.Request) bool {
	if status < 200 {
		return false
	}
	cc := directives(h["Cache-Control"])
	if targeted(h) {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	if cc.has("private") || cc.has("no-store") && !cc.has("must-understand") {
		return false
	}
	if r.Header.Get("Authorization") != "" && !cc.has("public") && !cc.has("s-maxage") && !cc.has("must-revalidate") {
		return false
	}
	explicit := cc.has("public") || lives(cc, h) || cc.seconds("stale-while-revalidate") > 0 || cc.seconds("stale-if-error") > 0
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost, http.MethodPatch:
		return explicit
	default:
		return false
	}
	if explicit {
		return true
	}
	switch status {
	case http.StatusNotModified, http.StatusMovedPermanently, http.StatusPermanentRedirect, http.StatusGone:
		return true
	}
	validator := h.Get("Etag") != "" || h.Get("Last-Modified") != ""
	return validator && len(h["Set-Cookie"]) == 0 && slices.Contains(heuristic, status)
}

// heuristic are the statuses that RFC 9110, section 15.1, lets caches store
// without explicit freshness.
var heuristic = []int{200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501}

// targeted reports whether a response speaks to a CDN past Cache-Control
// (RFC 9213 and what came before it).
func targeted(h http.Header) bool {
	for _, name := range []string{"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Surrogate-Control", "X-Accel-Expires"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// lives reports whether a response has a lifetime above zero for shared caches.
func lives(cc cacheControl, h http.Header) bool {
	switch {
	case cc.has("s-maxage"):
		return cc.seconds("s-maxage") > 0
	case cc.has("max-age"):
		return cc.seconds("max-age") > 0
	}
	expires, err := http.ParseTime(h.Get("Expires"))
	if err != nil {
		return false // "0" and the like mean the past
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		date = time.Now()
	}
	return expires.After(date)
}

// A cacheControl holds the directives of Cache-Control by name, lower case.
// Of a directive that is given twice the first counts.
type cacheControl map[string]string

func directives(lines []string) cacheControl {
	cc := cacheControl{}
	for _, line := range lines {
		for line != "" {
			var item string
			item, line = cutItem(line)
			name, value, has := strings.Cut(item, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if has && (name == "private" || name == "no-cache") {
				continue // concerns the named fields only
			}
			if _, twice := cc[name]; !twice {
				cc[name] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	return cc
}

// cutItem cuts a list at its first comma that is not in a quoted string.
func cutItem(list string) (item, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

func (cc cacheControl) has(name string) bool { _, ok := cc[name]; return ok }

// seconds returns a delta-seconds. What can't be read counts as 1, so that the
// response counts as storable; a directive that is not there as 0.
func (cc cacheControl) seconds(name string) uint64 {
	text, ok := cc[name]
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 1
	}
	return n
}
