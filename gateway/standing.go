package gateway

import (
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A standing is where one migration stands in a snapshot.
type standing struct {
	whole *migrations.Migration // nil: the log does not know it
	cells []cell                // in the order of the plan, [migrations.Rest] last; at least that one
}

// A cell is one cell of a migration as requests meet it, or all of it. It is
// immutable, and what is counted of a request belongs to the one that the
// request was pinned to.
type cell struct {
	book  *book
	state *migrations.Migration // as the requests of the cell see it; nil: the log does not know it
	name  string                // by which evidence keeps it
	test  uint64                // event that began the present test; 0: none runs
	epoch uint64                // event that began the present split
	began int64                 // log time from which the step is held, in Unix microseconds
	share int                   // buckets of 100,000 on the service
	turn  uint64                // event with which the ramp began to run
	links *links                // of the present test

	plan     *migrations.Plan // nil: the log does not know the migration
	taus     evidence.Taus    // what slow means, as the event that began the test says
	limits   limits           // by taus; see [cell.known]
	patience time.Duration    // how long failures that fallback healed may be a restart
	alone    bool             // all clients are behind one network, by the plan
	samples  *samples         // of its requests; nil: the log does not know the migration
	hurts    *hurts           // when its users were last hurt; nil likewise
}

// standingOf compiles where a migration stands.
func standingOf(p *migrations.Plan, m *migrations.Migration, b *book) standing {
	s := standing{whole: m, cells: make([]cell, len(p.Cells)+1)}
	for i := range s.cells {
		c := cell{book: b}
		if m != nil {
			name := migrations.Rest
			if i < len(p.Cells) {
				name = p.Cells[i].Name
			}
			if _, known := m.Cells[name]; !known { // the log hears of a new cell only after the table serves
				name = migrations.Rest
			}
			of := m.Of(name)
			c.state, c.test, c.epoch, c.share = &of, of.Test, of.Epoch, of.Split.Modern()
			if !of.Began.IsZero() {
				c.began = of.Began.UnixMicro()
			}
			if len(m.Cells) > 0 {
				c.name = name
			}
			c.turn, c.patience, c.alone = of.Turn, p.Guard.Blip, p.Guard.OneNetwork
			c.plan, c.taus = p, of.Taus
			c.limits = limitsOf(p, of.Taus)
			c.hurts = b.recoveries.of(c.name)
			c.links, c.samples = b.ledger.linksOf(c.name, c.test), b.sampled.of(c.name, c.test)
		}
		s.cells[i] = c
	}
	return s
}

// test returns the event that began the present test of what is not in a cell; 0: none runs.
func (s *standing) test() uint64 { return s.cells[len(s.cells)-1].test }

// cell returns the one that a request is in.
func (s *standing) cell(p *migrations.Plan, r *http.Request) *cell {
	if len(s.cells) == 1 {
		return &s.cells[0]
	}
	return &s.cells[flags.Cell(p, r)]
}
