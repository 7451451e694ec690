package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/migrations"
)

// trips are the rollbacks that the log has not taken, and that this gateway
// acts upon all the same (law 6). They are kept on disk, and appended when the
// log is back.
type trips struct {
	log      migrations.Log
	state    func() migrations.State
	overlay  func(migration string, cells ...string)           // [gateway.Gateway.Trip]
	news     func(o migrations.Trip, over migrations.Standing) // is told of each, and with over when it is; nil: nobody is
	now      func() time.Time                                  // the log's clock
	logger   *slog.Logger
	path     string        // of the file that keeps them
	wake     chan struct{} // holds one: there is something to append
	patience time.Duration // for one append
	pause    time.Duration // between two attempts

	mu      sync.Mutex // guards what follows
	pending []migrations.Trip
	lent    bool // another process keeps the file
}

func (p *Process) openTrips(path string) {
	p.trips = &trips{
		log: p.events, state: p.follower.State, overlay: p.gateway.Trip, logger: p.log, path: path,
		news: p.tellOfTrip, now: p.now, wake: make(chan struct{}, 1), patience: 5 * time.Second, pause: time.Second,
	}
	p.trips.load()
}

// trip is told of decisions that the log did not take.
func (p *Process) trip(events []migrations.Event) {
	for _, e := range events {
		if !e.Back() {
			continue
		}
		plan := p.source.Table().Plans[e.Migration]
		if plan == nil {
			plan = &migrations.Plan{ID: e.Migration}
		}
		p.trips.add(*plan, e)
	}
}

// add trips at once, if there is anything to take back.
func (t *trips) add(plan migrations.Plan, e migrations.Event) {
	s := t.state()
	trip, err := migrations.NewTrip(s, plan, e)
	if err != nil || trip.Standing(s) != migrations.TripStands {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.covers(e) {
		return
	}
	trip.At = t.now().UTC()
	t.pending = append(t.pending, trip)
	t.settled()
	if t.news != nil {
		t.news(trip, "")
	}
	t.logger.Error("rolled back here only: the event log is out of reach, and gets it when it is back",
		"migration", e.Migration, "cell", e.Cell, "actor", e.Actor, "reason", e.Reason)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// has reports whether what an event concerns is rolled back here already, and
// the log has yet to take that.
func (t *trips) has(e migrations.Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.covers(e)
}

// covers needs t.mu.
func (t *trips) covers(e migrations.Event) bool {
	return slices.ContainsFunc(t.pending, func(o migrations.Trip) bool {
		return o.Event.Migration == e.Migration && (o.Event.Cell == e.Cell || o.Event.Cell == "")
	})
}

// seen ends the trips of whose migration the log has something to say.
func (t *trips) seen(s migrations.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.pending)
	t.pending = slices.DeleteFunc(t.pending, func(o migrations.Trip) bool {
		standing := o.Standing(s)
		if standing != migrations.TripStands {
			t.logger.Info("a local rollback is over", "migration", o.Event.Migration, "cell", o.Event.Cell, "by_the_log", string(standing))
			if t.news != nil {
				t.news(o, standing)
			}
		}
		return standing != migrations.TripStands
	})
	if len(t.pending) != before {
		t.settled()
	}
}

// settled makes overlay and file what pending is. It needs t.mu.
func (t *trips) settled() {
	cells := make(map[string][]string)
	for id := range t.state().Migrations {
		cells[id] = nil
	}
	for _, o := range t.pending {
		cell := o.Event.Cell
		if cell == "" {
			cell = gateway.EveryCell
		}
		cells[o.Event.Migration] = append(cells[o.Event.Migration], cell)
	}
	for id, tripped := range cells {
		t.overlay(id, tripped...)
	}
	if err := t.save(); err != nil {
		t.logger.Error("local rollbacks are in force, but would not outlast a restart", "error", err)
	}
}

// lend leaves the file to another process, or takes it back.
func (t *trips) lend(lent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent = lent
	if !lent && len(t.pending) > 0 {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// save needs t.mu.
func (t *trips) save() error {
	if t.lent {
		return nil
	}
	if len(t.pending) == 0 {
		err := os.Remove(t.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	text, err := json.Marshal(t.pending)
	if err != nil {
		return err
	}
	return writeDurably(t.path, append(text, '\n'))
}

// load takes up what a process before this one has left.
func (t *trips) load() {
	text, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		err = json.Unmarshal(text, &t.pending)
	}
	if err != nil {
		t.logger.Error("the local rollbacks of the process before this one can't be read", "file", t.path, "error", err)
		t.pending = nil
		return
	}
	s := t.state()
	t.pending = slices.DeleteFunc(t.pending, func(o migrations.Trip) bool { return o.Standing(s) != migrations.TripStands })
	t.settled()
	if len(t.pending) > 0 {
		t.wake <- struct{}{}
	}
}

// run appends what is pending until ctx ends.
func (t *trips) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
		for t.append(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(t.pause):
			}
		}
	}
}

// append offers the log what is pending, and reports whether anything is left.
// What was appended ends when it is read back.
func (t *trips) append(ctx context.Context) (left bool) {
	for _, o := range t.local() {
		ctx, cancel := context.WithTimeout(ctx, t.patience)
		seq, err := t.log.Append(ctx, o.After, o.Event)
		cancel()
		switch {
		case err == nil:
			t.after(o, min(o.After, seq-1)) // in a log that is another one by now, or shorter
		case errors.Is(err, migrations.ErrConflict):
			t.moved(o)
		case err != nil:
			t.logger.Warn("a local rollback is not in the event log yet", "migration", o.Event.Migration, "error", err, "retry_in", t.pause)
		}
	}
	return len(t.local()) > 0
}

// moved has a trip that the log has overtaken go by what has been read since:
// if it still stands after that, the newer events were no person's.
func (t *trips) moved(o migrations.Trip) {
	s := t.state()
	t.seen(s)
	t.after(o, s.LastSeq(o.Event.Migration))
}

// after has a trip that is still pending be appended after an event.
func (t *trips) after(o migrations.Trip, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if p := &t.pending[i]; p.Event.Migration == o.Event.Migration && p.Event.Cell == o.Event.Cell {
			p.After = seq
		}
	}
}

// local returns what is pending.
func (t *trips) local() []migrations.Trip {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.pending)
}

// of returns what is pending of a migration.
func (t *trips) of(migration string) []migrations.Trip {
	return slices.DeleteFunc(t.local(), func(o migrations.Trip) bool { return o.Event.Migration != migration })
}
