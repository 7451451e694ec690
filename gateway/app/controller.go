package app

import (
	"context"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// decide runs the ramps and their guards until ctx ends.
func (p *Process) decide(ctx context.Context) error {
	c := &migrations.Controller{
		Log:       impatient{p.events, p.trip},
		Follower:  p.follower,
		Plans:     func() map[string]*migrations.Plan { return p.source.Table().Plans },
		Counts:    p.counts,
		Tick:      p.rounds(ctx),
		Now:       p.now,
		Deciding:  p.deciding,
		OnError:   p.undecided,
		Elsewhere: p.trips.has,
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

// An impatient is a log that a rollback waits for only so long, before this
// gateway acts upon it alone (law 6). A log that hangs fails late.
type impatient struct {
	migrations.Log
	trip func([]migrations.Event)
}

// noLonger is how long a rollback waits for the log.
const noLonger = 300 * time.Millisecond

// Append adds events; see [migrations.Log].
func (l impatient) Append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	if slices.ContainsFunc(events, migrations.Event.Back) {
		late := time.AfterFunc(noLonger, func() { l.trip(events) })
		defer late.Stop()
	}
	return l.Log.Append(ctx, after, events...)
}
