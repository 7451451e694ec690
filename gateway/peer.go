package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// A peer is who is at the other end of a connection, and whom it speaks for.
type peer struct {
	addr    netip.Addr // of the connection; zero on a unix socket
	client  netip.Addr // of the client, as far as trusted proxies say
	trusted bool       // what it says about the client counts
	secure  bool       // the client speaks TLS
	host    string     // that the client asked for
	scheme  string     // "http" or "https"
}

// peerOf reads who sent a request. Only a trusted peer's forwarding headers
// count; of X-Forwarded-For the rightmost address that is not itself trusted
// is the client's, since everything left of it is the client's own claim.
func peerOf(r *http.Request, trusted []netip.Prefix) peer {
	p := peer{host: r.Host, secure: r.TLS != nil}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.addr = a.Addr().Unmap()
	}
	p.client = p.addr
	p.trusted = isTrusted(p.addr, trusted) || !p.addr.IsValid() && isUnix(r) && trustsUnix(trusted)
	if p.trusted {
		p.believe(r.Header, trusted)
	}
	p.scheme = "http"
	if p.secure {
		p.scheme = "https"
	}
	return p
}

// ClientBehind returns the address of the client that a trusted proxy at the
// other end of a connection speaks for; empty if the other end is none.
func ClientBehind(r *http.Request, trusted []netip.Prefix) string {
	p := peerOf(r, trusted)
	if p.client == p.addr {
		return ""
	}
	return p.client.String()
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, t := range trusted {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// A unix socket is trusted where the loopback is.
func trustsUnix(trusted []netip.Prefix) bool {
	return isTrusted(netip.AddrFrom4([4]byte{127, 0, 0, 1}), trusted)
}

func isUnix(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// believe takes over what a trusted proxy says: X-Forwarded-* if there is any,
// Forwarded (RFC 7239) otherwise. A proxy that speaks the one passes the other
// on as its client wrote it, and most speak X-Forwarded-*.
func (p *peer) believe(h http.Header, trusted []netip.Prefix) {
	if lines := h["Forwarded"]; len(lines) > 0 && !saysXForwarded(h) {
		elements, ok := parseForwarded(lines)
		for i := len(elements) - 1; ok && i >= 0; i-- {
			e := elements[i]
			if e.proto != "" {
				p.secure = strings.EqualFold(e.proto, "https")
			}
			if e.host != "" {
				p.host = e.host
			}
			a, valid := parseNode(e.node)
			if !valid {
				break
			}
			p.client = a
			if !isTrusted(a, trusted) {
				break
			}
		}
		return
	}
	if proto := lastOf(h["X-Forwarded-Proto"]); proto != "" {
		p.secure = strings.EqualFold(proto, "https")
	}
	if host := lastOf(h["X-Forwarded-Host"]); host != "" {
		p.host = host
	}
	lines := h["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for rest != "" {
			var item string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, item = rest[:cut], rest[cut+1:]
			} else {
				rest, item = "", rest
			}
			a, valid := parseNode(strings.TrimSpace(item))
			if !valid {
				return
			}
			p.client = a
			if !isTrusted(a, trusted) {
				return
			}
		}
	}
}

// saysXForwarded reports whether a header has any of the X-Forwarded fields that count.
func saysXForwarded(h http.Header) bool {
	return len(h["X-Forwarded-For"]) > 0 || len(h["X-Forwarded-Host"]) > 0 || len(h["X-Forwarded-Proto"]) > 0
}

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	s := lines[len(lines)-1]
	if cut := strings.LastIndexByte(s, ','); cut >= 0 {
		s = s[cut+1:]
	}
	return strings.TrimSpace(s)
}

// parseNode reads an address with or without a port, in brackets or not.
func parseNode(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	if in, ok := strings.CutPrefix(s, "["); ok {
		if in, ok = strings.CutSuffix(in, "]"); ok {
			if a, err := netip.ParseAddr(in); err == nil {
				return a.Unmap().WithZone(""), true
			}
		}
	}
	return netip.Addr{}, false
}
