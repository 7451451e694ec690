package app

import (
	"context"
	"errors"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// rulings record in the log what the flag source makes of each migration. Every
// gateway may be at it: the log has one of them win, and the others find that
// it is said.
type rulings struct {
	source flagSource
	wake   chan struct{} // holds one: look again
	noted  map[string]note
}

// A note is a ruling that this gateway has compared with the log. It looks
// again only when it has another one itself, or the migration was resumed:
// gateways that read different definitions must not take turns.
type note struct {
	source, version string
	turn            uint64
}

// patience bounds one recording, and is the time to the next after a failure.
const rulingPatience = 5 * time.Second

func newRulings(source flagSource) *rulings {
	return &rulings{source: source, wake: make(chan struct{}, 1), noted: map[string]note{}}
}

// look has the rulings compared with the log again. It does not wait.
func (r *rulings) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// rule records rulings until ctx ends.
func (p *Process) rule(ctx context.Context) {
	p.tasks.Go(func() { p.flags.watch(ctx, p.rulings.look) })
	p.rulings.look()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.rulings.wake:
		}
		for id, plan := range p.source.Table().Plans {
			if err := p.record(ctx, id, plan); err != nil && ctx.Err() == nil {
				p.log.Error("what the flags say is not in the event log yet; it is in force all the same", "migration", id, "source", p.flags.name(), "error", err, "retry_in", rulingPatience)
				time.AfterFunc(rulingPatience, p.rulings.look)
				break // the others would not be taken either
			}
		}
	}
}

// record records the ruling of one migration, if the log does not have it.
func (p *Process) record(ctx context.Context, id string, plan *migrations.Plan) error {
	ctx, cancel := context.WithTimeout(ctx, rulingPatience)
	defer cancel()
	for {
		s := p.follower.State()
		m, ok := s.Migrations[id]
		if !ok || m.Retired || len(p.trips.of(id)) > 0 { // a rollback that the log has not taken yet goes first
			return nil
		}
		ruling, ok := p.flags.ruling(plan, m)
		if !ok {
			return nil
		}
		seen := note{ruling.Source, ruling.Version, turnOf(m)}
		if p.rulings.noted[id] == seen {
			return nil
		}
		e, news := migrations.Record(s, *plan, ruling)
		if !news {
			p.rulings.noted[id] = seen
			return nil
		}
		events := []migrations.Event{e}
		decided := p.deciding(ctx, events)
		seq, err := p.events.Append(ctx, s.LastSeq(id), events...)
		decided(seq, err)
		if errors.Is(err, migrations.ErrConflict) {
			if seq, err = p.events.Head(ctx); err == nil {
				_, err = p.follower.Wait(ctx, seq)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		p.rulings.noted[id] = seen
		_, err = p.follower.Wait(ctx, seq)
		return err
	}
}

// turnOf returns the event with which the migration was last resumed.
func turnOf(m migrations.Migration) (turn uint64) {
	for _, name := range m.CellNames() {
		turn = max(turn, m.Course(name).Turn)
	}
	return turn
}
