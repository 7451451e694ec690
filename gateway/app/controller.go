package app

import (
	"context"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// decide runs the ramps and their guards until ctx ends.
func (p *Process) decide(ctx context.Context) error {
	c := &migrations.Controller{
		Log:      p.events,
		Follower: p.follower,
		Plans:    func() map[string]*migrations.Plan { return p.source.Table().Plans },
		Counts:   p.counts,
		Tick:     p.rounds(ctx),
		Now:      p.now,
		Deciding: p.deciding,
		OnError:  p.undecided,
	}
	return c.Run(ctx)
}

// undecided is told of decisions that the log did not take.
func (p *Process) undecided(err error, events []migrations.Event, wait time.Duration) {
	for _, e := range events {
		p.log.Error("a decision is not in the event log", "migration", e.Migration, "kind", e.Kind, "reason", e.Reason, "error", err, "retry_in", wait)
	}
	p.trip(events)
}
