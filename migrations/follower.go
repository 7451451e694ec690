package migrations

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Follower folds a log into a state, event by event as they come (law 1).
// Its methods may be called from anywhere, Run once.
type Follower struct {
	// OnError, if set before Run, is told of every error after which Run
	// follows again, and how long it waits before that.
	OnError func(err error, wait time.Duration)
	// Heal, if set before Run, is asked after an error that is not final what
	// to go on from: it returns true with the state of a log that is not the
	// one that was followed so far. onEvent is then called with a [Restored]
	// event that stands in no log.
	Heal func(ctx context.Context, err error, seen State) (State, bool)

	log    Log
	state  atomic.Pointer[State]
	outage atomic.Pointer[error]

	mu      sync.Mutex    // guards the following
	seen    uint64        // last event whose callback has returned
	over    error         // what Run returned
	changed chan struct{} // closed by Run, and replaced, when one of them changes
}

// The waits of a Follower between two attempts double from the first to the
// last, which is short: who has lost sight of the log must see it again within
// a second after it is back.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = 200 * time.Millisecond
)

// NewFollower returns a follower that goes on from start, the zero State or
// what [Latest] returned.
func NewFollower(log Log, start State) *Follower {
	f := &Follower{log: log, seen: start.Seq, changed: make(chan struct{})}
	f.state.Store(&start)
	return f
}

// State returns the state as far as it has been read. It never blocks.
func (f *Follower) State() State { return *f.state.Load() }

// Err returns why the log is out of reach at the moment, nil if it is not.
// The state stays what it was meanwhile.
func (f *Follower) Err() error {
	if err := f.outage.Load(); err != nil {
		return *err
	}
	return nil
}

// Run reads events until ctx ends, and then returns ctx.Err(). For each it
// stores the new state and calls onEvent, which may be nil, one after the
// other on the calling goroutine. An error of the log is not the end: Run
// follows again from where it was. It gives up only when it would have to
// guess: on an event that does not fit, on a log that ends before the state,
// and when the log has been closed.
func (f *Follower) Run(ctx context.Context, onEvent func(State, Event)) error {
	err := f.run(ctx, onEvent)
	f.mu.Lock()
	f.over = err
	f.wake()
	f.mu.Unlock()
	return err
}

func (f *Follower) run(ctx context.Context, onEvent func(State, Event)) error {
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		before := f.State().Seq
		final, err := f.follow(ctx, onEvent)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case final:
			f.outage.Store(&err)
			return err
		case errors.Is(err, ErrClosed):
			return err
		}
		if f.heal(ctx, err, onEvent) {
			wait = firstLook
			continue
		}
		f.outage.Store(&err)
		if f.State().Seq != before {
			wait = firstLook
		}
		if f.OnError != nil {
			f.OnError(err, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// follow reads until the first error, and says whether that is final.
func (f *Follower) follow(ctx context.Context, onEvent func(State, Event)) (final bool, err error) {
	state := f.State()
	head, err := f.log.Head(ctx)
	if err != nil {
		return false, err
	}
	if head < state.Seq {
		return true, fmt.Errorf("the log ends at event %d, but event %d has been seen: it was cut short or replaced; restore it from a backup", head, state.Seq)
	}
	f.outage.Store(nil)
	for e, err := range f.log.Follow(ctx, state.Seq) {
		if err != nil {
			return false, err
		}
		next, err := Next(state, e)
		if err != nil {
			return true, fmt.Errorf("the log cannot be followed: %w", err)
		}
		state = next
		f.advance(next, e, onEvent)
	}
	return false, errors.New("the log stopped without an error")
}

// heal goes on from another state, if there is one.
func (f *Follower) heal(ctx context.Context, err error, onEvent func(State, Event)) bool {
	if f.Heal == nil {
		return false
	}
	next, ok := f.Heal(ctx, err, f.State())
	if ok {
		f.advance(next, Event{Seq: next.Seq, Time: next.Time, Migration: Every, Kind: Restored, Actor: gateway, Reason: err.Error()}, onEvent)
	}
	return ok
}

// advance makes next the state.
func (f *Follower) advance(next State, e Event, onEvent func(State, Event)) {
	f.state.Store(&next)
	if onEvent != nil {
		onEvent(next, e)
	}
	f.mu.Lock()
	f.seen = e.Seq
	f.wake()
	f.mu.Unlock()
}

// next returns what is closed when the next event has been seen.
func (f *Follower) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// wake wakes all who wait. It needs f.mu.
func (f *Follower) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// Wait returns the state once event seq has been applied and its callback has
// returned. It returns an error if ctx ends or Run returns before that.
func (f *Follower) Wait(ctx context.Context, seq uint64) (State, error) {
	for {
		f.mu.Lock()
		seen, over, changed := f.seen, f.over, f.changed
		f.mu.Unlock()
		switch {
		case seen >= seq:
			return f.State(), nil
		case over != nil:
			return f.State(), fmt.Errorf("event %d was not reached: %w", seq, over)
		}
		select {
		case <-ctx.Done():
			return f.State(), ctx.Err()
		case <-changed:
		}
	}
}
