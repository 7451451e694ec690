package routes

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
)

// A compiler makes a table of the files that have been decoded, and reports
// whatever does not fit together.
type compiler struct {
	files      []*file
	main       *file
	table      *Table
	upstreams  map[string]spot // where each is declared, sound or not
	migrations map[string]spot
	owners     map[string]string // of the migrations
	usedUp     map[string]bool
	usedMig    map[string]bool
	ids        map[string]*Route
	paths      map[Position]string // of the routes
	frozen     []migrations.Freeze
}

func (l *loader) compile() (*Table, error) {
	c := &compiler{
		files: l.files, main: l.files[0],
		table:     &Table{Upstreams: map[string]*Upstream{}, Plans: map[string]*migrations.Plan{}},
		upstreams: map[string]spot{}, migrations: map[string]spot{}, owners: map[string]string{},
		usedUp: map[string]bool{}, usedMig: map[string]bool{}, ids: map[string]*Route{}, paths: map[Position]string{},
	}
	t := c.table
	if l.files[0].file != "" {
		t.File, t.Hash = c.main.file, l.hash()
		for _, f := range l.files {
			t.Files = append(t.Files, f.file)
		}
	}
	c.declare()
	c.server()
	c.frozen = c.freezes()
	c.hooks()
	for _, f := range c.files {
		for _, name := range sortedKeys(f.Upstreams) {
			if at := f.root().key("upstreams").key(name); c.upstreams[name] == at {
				t.Upstreams[name] = c.upstream(at, name, f.Upstreams[name])
			}
		}
		for _, id := range sortedKeys(f.Migrations) {
			if at := f.root().key("migrations").key(id); c.migrations[id] == at {
				t.Plans[id] = c.migration(at, id, f.Migrations[id], f.confine)
			}
		}
	}
	for _, f := range c.files {
		for i, r := range f.Routes {
			c.route(f.root().key("routes").index(i), r, f.confine)
		}
	}
	c.catchAll()
	c.unused()
	c.decidedElsewhere()
	var clashes Problems
	t.matcher, clashes = newMatcher(t.Routes)
	for _, p := range clashes {
		f := c.fileOf(p.At)
		if p.Path == "" {
			p.Path = c.paths[p.At]
		}
		f.problems = append(f.problems, p)
	}
	if err := l.problems(); err != nil {
		return nil, err
	}
	t.at = c.positions()
	for _, f := range c.files {
		t.Warnings = append(t.Warnings, f.sorted(f.warnings)...)
	}
	return t, nil
}

// positions returns what a later message about the table may have to point at.
func (c *compiler) positions() map[string]Position {
	at := map[string]Position{}
	for id, s := range c.migrations {
		at["migrations."+id] = s.at()
		if p := c.table.Plans[id]; p != nil {
			for i := range p.Guard.Metrics {
				at[metricPath(id, i)] = s.key("guard").key("metrics").index(i).at()
			}
		}
	}
	for _, key := range []string{"listen", "admin", "state", "flags", "ofrep", "secret", "shutdown", "telemetry", "log.level"} {
		if pl, ok := c.main.places[key]; ok {
			at[key] = pl.at
		}
	}
	return at
}

// nameForm is what upstreams, migrations and routes may be called, so that a
// name can stand in a URL, a metric and a command line.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

const nameHint = "use up to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit"

// declare notes which upstreams and migrations there are, in all files.
func (c *compiler) declare() {
	note := func(what string, known map[string]spot, at spot, name string) {
		if !nameForm.MatchString(name) {
			at.fail(nameHint, "%q cannot be the name of %s", name, what)
		}
		if first, ok := known[name]; ok {
			at.fail("give one of them another name", "%s is declared already, at %s:%d", name, first.at().File, first.at().Line)
			return
		}
		known[name] = at
	}
	for _, f := range c.files {
		for _, name := range sortedKeys(f.Upstreams) {
			note("an upstream", c.upstreams, f.root().key("upstreams").key(name), name)
		}
		for _, id := range sortedKeys(f.Migrations) {
			note("a migration", c.migrations, f.root().key("migrations").key(id), id)
			c.owners[id] = f.Migrations[id].Owner
			if f.confine != nil && c.owners[id] == "" {
				c.owners[id] = f.confine.Owner
			}
		}
	}
	if len(c.upstreams) == 0 {
		c.main.root().key("upstreams").follow("write upstreams: {monolith: http://127.0.0.1:3000}", "no upstream is declared")
	}
}

// upstreamNamed checks a reference to an upstream.
func (c *compiler) upstreamNamed(at spot, name string) {
	if _, ok := c.upstreams[name]; !ok {
		at.fail(suggest(name, slices.Collect(maps.Keys(c.upstreams)), "declare it below upstreams"), "no upstream %s", at.quote(name))
		return
	}
	c.usedUp[name] = true
}

// catchAll sees to it that every request has a route: Ficus never makes up a
// 404 (DESIGN.md, "The promise").
func (c *compiler) catchAll() {
	for _, f := range c.files {
		for _, r := range f.Routes {
			if r.Path == "/*" && len(r.Hosts)+len(r.Methods)+len(r.Headers)+len(r.Query)+len(r.Cookies) == 0 {
				return
			}
		}
	}
	at := c.main.root().key("routes")
	if slices.ContainsFunc(c.main.problems, func(p Problem) bool { return p.Path == at.path }) {
		return
	}
	name := "monolith"
	if _, ok := c.upstreams[name]; !ok && len(c.upstreams) > 0 {
		name = sortedKeys(c.upstreams)[0]
	}
	at.fail(fmt.Sprintf("add {path: /*, upstream: %s}", name), "no route takes what the others leave over")
}

// unused warns of what nothing refers to.
func (c *compiler) unused() {
	for name, at := range c.upstreams {
		if !c.usedUp[name] {
			at.warn("send a route to it, or remove it", "no route and no migration uses this upstream")
		}
	}
	for id, at := range c.migrations {
		if p := c.table.Plans[id]; !c.usedMig[id] && p != nil && !p.Retired {
			at.warn(fmt.Sprintf("add a route such as {path: /api/*, migration: %s}", id), "no route uses this migration")
		}
	}
}

func (c *compiler) fileOf(at Position) *file {
	for _, f := range c.files {
		if f.file == at.File {
			return f
		}
	}
	return c.main
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
