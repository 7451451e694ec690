package migrations

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A Controller decides for all migrations of a config, again and again: it
// gathers what is known, calls [Decide], and appends what that returns. It
// keeps nothing between two rounds, so that it can be killed at any time, and
// every gateway may run one: the log lets one of them win, and the others read
// on and agree (law 5).
//
// Log, Follower, Plans and Counts are required.
type Controller struct {
	Log      Log
	Follower *Follower // of that log; it must be running

	// Plans returns the plans of the config in force.
	Plans func() map[string]*Plan
	// Counts returns what all gateways know of a migration together, or this
	// one's own, marked so, while that is stale. See [evidence.Merge].
	Counts func(id string) evidence.Counts

	// Tick starts a round; so does every event. nil: one each 250 ms.
	Tick <-chan time.Time
	// Now is the log's clock; nil: time.Now.
	Now func() time.Time

	// Deciding, if set, is told of events before they are appended; it may set
	// their TraceID and SpanID and the Config of their Evidence. What it returns, if not
	// nil, is called with the outcome: the seq of the last one, or the error,
	// ErrConflict among others.
	Deciding func(ctx context.Context, events []Event) func(seq uint64, err error)
	// OnError, if set, is told of every error but a conflict, with the events
	// that could not be appended: where one is a rollback, the gateway goes back
	// by itself, and this is where it learns of that. wait is the time until the
	// next attempt; a rollback does not wait for that.
	OnError func(err error, events []Event, wait time.Duration)
	// Elsewhere, if set, reports whether an event is not to be appended, because a
	// rollback of what it concerns is in force here already and waits for the log.
	Elsewhere func(Event) bool
}

// The waits of a Controller after a decision that the log did not take double
// from the first to the last.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
)

// rounds is the time between two rounds: how late a decision may be.
const rounds = 250 * time.Millisecond

// Run decides until ctx ends, and returns ctx.Err().
func (c *Controller) Run(ctx context.Context) error {
	tick := c.Tick
	if tick == nil {
		ticker := time.NewTicker(rounds)
		defer ticker.Stop()
		tick = ticker.C
	}
	wait, due := firstWait, time.Time{}
	for {
		changed := c.Follower.next()
		all := !time.Now().Before(due)
		err := c.round(ctx, wait, all)
		switch {
		case !all:
		case err != nil:
			due, wait = time.Now().Add(wait), min(2*wait, lastWait)
		default:
			wait = firstWait
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
		case <-changed:
		}
	}
}

// round decides once for each migration: of all, or where the log has just
// failed, of rollbacks alone. One that cannot be appended does not keep the
// others from it.
func (c *Controller) round(ctx context.Context, wait time.Duration, all bool) error {
	var failed error
	for id, plan := range c.Plans() {
		for ctx.Err() == nil {
			again, err := c.decide(ctx, id, *plan, wait, all)
			if err != nil {
				failed = err
			}
			if !again {
				break
			}
		}
	}
	return failed
}

// decide decides once for a migration, and says whether to look again because
// somebody else was faster.
func (c *Controller) decide(ctx context.Context, id string, plan Plan, wait time.Duration, all bool) (again bool, err error) {
	state, now := c.Follower.State(), time.Now
	if c.Now != nil {
		now = c.Now
	}
	events := slices.DeleteFunc(Decide(state, plan, c.Counts(id), now()), func(e Event) bool {
		return !all && !e.Back() || c.Elsewhere != nil && c.Elsewhere(e)
	})
	if len(events) == 0 {
		return false, nil
	}
	done := func(uint64, error) {}
	if c.Deciding != nil {
		if told := c.Deciding(ctx, events); told != nil {
			done = told
		}
	}
	seq, err := c.Log.Append(ctx, state.LastSeq(id), events...)
	done(seq, err)
	conflict := errors.Is(err, ErrConflict)
	if conflict { // the log sees the newer event, so this gateway is about to
		seq, err = state.Seq+1, nil
	}
	if err == nil {
		_, err = c.read(ctx, seq)
	}
	if err != nil && ctx.Err() == nil && c.OnError != nil {
		c.OnError(err, events, wait)
	}
	return conflict && err == nil, err
}

// read waits until the gateway has read as far as it knows the log to reach: to
// decide before that would be to decide the same again.
func (c *Controller) read(ctx context.Context, seq uint64) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, lastWait)
	defer cancel()
	return c.Follower.Wait(ctx, seq)
}
