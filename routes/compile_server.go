package routes

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// server compiles what concerns the whole process.
func (c *compiler) server() {
	f, t := c.main, c.table
	root := f.root()
	s := &t.Server
	s.State = or(f.State, "file:ficus.events")
	if path, ok := strings.CutPrefix(s.State, "file:"); !ok || path == "" {
		root.key("state").fail("write file: and a path, such as file:ficus.events", "state is kept in a file, %s is none", root.key("state").quote(s.State))
	}
	s.Flags = or(f.Flags, "builtin")
	if s.Flags != "builtin" {
		root.key("flags").fail("write flags: builtin", "no flag provider %s", root.key("flags").quote(s.Flags))
	}
	if s.Secret = f.Secret; s.Secret != "" && len(s.Secret) < 16 {
		root.key("secret").fail("use at least 16 random bytes, such as the output of: openssl rand -hex 32", "is too short to sign cookies with")
	}
	c.listeners(root.key("listen"))
	c.admin(root.key("admin"))
	t.Trusted = prefixes(root.key("trusted_proxies"), f.TrustedProxies)
	t.Limits = Limits{
		HeaderBytes: int(valueOr(f.Limits.HeaderBytes, defaultHeaderBytes)),
		BodyBytes:   int64(valueOr(f.Limits.BodyBytes, 0)),
		HeaderTime:  valueOr(f.Limits.HeaderTime, defaultHeaderTime).std(),
		IdleTime:    valueOr(f.Limits.IdleTime, defaultIdleTime).std(),
		BodySilence: valueOr(f.Limits.BodySilence, defaultBodySilence).std(),
	}
	limits := root.key("limits")
	if n := t.Limits.HeaderBytes; n < 4<<10 || n > 64<<20 {
		limits.key("header_bytes").fail("write a size such as 128KiB", "must lie between 4KiB and 64MiB")
	}
	if t.Limits.HeaderTime == 0 {
		limits.key("header_time").fail("write a duration such as 60s", "must not be 0: connections that never send a header would pile up")
	}
	if t.Limits.IdleTime == 0 {
		limits.key("idle_time").fail("write a duration such as 90s", "must not be 0: connections that nobody uses would pile up")
	}
	s.Shutdown = Shutdown{
		Delay:   valueOr(f.Shutdown.Delay, 0).std(),
		Timeout: valueOr(f.Shutdown.Timeout, defaultShutdown).std(),
	}
	c.telemetry(root.key("telemetry"))
	t.Access = f.Log.Access == nil || *f.Log.Access
	s.LogLevel = or(f.Log.Level, "info")
}

func (c *compiler) telemetry(at spot) {
	t := c.main.Telemetry
	sample := valueOr(t.Sample, defaultTraceSample)
	if sample > 1 {
		at.key("sample").fail("write a percentage from 0% to 100%", "is more than 100%%")
	}
	if t.OTLP != "" {
		u, err := url.Parse(t.OTLP)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			at.key("otlp").fail("write the URL of an OTLP/HTTP collector, such as http://127.0.0.1:4318", "%s is not a URL", at.key("otlp").quote(t.OTLP))
		}
	}
	for _, name := range sortedKeys(t.Headers) {
		checkField(at.key("headers").key(name), name, t.Headers[name])
	}
	c.table.Server.Telemetry = Telemetry{OTLP: t.OTLP, Sample: float64(sample), Service: or(t.Service, "ficus"), Headers: t.Headers}
}

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
	beside := filepath.Dir(strings.TrimPrefix(c.table.Server.State, "file:"))
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
	for _, l := range c.table.Server.Listen {
		if l.Network == "unix" && out.Socket != "" && filepath.Clean(l.Address) == filepath.Clean(out.Socket) {
			at.key("socket").fail("give it a path of its own", "%s is a public listener too; the public path space belongs to the monolith", at.key("socket").quote(out.Socket))
		}
	}
	c.table.Server.Admin = out
}

func (c *compiler) adminAddress(at spot, a Admin) {
	addr := at.key("address")
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
	if host, _, _ := net.SplitHostPort(l.Address); !isLoopback(host) && len(a.Hosts) == 0 {
		addr.fail("listen on 127.0.0.1:9900, or name the hosts that may be asked for: admin: {address: ..., hosts: [ficus.example.com]}", "%s is not on the loopback, and no hosts are named", addr.quote(a.Address))
	}
	for i, h := range a.Hosts {
		checkHost(at.key("hosts").index(i), h, false)
	}
}

// listenAddress reads host:port or unix:/path.
func listenAddress(at spot, text string) (Listener, bool) {
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
	if a.Network == "unix" {
		return filepath.Clean(a.Address) == filepath.Clean(b.Address)
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

// prefixes reads addresses and networks.
func prefixes(at spot, list []string) []netip.Prefix {
	var out []netip.Prefix
	for i, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
				p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
		}
		if err != nil {
			at.index(i).fail("write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32", "%s is neither an address nor a network", at.index(i).quote(text))
			continue
		}
		if p.Masked() != p {
			at.index(i).fail(fmt.Sprintf("write %s for the network, or the address alone", p.Masked()), "%s has bits beyond its mask", at.index(i).quote(text))
			continue
		}
		out = append(out, p)
	}
	return out
}

// path makes a path of a file relative to the config's directory.
func (s *source) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}
