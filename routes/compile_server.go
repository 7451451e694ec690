package routes

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
)

// server compiles what concerns the whole process.
func (c *compiler) server() {
	f, t := c.main, c.table
	root := f.root()
	s := &t.Server
	c.state(root.key("state"))
	c.flags(root.key("flags"))
	t.Changes = Changes(or(f.Changes, string(ByAPI)))
	if s.Secret = f.Secret; s.Secret != "" && len(s.Secret) < 16 {
		root.key("secret").fail("use at least 16 random bytes, such as the output of: openssl rand -hex 32", "is too short to sign cookies with")
	}
	c.listeners(root.key("listen"))
	c.admin(root.key("admin"))
	c.ofrep(root.key("ofrep"))
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
