package gateway

import (
	"fmt"
	"reflect"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A Snapshot is what requests are served by: one table, one state, and what
// was compiled of them. It is immutable, and a request keeps the one that it
// began with.
type Snapshot struct {
	Number uint64 // counts the snapshots of a gateway, from 1
	Table  *routes.Table
	State  migrations.State

	plan      *plan
	standings []standing // by plan.migrations' index
}

// A plan is what is compiled of a table alone; snapshots that differ only in
// their state share it.
type plan struct {
	routes     []route // by routes.Route.Index
	migrations []*migrations.Plan
	books      []*book  // by the same index
	hashes     []string // of the plans, likewise
	upstreams  map[string]*upstream.Upstream
}

// A route is a compiled [routes.Route].
type route struct {
	*routes.Route
	upstream     *upstream.Upstream // of a plain route
	otherwise    *upstream.Upstream // asked when a GET is answered 404; nil: none
	plan         *migrations.Plan   // nil: a plain route
	legacy       *upstream.Upstream
	modern       *upstream.Upstream
	migration    int // index into Snapshot.standings
	metrics      *telemetry.RouteMetrics
	book         *book         // nil: a plain route
	wrote        *wrote        // who has just written where; nil: no matter
	announcement *announcement // nil: a plain route
	watch        *shadow.Watch // nil: nothing is compared
	askLegacy    shadow.Send
	askModern    shadow.Send
}

// compile makes the plan of a table. Upstreams whose definition did not change
// are taken over from before, with their connections; fresh are those that
// were made, to be closed if the plan is not used.
func (g *Gateway) compile(t *routes.Table, before map[string]*upstream.Upstream) (p *plan, fresh []*upstream.Upstream, err error) {
	p = &plan{upstreams: make(map[string]*upstream.Upstream, len(t.Upstreams))}
	defer func() {
		if err != nil {
			for _, u := range fresh {
				u.Close()
			}
			fresh = nil
		}
	}()
	for name, def := range t.Upstreams {
		if old := before[name]; old != nil && reflect.DeepEqual(old.Definition(), *def) {
			p.upstreams[name] = old
			continue
		}
		u, err := upstream.New(*def)
		if err != nil {
			return nil, fresh, err
		}
		fresh = append(fresh, u)
		p.upstreams[name] = u
	}
	index := make(map[string]int, len(t.Plans))
	for id, mp := range t.Plans {
		index[id] = len(p.migrations)
		p.migrations = append(p.migrations, mp)
		p.books, p.hashes = append(p.books, g.books.of(id)), append(p.hashes, mp.Hash())
	}
	watches, senders, err := g.watches(t, p)
	if err != nil {
		return nil, fresh, err
	}
	p.routes = make([]route, len(t.Routes))
	for i, r := range t.Routes {
		c := route{Route: r, metrics: g.metrics.Route(r.ID, r.Migration)}
		if r.Migration != "" {
			if c.plan = t.Plans[r.Migration]; c.plan == nil {
				return nil, fresh, fmt.Errorf("route %s: no migration %q", r.ID, r.Migration)
			}
			c.migration = index[r.Migration]
			c.announcement = announcementOf(r.Migration)
			c.book = p.books[c.migration]
			if c.plan.Data == migrations.DataSynced && c.plan.Synced != nil {
				c.wrote = c.book.writes()
			}
			c.watch = watches[r.Migration]
			c.askLegacy, c.askModern = senders[c.plan.From], senders[c.plan.To]
			c.legacy, c.modern = p.upstreams[c.plan.From], p.upstreams[c.plan.To]
			if c.legacy == nil || c.modern == nil {
				return nil, fresh, fmt.Errorf("migration %s: no upstream %q or %q", r.Migration, c.plan.From, c.plan.To)
			}
		} else if c.upstream = p.upstreams[r.Upstream]; c.upstream == nil {
			return nil, fresh, fmt.Errorf("route %s: no upstream %q", r.ID, r.Upstream)
		}
		if r.Else != "" {
			if c.otherwise = p.upstreams[r.Else]; c.otherwise == nil {
				return nil, fresh, fmt.Errorf("route %s: no upstream %q", r.ID, r.Else)
			}
		}
		p.routes[i] = c
	}
	return p, fresh, nil
}

// at makes the snapshot of a plan and a state.
func (p *plan) at(t *routes.Table, s migrations.State, number uint64) *Snapshot {
	snap := &Snapshot{Number: number, Table: t, State: s, plan: p, standings: make([]standing, len(p.migrations))}
	for i, mp := range p.migrations {
		m, ok := s.Migrations[mp.ID]
		if !ok && mp.RenamedFrom != "" { // the log hears of the new name only after the table serves
			m, ok = s.Migrations[mp.RenamedFrom]
		}
		if ok && !m.Retired {
			snap.standings[i] = standingOf(mp, &m, p.books[i])
		} else {
			snap.standings[i] = standingOf(mp, nil, p.books[i])
		}
	}
	return snap
}
