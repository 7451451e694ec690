package routes

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// migration compiles one migration; a broken one has problems.
func (c *compiler) migration(at spot, id string, m MigrationConfig, confine *IncludeConfig) *migrations.Plan {
	p := &migrations.Plan{
		ID: id, Flag: or(m.Flag, id), From: m.From, To: m.To, RenamedFrom: m.RenamedFrom, Retired: m.Retired,
		Key: keySources(at.key("key"), m.Key), Owner: c.owners[id], Journeys: m.Journeys, Auto: m.Auto,
		Writes: migrations.Writes(or(m.Writes, string(migrations.WritesMonolith))),
	}
	if confine != nil && confine.Owner != "" && m.Owner != "" && m.Owner != confine.Owner {
		at.key("owner").fail("remove the owner, or declare the migration in another file", "this file is confined to migrations of %q", confine.Owner)
	}
	c.sides(at, m)
	c.rename(at, id, m)
	c.data(at, m, p)
	p.Cohorts = c.cohorts(at.key("cohorts"), m.Cohorts)
	p.Compare = comparison(at.key("compare"), m.Compare)
	p.Guard = guard(at.key("guard"), m.Guard)
	p.Guard.Metrics = metrics(at.key("guard").key("metrics"), m)
	p.Rollback = way(at.key("rollback"), m.Rollback)
	p.Cells = cells(at.key("cells"), m.Cells)
	p.AtOnce, p.Freezes = c.main.Ramps.AtOnce, c.frozen
	ramp(at, m, p)
	c.resumes(at, m, p)
	return p
}

// sides checks the two upstreams. One that is retired may have lost them.
func (c *compiler) sides(at spot, m MigrationConfig) {
	for _, side := range []struct{ key, name string }{{"from", m.From}, {"to", m.To}} {
		switch {
		case side.name != "" && m.Retired:
			c.usedUp[side.name] = true
		case side.name != "":
			c.upstreamNamed(at.key(side.key), side.name)
		case !m.Retired:
			at.follow("write from: monolith and to: the service, both declared below upstreams", "has no %s", side.key)
		}
	}
	if m.From != "" && m.From == m.To {
		at.key("to").fail("name the service that takes over", "moves from %s to itself", at.key("to").quote(m.To))
	}
}

func (c *compiler) rename(at spot, id string, m MigrationConfig) {
	from := at.key("renamed_from")
	switch other, declared := c.migrations[m.RenamedFrom]; {
	case m.RenamedFrom == "":
	case m.RenamedFrom == id:
		from.fail("remove renamed_from", "is the id that the migration has")
	case m.Retired:
		from.fail("remove one of them", "a migration that is retired is not renamed")
	case declared && c.renamedFrom(other) == "":
		from.fail("remove the migration of the old id, or renamed_from", "%s is still declared, at %s:%d", from.quote(m.RenamedFrom), other.at().File, other.at().Line)
	case c.renamedTwice(id, m.RenamedFrom):
		from.fail("only one migration can take over the state", "another migration is renamed from %s too", from.quote(m.RenamedFrom))
	}
}

func (c *compiler) renamedFrom(at spot) string {
	for _, f := range c.files {
		if f.source == at.src {
			return f.Migrations[strings.TrimPrefix(at.path, "migrations.")].RenamedFrom
		}
	}
	return ""
}

func (c *compiler) renamedTwice(id, from string) bool {
	for other, at := range c.migrations {
		if other != id && c.renamedFrom(at) == from {
			return true
		}
	}
	return false
}

// data compiles what is declared of the data, and holds writes against it.
func (c *compiler) data(at spot, m MigrationConfig, p *migrations.Plan) {
	synced := at.key("data").key("synced")
	const longForm = "write data: {synced: {lag: http://127.0.0.1:3001/lag, max_lag: 5s}}"
	p.Data = migrations.Data(m.Data.Kind)
	switch {
	case m.Data.Synced != nil && m.Data.Kind != "" && p.Data != migrations.DataSynced:
		at.key("data").fail("declare one of them", "is both %s and synced", m.Data.Kind)
	case m.Data.Synced != nil:
		p.Data = migrations.DataSynced
		s := migrations.Synced{Lag: m.Data.Synced.Lag, MaxLag: valueOr(m.Data.Synced.MaxLag, 0).std()}
		u, err := url.Parse(s.Lag)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			synced.key("lag").follow(longForm, "%s is not the URL of a lag probe", synced.key("lag").quote(s.Lag))
		}
		if s.MaxLag <= 0 {
			synced.key("max_lag").follow(longForm, "has no max_lag")
		}
		p.Synced = &s
	case p.Data == migrations.DataSynced:
		at.key("data").fail(longForm, "does not say how the lag is measured")
	}
	writes := at.key("writes")
	switch p.Writes {
	case migrations.WritesRehearse, migrations.WritesDual:
		c.acknowledged(writes, m, p)
	case migrations.WritesFollow:
		if p.Data == "" {
			writes.follow("declare data: shared, moved or {synced: ...}; or write writes: monolith", "unsafe requests follow the stage only where the data is declared")
		}
	}
}

// acknowledged checks that copies of writes have somewhere to go.
func (c *compiler) acknowledged(writes spot, m MigrationConfig, p *migrations.Plan) {
	for _, side := range [...]struct {
		name string
		when string
	}{{m.To, "until live"}, {m.From, "from live on"}} {
		up := c.table.Upstreams[side.name]
		if up == nil || up.Acknowledge != nil {
			continue
		}
		remedy := fmt.Sprintf("write upstreams.%s.acknowledge: {path: /rehearsal, secret: ${REHEARSAL_SECRET}}", side.name)
		if side.name == m.To {
			writes.fail(remedy, "%s sends copies of writes to %s %s, which has no acknowledge", p.Writes, side.name, side.when)
			continue
		}
		if p.Follows() {
			writes.warn(remedy, "%s has no acknowledge, so it gets no copies of writes %s", side.name, side.when)
		}
	}
}
