package routes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A NearMiss is a route whose path a request has, but which does not get it.
type NearMiss struct {
	Route *Route
	Why   string // "header X-Version is absent"
}

// Explain returns the route that [Table.Match] returns, and the other routes
// that the path matches, most specific first, with what kept each of them from
// being chosen.
func (t *Table) Explain(r *http.Request) (chosen *Route, nearly []NearMiss) {
	chosen = t.Match(r)
	if t.matcher == nil {
		return nil, nil
	}
	path := matchPath(r)
	host := hostName(r.Host)
	for _, c := range t.matcher.routes {
		if c.route == chosen || !c.path.match(path) && (path != "" || !c.path.segs[0].all()) {
			continue
		}
		why := c.needs.missing(r)
		if !covers(c.route.Match.Hosts, host) {
			why = fmt.Sprintf("the host is %s, not %s", orNone(host), strings.Join(c.route.Match.Hosts, " or "))
		}
		if why == "" && chosen != nil {
			why = fmt.Sprintf("%s is more specific", chosen.ID)
		}
		nearly = append(nearly, NearMiss{c.route, why})
	}
	return chosen, nearly
}

// covers reports whether a host is among those of a match.
func covers(hosts []string, host string) bool {
	return len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool {
		suffix, wild := strings.CutPrefix(h, "*")
		return h == "*" || wild && strings.HasSuffix(host, suffix) || hostName(h) == host
	})
}

// missing says which predicate fails first; empty: none.
func (n *needs) missing(r *http.Request) string {
	if len(n.methods) > 0 && !slices.Contains(n.methods, r.Method) {
		return fmt.Sprintf("the method is %s, not %s", r.Method, strings.Join(n.methods, " or "))
	}
	for _, p := range n.headers {
		v, ok := headerValue(r.Header, p.Name)
		if why := p.missing("header", v, ok, p.accepts(v)); why != "" {
			return why
		}
	}
	for _, p := range n.query {
		v, ok := queryValue(r, p.Name)
		if why := p.missing("query parameter", unescapeQuery(v), ok, p.acceptsEscaped(v)); why != "" {
			return why
		}
	}
	for _, p := range n.cookies {
		v, ok := cookieValue(r.Header, p.Name)
		if why := p.missing("cookie", v, ok, p.accepts(v)); why != "" {
			return why
		}
	}
	return ""
}

func (p *Pair) missing(what, value string, present, accepted bool) string {
	switch {
	case !present:
		return fmt.Sprintf("%s %s is absent", what, p.Name)
	case accepted:
		return ""
	case p.Pattern != nil:
		expr := strings.TrimSuffix(strings.TrimPrefix(p.Pattern.String(), wholeOpen), wholeClose)
		if inner, ok := strings.CutPrefix(expr, "^(?:"); ok && strings.HasSuffix(inner, ")$") {
			expr = strings.TrimSuffix(inner, ")$")
		}
		return fmt.Sprintf("%s %s is %q, which does not match %s", what, p.Name, value, expr)
	}
	return fmt.Sprintf("%s %s is %q, not %q", what, p.Name, value, p.Value)
}

func orNone(s string) string {
	if s == "" {
		return "not given"
	}
	return s
}
