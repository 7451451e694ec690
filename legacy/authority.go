package legacy

import (
	"cmp"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// An authority is a host and a port, written so that equal ones are ==: the
// name in lower case and ASCII, addresses in their shortest form.
type authority struct {
	name string // IPv6 addresses without brackets
	port string // empty if none was given
}

// parseAuthority reads "host", "host:port" or "[address]:port".
func parseAuthority(text string) (authority, bool) {
	name, port, hasPort := text, "", false
	if strings.HasPrefix(text, "[") {
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return authority{}, false
		}
		name, port = text[1:end], text[end+1:]
		if port, hasPort = strings.CutPrefix(port, ":"); !hasPort && port != "" {
			return authority{}, false
		}
		addr, err := netip.ParseAddr(name)
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return authority{}, false
		}
		name = addr.String()
	} else {
		name, port, _ = strings.Cut(text, ":")
		name = hostName(name)
		if name == "" || strings.Trim(name, nameBytes) != "" {
			return authority{}, false
		}
	}
	return authority{name, port}, strings.Trim(port, "0123456789") == ""
}

// nameBytes are those of names and IPv4 addresses. RFC 3986 allows more, and
// net/http lets a client ask for them, but a host with a semicolon would add
// attributes to a cookie.
const nameBytes = "abcdefghijklmnopqrstuvwxyz0123456789-_."

// hostName returns a name in lower case, in ASCII and without the root's dot.
func hostName(name string) string {
	name = strings.TrimSuffix(name, ".")
	for i := range len(name) {
		if name[i] >= 0x80 {
			if ascii, err := idna.Lookup.ToASCII(name); err == nil {
				return ascii
			}
			break
		}
	}
	return strings.ToLower(name)
}

// at returns a without its port if that is the scheme's default.
func (a authority) at(scheme string) authority {
	if a.port == defaultPort(scheme) {
		a.port = ""
	}
	return a
}

// isAddress reports whether a names a machine by its address.
func (a authority) isAddress() bool {
	_, err := netip.ParseAddr(a.name)
	return err == nil
}

func defaultPort(scheme string) string {
	switch {
	case strings.EqualFold(scheme, "http"):
		return "80"
	case strings.EqualFold(scheme, "https"):
		return "443"
	}
	return ""
}

// withoutPort cuts the port off "host:port", and leaves the host as written.
func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// isUpstream reports whether host, in a URL of the scheme, is the upstream:
// the same name, on the port it was asked at or on the default port where it
// was asked at the other scheme's.
func (v *View) isUpstream(host, scheme string) bool {
	there, ok := parseAuthority(host)
	if !ok {
		return false
	}
	upstream, ok := parseAuthority(cmp.Or(v.UpstreamHost, v.ClientHost))
	if !ok || there.name != upstream.name {
		return false
	}
	port, asked := there.at(scheme).port, upstream.at(v.UpstreamScheme).port
	return port == asked || port == "" && defaultPort(scheme) == asked || asked == "" && port == defaultPort(v.UpstreamScheme)
}

// outside returns the scheme and the host by which the client reaches what
// the upstream calls by its own host and the scheme given.
func (v *View) outside(scheme string) (string, string) {
	if strings.EqualFold(scheme, v.UpstreamScheme) || strings.EqualFold(scheme, v.ClientScheme) {
		return v.ClientScheme, v.ClientHost
	}
	return scheme, withoutPort(v.ClientHost)
}
