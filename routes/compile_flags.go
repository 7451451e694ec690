package routes

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// The defaults of an outside flag provider.
const (
	defaultFlagsInterval = 30 * time.Second
	defaultOFREPInterval = 5 * time.Second
	defaultFlagsTimeout  = 50 * time.Millisecond
)

// flags compiles who evaluates flags.
func (c *compiler) flags(at spot) {
	f := c.main.Flags
	out := Flags{
		Source: or(f.Source, BuiltIn), Token: f.Token, Headers: f.Headers,
		Timeout: valueOr(f.Timeout, Duration(defaultFlagsTimeout)).std(),
	}
	source := at.key("source")
	text, ofrep := strings.CutPrefix(out.Source, "ofrep+")
	interval := defaultFlagsInterval
	switch path, file := strings.CutPrefix(out.Source, "file:"); {
	case out.Source == BuiltIn:
	case file && strings.TrimPrefix(path, "//") == "":
		source.fail("write file:flags.json", "does not say which file")
	case file:
		out.Source = "file:" + c.main.path(strings.TrimPrefix(path, "//"))
	default:
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			source.fail("write builtin, file:flags.json, https://host/flags.json or ofrep+https://host", "no flag provider %s", source.quote(redacted(out.Source)))
			return
		}
		if ofrep {
			interval = defaultOFREPInterval
			if u.RawQuery != "" || u.Fragment != "" {
				source.fail("write ofrep+https://host, and a token below token:", "%s has a query, which the requests for flags have no place for", source.quote(redacted(out.Source)))
			}
		}
		if u.Scheme == "http" && (out.Token != "" || u.User != nil) && !isLoopback(u.Hostname()) {
			source.warn("use https", "the token is sent over a connection that is not encrypted")
		}
	}
	remote := out.Source != BuiltIn && !strings.HasPrefix(out.Source, "file:")
	if out.Token != "" && !remote {
		at.key("token").fail("remove it, or name a URL", "nothing is asked over the network, so there is nobody to show a token to")
	}
	out.Interval = valueOr(f.Interval, Duration(interval)).std()
	if out.Interval < time.Second && f.Interval != nil {
		at.key("interval").fail("write at least 1s", "is too short a time between two looks")
	}
	if out.Timeout <= 0 || out.Timeout > time.Second {
		at.key("timeout").fail("write a duration such as 50ms, up to 1s", "requests wait for it, so it must be short, and not 0")
	}
	for _, name := range sortedKeys(f.Headers) {
		checkField(at.key("headers").key(name), name, f.Headers[name])
	}
	c.attributes(at.key("attributes"), &out)
	c.table.Server.Flags = out
}

func (c *compiler) attributes(at spot, out *Flags) {
	for _, name := range sortedKeys(c.main.Flags.Attributes) {
		item := at.key(name)
		if name == "targetingKey" || name == "" || strings.HasPrefix(name, "$") || strings.Contains(name, ".") {
			item.fail("choose a name without dots and dollars, such as email", "%q cannot be the name of an attribute", name)
			continue
		}
		from := keySources(item, []string{c.main.Flags.Attributes[name]})
		if len(from) == 0 {
			continue
		}
		if !slices.Contains(namedKeys, from[0].Kind) && from[0].Kind != migrations.KeyIP {
			item.fail("write header:NAME, cookie:NAME, query:NAME, jwt:CLAIM or ip", "%s is no attribute", from[0])
			continue
		}
		out.Attributes = append(out.Attributes, Attribute{Name: name, From: from[0]})
	}
	if len(out.Attributes) > 0 && out.Source == BuiltIn {
		at.warn("remove them, unless the program brings a flag provider of its own", "the log asks for no attributes")
	}
}

// redacted returns a source as it may be shown: without user, password and query.
func redacted(source string) string {
	scheme, rest, ok := strings.Cut(source, "://")
	if !ok {
		return source
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	host, path, slash := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if slash {
		path = "/" + path
	}
	return scheme + "://" + host + path
}

// ofrep compiles the listener for applications that ask for sides.
func (c *compiler) ofrep(at spot) {
	f := c.main.OFREP
	out := OFREP{Token: f.Token, Open: f.Open, Origins: f.Origins}
	defer func() { c.table.Server.OFREP = out }()
	if f.Token != "" && len(f.Token) < 16 {
		at.key("token").fail("use at least 16 random bytes, such as the output of: openssl rand -hex 32", "is too short for a token")
	}
	for i, origin := range f.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			at.key("origins").index(i).fail("write an origin such as https://shop.example.com", "%s is not an origin", at.key("origins").index(i).quote(origin))
		}
	}
	if f.Listen == "" {
		if f.Token != "" || f.Open || len(f.Origins) > 0 {
			at.key("listen").follow("write ofrep: {listen: 127.0.0.1:9901, ...}", "there is no listener for them; the admin listener has its own tokens, and no pages of other origins")
		}
		return
	}
	l, ok := listenAddress(at.key("listen"), f.Listen)
	if !ok {
		return
	}
	out.Listen = &l
	for _, pub := range c.table.Server.Listen {
		if overlap(pub, l) {
			at.key("listen").fail("give it a port of its own, such as 127.0.0.1:9901", "%s is the public listener %s too; the public path space belongs to the monolith", at.key("listen").quote(f.Listen), pub.Address)
		}
	}
	admin := c.table.Server.Admin
	if admin.Address != "" && overlap(Listener{Network: "tcp", Address: admin.Address}, l) || admin.Socket != "" && overlap(Listener{Network: "unix", Address: admin.Socket}, l) {
		at.key("listen").fail("leave it out, since the admin listener answers too, or give it a port of its own", "%s is the admin listener", at.key("listen").quote(f.Listen))
	}
	host, _, _ := net.SplitHostPort(l.Address)
	switch local := l.Network == "unix" || isLoopback(host); {
	case f.Token != "" && f.Open:
		at.key("open").fail("remove one of them", "with open, nobody needs the token")
	case f.Token == "" && !f.Open && !local:
		at.key("listen").fail("set a token, or open: true where everybody who reaches the address may know on which side any key is", "%s is not on the loopback, and needs no token", at.key("listen").quote(f.Listen))
	}
}

// decidedElsewhere warns of what does not count beside an outside provider.
func (c *compiler) decidedElsewhere() {
	if c.table.Server.Flags.Source == BuiltIn {
		return
	}
	told := slices.ContainsFunc(c.table.Server.Flags.Attributes, func(a Attribute) bool { return a.From.Kind != migrations.KeyIP })
	if told && len(c.table.Trusted) == 0 {
		c.main.root().key("flags").key("attributes").warn("name the proxies in trusted_proxies", "attributes count from trusted proxies only, and there are none, so that rules never see them")
	}
	for _, id := range slices.Sorted(maps.Keys(c.table.Plans)) {
		p, at := c.table.Plans[id], c.migrations[id]
		if len(p.Cohorts) > 0 {
			at.key("cohorts").warn("write them as rules of the flag", "do not count: %s decides", c.table.Server.Flags.Name())
		}
		if len(p.Steps) > 0 {
			at.key("ramp").warn("remove it; the guard works without", "nothing moves by it: %s decides", c.table.Server.Flags.Name())
		}
	}
}
