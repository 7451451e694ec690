package routes

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// upstream compiles one upstream; nil is never returned, but a broken one has problems.
func (c *compiler) upstream(at spot, name string, u UpstreamConfig) *Upstream {
	t := u.Timeout
	out := &Upstream{
		Name:     name,
		Protocol: Protocol(or(u.Protocol, string(HTTP1))),
		Timeouts: Timeouts{
			Connect:  valueOr(t.Connect, defaultConnect).std(),
			Response: valueOr(t.Response, defaultResponse).std(),
			Idle:     valueOr(t.Idle, defaultIdle).std(),
			Request:  valueOr(t.Request, 0).std(),
			Keep:     valueOr(t.Keep, defaultKeep).std(),
		},
		TLS: UpstreamTLS{
			CA: at.src.path(u.TLS.CA), ServerName: u.TLS.ServerName,
			Cert: at.src.path(u.TLS.Cert), Key: at.src.path(u.TLS.Key), Insecure: u.TLS.Insecure,
		},
		MaxIdle:  valueOr(u.MaxIdle, defaultMaxIdle),
		MaxConns: valueOr(u.MaxConns, 0),
	}
	if len(u.URL) == 0 {
		at.follow("write "+name+": http://127.0.0.1:3000", "has no url")
	}
	first := map[string]int{}
	for i, e := range u.URL {
		item := at.key("url").index(i)
		if e.URL == "" {
			item.follow("write {url: http://10.0.0.5:3001, weight: 2}", "has no url")
			continue
		}
		ep, ok := endpoint(item.key("url"), e.URL)
		if !ok {
			continue
		}
		if ep.Weight = valueOr(e.Weight, 1); ep.Weight < 1 || ep.Weight > 1000 {
			item.key("weight").fail("write a number from 1 to 1000, or remove the endpoint", "a weight of %d", ep.Weight)
		}
		id := ep.Scheme + "://" + ep.Host + ep.Socket
		if j, ok := first[id]; ok {
			item.key("url").fail("name it once, with a weight if it should get more", "is the same endpoint as number %d", j+1)
		}
		first[id] = i
		out.Endpoints = append(out.Endpoints, ep)
	}
	out.Host, out.HostName = hostMode(at.key("host"), u.Host)
	out.Health = health(at.key("health"), u.Health)
	out.Acknowledge = acknowledge(at.key("acknowledge"), u.Acknowledge)
	if out.Acknowledge != nil && out.Protocol == HTTP2 {
		at.key("acknowledge").fail("speak http1 to it", "a write and its acknowledgement share a connection, which HTTP/2 does not promise")
	}
	c.upstreamTLS(at.key("tls"), u, out)
	return out
}

func (c *compiler) upstreamTLS(at spot, u UpstreamConfig, out *Upstream) {
	if (u.TLS.Cert == "") != (u.TLS.Key == "") {
		at.follow("write both, as tls: {cert: client.pem, key: client.key}", "a client certificate needs both cert and key")
	}
	for _, e := range out.Endpoints {
		if e.Scheme == "https" {
			return
		}
	}
	if u.TLS != (UpstreamTLSConfig{}) && len(out.Endpoints) > 0 {
		at.fail("write https:// in the url, or remove tls", "no endpoint of this upstream speaks TLS")
	}
}

// hostMode reads what Host an upstream sees.
func hostMode(at spot, text string) (HostMode, string) {
	switch text {
	case "", string(HostPreserve):
		return HostPreserve, ""
	case string(HostUpstream):
		return HostUpstream, ""
	}
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil && isPort(port) {
		host = h
	}
	if near := nearest(text, []string{"preserve", "upstream"}); near != "" && !strings.Contains(text, ".") {
		at.fail("did you mean \""+near+"\"? A fixed name has a dot in it", "no host %s", at.quote(text))
	} else {
		checkHost(at, host, false)
	}
	return HostLiteral, text
}

func acknowledge(at spot, a *AcknowledgeConfig) *Acknowledge {
	if a == nil {
		return nil
	}
	if !strings.HasPrefix(a.Path, "/") {
		at.key("path").follow("write acknowledge: {path: /rehearsal, secret: ${REHEARSAL_SECRET}}", "%s is not a path", at.key("path").quote(a.Path))
	}
	if len(a.Secret) < 16 {
		at.key("secret").follow("use at least 16 random bytes, such as the output of: openssl rand -hex 32", "is too short to sign with")
	}
	return &Acknowledge{Path: a.Path, Secret: a.Secret}
}

func health(at spot, h *HealthConfig) *Health {
	if h == nil {
		return nil
	}
	out := &Health{
		Path:      h.Path,
		Every:     valueOr(h.Every, defaultHealthEvery).std(),
		Timeout:   valueOr(h.Timeout, defaultHealthTimeout).std(),
		Unhealthy: valueOr(h.Unhealthy, defaultUnhealthy),
		Healthy:   valueOr(h.Healthy, defaultHealthy),
	}
	if !strings.HasPrefix(h.Path, "/") {
		at.key("path").follow("write health: /healthz", "the path %s does not begin with a slash", at.key("path").quote(h.Path))
	}
	if out.Every <= 0 {
		at.key("every").fail("write a duration such as 5s", "must not be 0")
	}
	if out.Timeout <= 0 {
		at.key("timeout").fail("write a duration such as 2s", "must not be 0")
	}
	if out.Unhealthy < 1 {
		at.key("unhealthy").fail("write a number from 1", "must not be 0")
	}
	if out.Healthy < 1 {
		at.key("healthy").fail("write a number from 1", "must not be 0")
	}
	return out
}

// endpoint reads one URL of an upstream. Messages never hold the parser's own
// error, which repeats the URL.
func endpoint(at spot, text string) (Endpoint, bool) {
	const form = "write http://host:port, https://host or unix:/path/of.sock"
	bad := func(hint, what string) (Endpoint, bool) {
		at.fail(hint, "%s %s", at.quote(text), what)
		return Endpoint{}, false
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
			return bad("write unix:/run/app.sock", "is not the absolute path of a socket")
		}
		return Endpoint{Scheme: "http", Host: "localhost", Socket: path}, true
	}
	u, err := url.Parse(text)
	switch {
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Opaque == "":
	case !strings.Contains(text, "://") && text != "" && !strings.ContainsAny(text, " /"):
		return bad("write the scheme too, as http://host:port", "has no scheme")
	default:
		return bad(form, "is not the URL of an upstream")
	}
	port := u.Port()
	switch {
	case u.User != nil:
		return bad("take them out of the URL; a header may be set with request: {set: {Authorization: ...}} on a route", "holds a user name or password")
	case u.Path != "" && u.Path != "/":
		return bad("write the URL without a path, and rewrite: {add_prefix: ...} on the route", "has a path")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return bad(form, "has a query or a fragment")
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":") || port != "" && !isPort(port):
		return bad(form, "has no host or no sound port")
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	return Endpoint{Scheme: u.Scheme, Host: net.JoinHostPort(strings.ToLower(u.Hostname()), port)}, true
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= 65535
}
