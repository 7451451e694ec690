package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/routes"
)

// prepare makes the request for the upstream of what the client sent: the
// target byte for byte unless the route rewrites it, the header without what
// concerns the client's connection alone.
func (rec *record) prepare(r *http.Request) error {
	if !soundLine(r) {
		return errRequestLine
	}
	out := &rec.outgoing
	out.Method, out.Target = r.Method, routes.RequestTarget(r)
	out.Retry = upstream.Retryable(r.Method)
	if rec.route.Rewrite != nil {
		out.Target, _ = rec.route.Rewrite.Target(out.Target)
	}
	if r.ProtoMajor == 1 && r.ProtoMinor > 0 {
		out.Upgrade = upgradeOf(r.Header)
	}
	out.TE = hasToken(r.Header["Te"], "trailers")
	rec.copyHeader(r.Header)
	rec.forward(r)
	flags.StripCookies(rec.header)
	rec.trace.Inject(rec.header)
	rec.announce(rec.header)
	rec.route.Request.Apply(rec.header)
	out.Header = rec.header
	if r.ProtoAtLeast(1, 1) { // before it nobody knew of them
		out.Informational = rec.informational
	}
	return rec.prepareBody(r)
}

// errRequestLine is the error of a request that can't be written as a request
// line. Over HTTP/1.1 net/http refuses it before; HTTP/2 has no such line.
var errRequestLine = errors.New("the method, the target or the host holds a byte that has no place in a request line")

// soundLine reports whether method, target and host can stand in the head of
// a request without becoming another one (RFC 9112, sections 3 and 3.2).
func soundLine(r *http.Request) bool {
	for _, text := range [...]string{r.Method, r.RequestURI, r.Host} {
		for i := range len(text) {
			if c := text[i]; c <= ' ' || c == 0x7f {
				return false
			}
		}
	}
	return r.Method != ""
}

// prepareBody sets what the upstream will read of the client's body.
func (rec *record) prepareBody(r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	limit := rec.route.BodyBytes
	if limit == 0 {
		limit = rec.snap.Table.Limits.BodyBytes
	}
	if limit > 0 && r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	b := &rec.body
	b.rc, b.control, b.max, b.limit = r.Body, rec.writer.control, limit, rec.snap.Table.Limits.BodySilence
	if r.ProtoMajor == 1 {
		// Without it net/http reads the body to its end before the answer begins.
		if err := rec.writer.control.EnableFullDuplex(); err != nil {
			return err
		}
	}
	out := &rec.outgoing
	out.Body, out.AbortBody = b, b.abort
	out.Length = r.ContentLength
	out.Trailer = func() http.Header { return rec.trailer(r.Trailer) }
	out.Expect = r.ProtoMajor == 1 && hasToken(r.Header["Expect"], "100-continue")
	return nil
}

// trailer returns the trailer fields that go on: applications may merge them
// into the header, so what a client may not say there it may not say here.
func (rec *record) trailer(from http.Header) http.Header {
	to := make(http.Header, len(from))
	for name, values := range from {
		if passes(name) && !disguised(name) && (rec.peer.trusted || !slices.Contains(spoofable, name)) {
			to[name] = values
		}
	}
	return to
}

// copyHeader takes over the client's header fields but those that concern its
// connection (RFC 9110, section 7.6.1) or belong to Ficus (law 11).
func (rec *record) copyHeader(from http.Header) {
	to := rec.header
	for name, values := range from {
		if passes(name) && !disguised(name) {
			to[name] = values
		}
	}
	for _, line := range from["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if token = strings.TrimSpace(token); token != "" {
				delete(to, http.CanonicalHeaderKey(token))
			}
		}
	}
}

// passes reports whether a field may pass the gateway: it concerns more than
// one connection, and is not one of its own (law 11).
func passes(name string) bool { return !hopByHop(name) && !strings.HasPrefix(name, "Ficus-") }

// hopByHop reports whether a field concerns one connection only.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// hasToken reports whether a list field holds a token, without regard to case
// or parameters.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			item, _, _ = strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// upgradeOf returns the protocol that a request asks to change to, "" for
// none. HTTP/2 is not passed on: behind it requests would come to the
// upstream that no route has seen.
func upgradeOf(h http.Header) string {
	to := first(h["Upgrade"])
	if to == "" || !hasToken(h["Connection"], "upgrade") {
		return ""
	}
	for item := range strings.SplitSeq(to, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(item), "/")
		if strings.EqualFold(name, "h2c") || strings.EqualFold(name, "HTTP") {
			return ""
		}
	}
	return to
}

// spoofable are the forwarding fields that applications believe; from clients
// they are not taken over.
var spoofable = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	"X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Real-Ip",
}

// disguised reports whether a field that is written with underscores is, to an
// application that can't tell them from dashes (CGI, WSGI, PHP), one that
// clients must not send.
func disguised(name string) bool {
	if strings.IndexByte(name, '_') < 0 {
		return false
	}
	plain := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
	return strings.HasPrefix(plain, "Ficus-") || slices.Contains(spoofable, plain)
}

// forward says for whom the request is: what a trusted proxy said goes on,
// with its address added; from anybody else only what the connection shows.
func (rec *record) forward(r *http.Request) {
	h, p := rec.header, &rec.peer
	if !p.trusted {
		for _, name := range spoofable {
			delete(h, name)
		}
	} else if saysXForwarded(h) {
		delete(h, "Forwarded") // the client's own, passed on by a proxy that does not speak it
	}
	if p.addr.IsValid() {
		addr := p.addr.String()
		if before := h["X-Forwarded-For"]; len(before) > 0 {
			addr = strings.Join(before, ", ") + ", " + addr
		}
		h["X-Forwarded-For"] = []string{addr}
		if before := h["Forwarded"]; len(before) > 0 {
			h["Forwarded"] = []string{strings.Join(before, ", ") + ", " + hop(p, r)}
		}
	}
	if len(h["X-Forwarded-Host"]) == 0 && r.Host != "" {
		h["X-Forwarded-Host"] = []string{r.Host}
	}
	if len(h["X-Forwarded-Proto"]) == 0 {
		h["X-Forwarded-Proto"] = []string{p.scheme}
	}
}

// hop writes an element of Forwarded (RFC 7239, section 4) for the peer.
func hop(p *peer, r *http.Request) string {
	node := p.addr.String()
	if p.addr.Is6() {
		node = `"[` + node + `]"`
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	return "for=" + node + ";proto=" + proto
}

// hostFor returns the Host that an upstream is asked with.
func (rec *record) hostFor(up *upstream.Upstream) string {
	return hostOf(up.Definition(), rec.Host)
}

// hostOf returns the Host that an upstream is asked with; empty: its own.
func hostOf(def routes.Upstream, client string) string {
	switch def.Host {
	case routes.HostLiteral:
		return def.HostName
	case routes.HostUpstream:
		return ""
	}
	return client
}
