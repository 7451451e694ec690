package routes

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

func (c *compiler) listeners(at spot) {
	list := c.main.Listen
	if len(list) == 0 {
		list = OneOrMany[ListenConfig]{{Address: ":8080"}}
	}
	for i, lc := range list {
		item := at.index(i)
		if lc.Address == "" {
			item.follow("write listen: :8080, or {address: :8443, tls: {cert: cert.pem, key: key.pem}}", "has no address")
			continue
		}
		l, ok := listenAddress(item.key("address"), lc.Address)
		if !ok {
			continue
		}
		for _, other := range c.table.Server.Listen {
			if overlap(other, l) {
				item.key("address").fail("remove one, or give it another port", "%s overlaps with the listener %s", item.key("address").quote(lc.Address), other.Address)
			}
		}
		for j, cert := range lc.TLS {
			tls := item.key("tls").index(j)
			if cert.Cert == "" || cert.Key == "" {
				tls.follow("write tls: {cert: cert.pem, key: key.pem}", "a certificate needs both cert and key")
			}
			l.TLS = append(l.TLS, Certificate{tls.src.path(cert.Cert), tls.src.path(cert.Key)})
		}
		if lc.H2C && len(l.TLS) > 0 {
			item.key("h2c").fail("remove h2c; with TLS, HTTP/2 is negotiated anyway", "HTTP/2 without TLS on a listener with TLS")
		}
		l.H2C = lc.H2C
		l.ProxyProtocol = prefixes(item.key("proxy_protocol"), lc.ProxyProtocol)
		c.table.Server.Listen = append(c.table.Server.Listen, l)
	}
}

func (c *compiler) admin(at spot) {
	a := c.main.Admin
	beside := c.table.Server.Beside()
	out := Admin{
		Address: or(a.Address, "127.0.0.1:9900"),
		Socket:  or(a.Socket, filepath.Join(beside, "ficus.sock")),
		Hosts:   a.Hosts,
		Token:   or(a.TokenFile, filepath.Join(beside, "ficus.token")),
	}
	if out.Address == "none" {
		out.Address = ""
		if a.Socket == "" && !at.key("socket").written() {
			// "admin: none" means none at all, {address: none, socket: ...} only the socket.
			out.Socket = ""
		}
	}
	if out.Socket == "none" {
		out.Socket = ""
	}
	if out.Address != "" {
		c.adminAddress(at, out)
	}
	c.access(at, &out)
	for _, l := range c.table.Server.Listen {
		if l.Network == "unix" && out.Socket != "" && filepath.Clean(l.Address) == filepath.Clean(out.Socket) {
			at.key("socket").fail("give it a path of its own", "%s is a public listener too; the public path space belongs to the monolith", at.key("socket").quote(out.Socket))
		}
	}
	c.table.Server.Admin = out
}

func (c *compiler) adminAddress(at spot, a Admin) {
	addr := at.key("address")
	if strings.HasPrefix(a.Address, "fd:") {
		addr.fail("write the address that the socket unit listens on; the socket is found by it", "%s is a name, an address is host:port", addr.quote(a.Address))
		return
	}
	if strings.HasPrefix(a.Address, "unix:") {
		addr.fail("write admin: {address: none, socket: /run/ficus.sock}", "%s is a socket, an address is host:port", addr.quote(a.Address))
		return
	}
	l, ok := listenAddress(addr, a.Address)
	if !ok {
		return
	}
	for _, pub := range c.table.Server.Listen {
		if overlap(pub, l) {
			addr.fail("give it a port of its own, such as 127.0.0.1:9900", "%s is the public listener %s too; the public path space belongs to the monolith", addr.quote(a.Address), pub.Address)
		}
	}
	if host, _, _ := net.SplitHostPort(l.Address); !isLoopback(host) && len(a.Hosts) == 0 && c.main.Admin.URL == "" {
		addr.fail("listen on 127.0.0.1:9900, or name the hosts that may be asked for: admin: {address: ..., hosts: [ficus.example.com]}", "%s is not on the loopback, and no hosts are named", addr.quote(a.Address))
	}
	for i, h := range a.Hosts {
		checkHost(at.key("hosts").index(i), h, false)
	}
}

// listenAddress reads host:port, unix:/path or fd:NAME.
func listenAddress(at spot, text string) (Listener, bool) {
	if name, ok := strings.CutPrefix(text, "fd:"); ok {
		if name == "" || strings.ContainsAny(name, ": \t") {
			at.fail("write fd:web for a socket unit with FileDescriptorName=web", "%s has no name of a socket", at.quote(text))
			return Listener{}, false
		}
		return Listener{Network: "fd", Address: name}, true
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if path == "" {
			at.fail("write unix:/run/ficus.sock", "%s has no path", at.quote(text))
			return Listener{}, false
		}
		return Listener{Network: "unix", Address: path}, true
	}
	host, port, err := net.SplitHostPort(text)
	n, numErr := strconv.Atoi(port)
	if err != nil || numErr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/ \t") {
		hint := "write host:port, :port for all interfaces, or unix:/path"
		if isNumber(text) {
			hint = fmt.Sprintf("write :%s", text)
		}
		at.fail(hint, "%s is not an address to listen on", at.quote(text))
		return Listener{}, false
	}
	return Listener{Network: "tcp", Address: text}, true
}

// overlap reports whether two listeners want the same address.
func overlap(a, b Listener) bool {
	if a.Network != b.Network {
		return false
	}
	switch a.Network {
	case "unix":
		return filepath.Clean(a.Address) == filepath.Clean(b.Address)
	case "fd":
		return a.Address == b.Address
	}
	ah, ap, _ := net.SplitHostPort(a.Address)
	bh, bp, _ := net.SplitHostPort(b.Address)
	if ap != bp || ap == "0" {
		return false
	}
	return canonicalHost(ah) == canonicalHost(bh) || isAny(ah) || isAny(bh)
}

func canonicalHost(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	return strings.ToLower(host)
}

func isAny(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
