package routes

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// match compiles which requests a route takes, and reports whether it is
// sound enough to be compared with others.
func (c *compiler) match(at spot, r RouteConfig, m *Match) bool {
	before := len(at.src.problems)
	m.Path = r.Path
	if r.Path == "" {
		at.follow("add path:, /* for all", "has no path")
		return false
	}
	if _, err := parsePattern(r.Path); err != nil {
		at.key("path").fail("write /api/orders for one path, /api/orders/* for all below, {id} or {id:[0-9]+} for one part", "%v", err)
	}
	for i, h := range r.Hosts {
		item := at.key("hosts").index(i)
		checkHost(item, h, true)
		h = strings.ToLower(strings.TrimSuffix(h, "."))
		if slices.Contains(m.Hosts, h) {
			item.fail("name it once", "%s is given twice", item.quote(h))
			continue
		}
		m.Hosts = append(m.Hosts, h)
	}
	for i, method := range r.Methods {
		item := at.key("methods").index(i)
		switch {
		case !httpguts.ValidHeaderFieldName(method):
			item.fail("write a method such as GET", "%s is not a method", item.quote(method))
		case method != strings.ToUpper(method):
			item.fail("write "+strings.ToUpper(item.plain(method)), "methods are written in capitals, not as %s", item.quote(method))
		case slices.Contains(m.Methods, method):
			item.fail("name it once", "%s is given twice", item.quote(method))
		}
		m.Methods = append(m.Methods, method)
	}
	slices.Sort(m.Hosts)
	slices.Sort(m.Methods)
	m.Headers = predicates(at.key("headers"), r.Headers, "header", textproto.CanonicalMIMEHeaderKey)
	m.Query = predicates(at.key("query"), r.Query, "query parameter", nil)
	m.Cookies = predicates(at.key("cookies"), r.Cookies, "cookie", nil)
	return len(at.src.problems) == before && !at.broken()
}

// predicates compiles what headers, query parameters or cookies must be.
func predicates(at spot, list map[string]PredicateConfig, what string, canonical func(string) string) []Pair {
	var out []Pair
	for _, name := range sortedKeys(list) {
		pc, item := list[name], at.key(name)
		if name == "" || what != "query parameter" && !httpguts.ValidHeaderFieldName(name) {
			item.fail("a name has letters, digits and dashes", "%q is not the name of a %s", name, what)
			continue
		}
		p := Pair{Name: name, Any: pc.Present}
		if canonical != nil {
			p.Name = canonical(name)
		}
		if p.Name == "Host" && what == "header" {
			item.fail("write hosts: [shop.example.com]", "the host is not matched as a header")
		}
		if slices.ContainsFunc(out, func(o Pair) bool { return o.Name == p.Name }) {
			item.fail("name it once", "the %s %s is given twice", what, p.Name)
			continue
		}
		ways := 0
		for _, given := range []bool{pc.Is != nil, pc.Matches != "", pc.Present} {
			if given {
				ways++
			}
		}
		if ways != 1 {
			item.follow("write "+name+": value, or one of {is: value}, {matches: regex} and {present: true}", "says %d things of one %s", ways, what)
		}
		p.Value = valueOr(pc.Is, "")
		p.Pattern = expression(item.key("matches"), pc.Matches, true)
		out = append(out, p)
	}
	return out
}

// plain returns value for a hint, or a word for it if it came from a variable.
func (s spot) plain(value string) string {
	if _, ok := s.src.written[s.path]; ok {
		return "the value"
	}
	return value
}

// checkHost reports what cannot be a host name or address without a port.
func checkHost(at spot, host string, wildcards bool) {
	name := strings.TrimSuffix(host, ".")
	hint := "write a name such as shop.example.com"
	if wildcards {
		name = strings.TrimPrefix(name, "*.")
		hint += ", or *.example.com for all below"
	}
	if i := strings.LastIndexByte(name, ':'); i > 0 && isPort(name[i+1:]) && strings.Count(name, ":") == 1 {
		at.fail("remove the port; a route matches a host on all listeners", "%s has a port", at.quote(host))
		return
	}
	ok := name != "" && len(name) <= 253 && !strings.Contains(name, "..") && !strings.HasPrefix(name, ".")
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:[]", c) >= 0)
	}
	if !ok {
		at.fail(hint, "%s is not a host", at.quote(host))
	}
}

// hopByHop are headers that belong to one connection, or that say how long a
// message is: an edit of them would break the message.
var hopByHop = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// headerEdit compiles an edit of a header.
func headerEdit(at spot, e *HeaderEditConfig) *HeaderEdit {
	if e == nil {
		return nil
	}
	out := &HeaderEdit{}
	for i, name := range e.Remove {
		checkField(at.key("remove").index(i), name, "")
		out.Remove = append(out.Remove, http.CanonicalHeaderKey(name))
	}
	for _, name := range sortedKeys(e.Set) {
		checkField(at.key("set").key(name), name, e.Set[name])
		out.Set = append(out.Set, Field{http.CanonicalHeaderKey(name), e.Set[name]})
	}
	for _, name := range sortedKeys(e.Add) {
		for i, value := range e.Add[name] {
			checkField(at.key("add").key(name).index(i), name, value)
			out.Add = append(out.Add, Field{http.CanonicalHeaderKey(name), value})
		}
	}
	if len(out.Remove)+len(out.Set)+len(out.Add) == 0 {
		at.follow("write {set: {X-Name: value}}, {add: ...} or {remove: [X-Name]}", "changes nothing")
	}
	return out
}

// checkField reports a header field that may not be written.
func checkField(at spot, name, value string) {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		at.fail("a name has letters, digits and dashes", "%s is not the name of a header", at.quote(name))
	case canonical == "Host":
		at.fail("write host: on the upstream", "the Host header is not edited")
	case slices.Contains(hopByHop, canonical):
		at.fail("leave it to the gateway", "%s belongs to one connection", canonical)
	case strings.HasPrefix(canonical, "Ficus-"):
		at.fail("choose another name", "the names that begin with Ficus- are the gateway's own")
	case !httpguts.ValidHeaderFieldValue(value):
		at.fail("remove line breaks and control characters", "the value of %s cannot stand in a header", canonical)
	}
}
