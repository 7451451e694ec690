package legacy

import (
	"net/http"
	"strings"
)

// A View is how one request looks from both sides. The zero value changes
// nothing; neither does one whose sides are the same.
type View struct {
	ClientScheme, ClientHost     string // as the client sees it: "https", "shop.example.com"
	UpstreamScheme, UpstreamHost string // as the upstream was asked; an empty host counts as the client's

	// Path prefix removed and added on the way in, as written on the wire. A
	// slash at the end makes no difference. Both stay empty for a route that
	// rewrites by a regular expression, which has no inverse.
	Strip, Add string
}

// Response translates a response's header in place. It neither changes
// anything nor allocates if the two sides do not differ.
func (v *View) Response(h http.Header) {
	if !v.Differs() {
		return
	}
	translate(h["Location"], v.URL)
	translate(h["Content-Location"], v.URL)
	translate(h["Refresh"], v.Refresh)
	translate(h["Set-Cookie"], v.SetCookie)
}

// Differs reports whether host or path differ between the sides. The scheme
// alone does not count: an application whose Host is preserved knows its
// scheme as it always did.
func (v *View) Differs() bool { return v.prefixDiffers() || v.hostDiffers() }

func (v *View) prefixDiffers() bool { return trimSlash(v.Strip) != trimSlash(v.Add) }

func (v *View) hostDiffers() bool {
	if v.UpstreamHost == "" || v.ClientHost == "" || strings.EqualFold(v.UpstreamHost, v.ClientHost) {
		return false
	}
	client, ok := parseAuthority(v.ClientHost)
	if !ok {
		return false
	}
	upstream, ok := parseAuthority(v.UpstreamHost)
	return ok && client.at(v.ClientScheme) != upstream.at(v.UpstreamScheme)
}

func translate(lines []string, one func(string) (string, bool)) {
	for i, line := range lines {
		if changed, ok := one(line); ok {
			lines[i] = changed
		}
	}
}
