package compare

import (
	"net/http"
	"slices"
	"strings"
)

// unheard are headers that say nothing about the answer: who gave it, when,
// over which connection, how it was packed. Set-Cookie and Content-Type are
// compared in parts of their own.
var unheard = map[string]bool{
	"Age": true, "Alt-Svc": true, "Connection": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true,
	"Date": true, "Keep-Alive": true, "Nel": true, "Proxy-Connection": true, "Report-To": true, "Server": true, "Server-Timing": true,
	"Set-Cookie": true, "Traceparent": true, "Tracestate": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Via": true,
	"X-Amzn-Trace-Id": true, "X-Amz-Cf-Id": true, "X-Amz-Cf-Pop": true, "X-B3-Spanid": true, "X-B3-Traceid": true, "X-Cache": true,
	"X-Cloud-Trace-Context": true, "X-Correlation-Id": true, "X-Powered-By": true, "X-Request-Id": true, "X-Request-Start": true,
	"X-Response-Time": true, "X-Runtime": true, "X-Served-By": true, "X-Timer": true, "X-Trace-Id": true, "X-Varnish": true,
	"Accept-Ranges": true, "Cf-Ray": true, "Request-Id": true, "X-Aspnet-Version": true, "X-Generator": true, "X-Envoy-Upstream-Service-Time": true,
}

// sets are headers whose value is a set: order, case and white space don't
// count.
var sets = map[string]bool{
	"Vary": true, "Cache-Control": true, "Allow": true, "Pragma": true, "Access-Control-Allow-Headers": true,
	"Access-Control-Allow-Methods": true, "Access-Control-Expose-Headers": true,
}

// headers compares the headers as multimaps.
func (d *differ) headers(control, candidate http.Header) {
	var differing []string
	for name, a := range control {
		if b := candidate[name]; !slices.Equal(a, b) && !d.ignoresHeader(name) {
			differing = append(differing, name)
		}
	}
	for name := range candidate {
		if _, ok := control[name]; !ok && !d.ignoresHeader(name) {
			differing = append(differing, name)
		}
	}
	slices.Sort(differing)
	for _, name := range differing {
		d.header(name, control[name], candidate[name])
	}
}

func (d *differ) ignoresHeader(name string) bool {
	return unheard[name] || strings.HasPrefix(name, "Ficus-") || anyMatchesName(d.rules.ignore, "header", name)
}

func (d *differ) header(name string, a, b []string) {
	path := "header." + name
	switch {
	case len(b) == 0:
		d.named(path, KindMissing, "header", a[0], "", Nothing, name)
		return
	case len(a) == 0:
		d.named(path, KindExtra, "header", "", b[0], Nothing, name)
		return
	}
	switch {
	case sets[name]:
		x, y := setOf(a), setOf(b)
		if slices.Equal(x, y) {
			return
		}
		a, b = []string{strings.Join(x, ", ")}, []string{strings.Join(y, ", ")}
	case name == "Etag":
		// Two programs never make the same tag of the same thing; that there
		// is one, and how strong it is, counts.
		if strings.HasPrefix(a[0], "W/") == strings.HasPrefix(b[0], "W/") {
			return
		}
	case name == "Location" || name == "Content-Location" || name == "Link" || name == "Refresh":
		if d.sameLocation(a, b) {
			return
		}
	}
	if sameBag(a, b) {
		d.named(path, KindOrder, "header", strings.Join(a, ", "), strings.Join(b, ", "), Normalised, name)
		return
	}
	d.named(path, KindValue, "header", strings.Join(a, ", "), strings.Join(b, ", "), d.textLevel(strings.Join(a, ", "), strings.Join(b, ", ")), name)
}

// sameLocation compares URLs with the hosts of both sides taken for the same,
// and for none: a monolith says http://host/x where a service says /x.
func (d *differ) sameLocation(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if d.location(a[i]) != d.location(b[i]) {
			return false
		}
	}
	return true
}

func (d *differ) location(s string) string {
	same, ok := d.rules.sameHosts(nil, []byte(s))
	if !ok {
		return s
	}
	s = strings.ReplaceAll(string(same), "//\x00", "")
	if s == "" {
		return "/"
	}
	return s
}

// setOf splits comma-separated values into a sorted set.
func setOf(values []string) []string {
	var set []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.ToLower(strings.TrimSpace(part)); part != "" {
				set = append(set, strings.ReplaceAll(part, " ", ""))
			}
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func sameBag(a, b []string) bool {
	if len(a) != len(b) || len(a) < 2 {
		return false
	}
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// named reports a difference of a header or cookie, whose path is spelled by
// names, unless an expression takes the two for equal. An empty text is an
// absent value.
func (d *differ) named(path string, kind Kind, root, a, b string, agree Level, names ...string) {
	for i := range d.rules.equals {
		e := &d.rules.equals[i]
		if e.root == root && e.matchesName(names...) {
			if e.holds(orNil(a, kind == KindExtra), orNil(b, kind == KindMissing)) {
				return
			}
			break
		}
	}
	for i := range d.rules.tolerances {
		if t := &d.rules.tolerances[i]; t.root == root && t.matchesName(names...) && t.allows([]byte(a), []byte(b)) {
			return
		}
	}
	keep := anyMatchesName(d.rules.keep, root, names...)
	d.reportAt(path, kind, d.plain(a, kind == KindExtra, keep), d.plain(b, kind == KindMissing, keep), agree)
}

func orNil(s string, absent bool) any {
	if absent {
		return nil
	}
	return s
}

// plain describes a text outside a body.
func (d *differ) plain(s string, absent, keep bool) Value {
	if absent {
		return Value{Type: TypeNone, Class: ClassAbsent}
	}
	v := Value{Type: TypeString, Class: classOf([]byte(s)), Length: len(s), Mark: d.mark([]byte(s))}
	if keep {
		v.Text = keepText([]byte(s))
	}
	return v
}

// textLevel is the finest level at which two different texts agree.
func (d *differ) textLevel(a, b string) Level {
	x, y := []byte(a), []byte(b)
	return d.rules.agree(TypeString, x, y, classOf(x), classOf(y))
}
