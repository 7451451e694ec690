package routes

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// route compiles one route and adds it to the table if it is sound enough to
// be compared with the others.
func (c *compiler) route(at spot, r RouteConfig, confine *IncludeConfig) {
	out := &Route{
		Upstream: r.Upstream, Migration: r.Migration, Else: r.Else, Repeatable: r.Repeatable,
		Timeout: r.Timeout.std(), BodyBytes: int64(r.BodyBytes), At: at.at(),
	}
	c.paths[out.At] = at.path
	sound := c.match(at, r, &out.Match)
	if !confine.allowsPath(r.Path) && r.Path != "" {
		at.key("path").fail("keep to these paths, or put the route into another file", "%s lies outside the paths that this file is confined to: %s", at.key("path").quote(r.Path), strings.Join(confine.Paths, ", "))
	}
	c.destination(at, r, confine)
	out.Key = keySources(at.key("key"), r.Key)
	if len(r.Key) > 0 && r.Migration == "" {
		at.key("key").follow("remove it, or name a migration", "only a route with a migration has a targeting key")
	}
	out.Fallback = c.fallback(at.key("fallback"), r)
	out.Rewrite = rewrite(at.key("rewrite"), r.Rewrite)
	out.Request = headerEdit(at.key("request"), r.Request)
	out.Response = headerEdit(at.key("response"), r.Response)
	if out.ID = r.ID; r.ID == "" {
		out.ID = deriveID(&out.Match)
	} else if !nameForm.MatchString(r.ID) {
		at.key("id").fail(nameHint, "%s cannot be the id of a route", at.key("id").quote(r.ID))
	}
	if first, ok := c.ids[out.ID]; ok && r.ID != "" {
		at.key("id").fail("give each route an id of its own, or none", "%s is the id of the route at %s:%d", at.key("id").quote(r.ID), first.At.File, first.At.Line)
	} else {
		c.ids[out.ID] = out
	}
	if sound {
		c.table.Routes = append(c.table.Routes, out)
	}
}

// destination checks where a route goes.
func (c *compiler) destination(at spot, r RouteConfig, confine *IncludeConfig) {
	switch {
	case r.Upstream != "" && r.Migration != "":
		at.key("migration").fail("keep one: the migration decides between its two upstreams", "a route goes to an upstream or a migration, this one to both")
	case r.Upstream == "" && r.Migration == "":
		at.follow("add upstream: or migration:", "goes nowhere")
	case r.Upstream != "":
		c.upstreamNamed(at.key("upstream"), r.Upstream)
	default:
		c.migrationNamed(at.key("migration"), r.Migration, confine)
	}
	if r.Else == "" {
		return
	}
	switch c.upstreamNamed(at.key("else"), r.Else); {
	case r.Migration != "":
		at.key("else").fail("remove else; a migration has two sides already", "only a route with an upstream has another to ask")
	case r.Else == r.Upstream:
		at.key("else").fail("name another upstream, or remove else", "asks the same upstream again")
	}
}

// migrationNamed checks a reference to a migration.
func (c *compiler) migrationNamed(at spot, id string, confine *IncludeConfig) {
	_, ok := c.migrations[id]
	switch {
	case !ok:
		at.fail(suggest(id, slices.Collect(maps.Keys(c.migrations)), "declare it below migrations"), "no migration %s", at.quote(id))
		return
	case c.table.Plans[id] != nil && c.table.Plans[id].Retired:
		at.fail("send the route to an upstream, or take retired away", "the migration %s is retired", at.quote(id))
	case confine != nil && confine.Owner != "" && c.owners[id] != confine.Owner:
		at.fail("name a migration of this owner, or put the route into another file", "this file is confined to migrations of %q", confine.Owner)
	}
	c.usedMig[id] = true
}

// fallback compiles when the monolith answers in place of a service.
func (c *compiler) fallback(at spot, r RouteConfig) *Fallback {
	f := r.Fallback
	if r.Migration == "" {
		if at.written() {
			at.follow("remove it, or name a migration", "only a route with a migration has a monolith to fall back to")
		}
		return nil
	}
	statuses := f.Statuses
	if statuses == nil {
		statuses = []int{500, 502, 503, 504}
	}
	for i, status := range statuses {
		if status < 500 || status > 599 {
			at.key("statuses").index(i).fail("name statuses from 500 to 599", "%d is no failure of the service", status)
		}
	}
	if p := c.table.Plans[r.Migration]; f.Off || p != nil && p.Data == migrations.DataMoved {
		return nil
	}
	return &Fallback{After: valueOr(f.After, defaultFallback).std(), Statuses: statuses, Unsafe: f.Unsafe}
}

// rewrite compiles how the path changes.
func rewrite(at spot, r *RewriteConfig) *Rewrite {
	if r == nil {
		return nil
	}
	out := &Rewrite{Strip: r.StripPrefix, Replace: r.Replace, Add: r.AddPrefix}
	for key, prefix := range map[string]string{"strip_prefix": r.StripPrefix, "add_prefix": r.AddPrefix} {
		if prefix != "" && (!strings.HasPrefix(prefix, "/") || strings.ContainsAny(prefix, "?#*{} \t\r\n")) {
			at.key(key).fail("write a plain path such as /shop", "%s is not a prefix of paths", at.key(key).quote(prefix))
		}
	}
	switch {
	case r.StripPrefix != "" && r.Regex != "":
		at.key("regex").fail("keep one of them", "both strip_prefix and regex")
	case r.Replace != "" && r.Regex == "":
		at.key("replace").follow("add regex:, or remove replace", "does not say what to replace")
	case *r == RewriteConfig{}:
		at.follow("write {strip_prefix: /shop}, {add_prefix: /v2} or {regex: ..., replace: ...}", "changes nothing")
	}
	out.Pattern = expression(at.key("regex"), r.Regex, false)
	return out
}

// expression compiles a regular expression, whole to match a value from end
// to end. It returns nil for an empty or a broken one.
func expression(at spot, text string, whole bool) *regexp.Regexp {
	if text == "" {
		return nil
	}
	_, err := regexp.Compile(text)
	if err != nil {
		at.fail("write an RE2 expression (no look-around, no back-references)", "%s is not a regular expression: %s", at.quote(text), reason(err))
		return nil
	}
	if whole {
		text = `^(?:` + text + `)$`
	}
	return regexp.MustCompile(text)
}

// reason returns what is wrong with an expression without repeating it.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	text, _, _ = strings.Cut(text, ": ")
	return text
}

// deriveID makes the id of a route of its match, so that it is the same
// after every reload: the path, with host and methods in front where there are
// any, and a hash of the predicates behind.
func deriveID(m *Match) string {
	var b strings.Builder
	if len(m.Methods) > 0 {
		b.WriteString(strings.Join(m.Methods, ",") + " ")
	}
	b.WriteString(strings.Join(m.Hosts, ",") + m.Path)
	if len(m.Headers)+len(m.Query)+len(m.Cookies) > 0 {
		h := sha256.New()
		for i, pairs := range [][]Pair{m.Headers, m.Query, m.Cookies} {
			for _, p := range pairs {
				fmt.Fprintf(h, "%d %q %q %t %v\n", i, p.Name, p.Value, p.Any, p.Pattern)
			}
		}
		b.WriteString(" ~" + hex.EncodeToString(h.Sum(nil)[:4]))
	}
	return b.String()
}
