package migrations

import (
	"errors"
	"fmt"
	"maps"
)

// Apply returns the state after e. It is the only way in which a state
// changes (law 1), and depends on nothing but its arguments. An event that
// does not fit returns an error and the state as it was.
func Apply(s State, e Event) (State, error) {
	c, err := decide(s, e)
	if err != nil {
		return s, err
	}
	return c.on(s, maps.Clone(s.Migrations)), nil
}

// Next returns the state of somebody who follows a log and gets e: that of
// [Apply], or, where the log was made short and begins again with a state that
// is not older than s, that of its first event. One that is older is an error.
func Next(s State, e Event) (State, error) {
	if e.Kind != Restored || s.Seq == 0 {
		return Apply(s, e)
	}
	if e.State != nil && e.State.Seq < s.Seq {
		return s, fmt.Errorf("event %d: the log begins again with the state of event %d, and event %d has been seen", e.Seq, e.State.Seq, s.Seq)
	}
	next, err := Apply(State{}, e)
	if err != nil {
		return s, err
	}
	return next, nil
}

// A Fold is a state that is changed in place, for reading a long log: Apply
// copies the map of migrations for every event, a Fold does not. The zero
// value is the fold of an empty log.
type Fold struct {
	state State // owns its map, which nobody else has
}

// NewFold returns a fold that goes on from start.
func NewFold(start State) *Fold {
	start.Migrations = maps.Clone(start.Migrations)
	return &Fold{start}
}

// Apply does what [Apply] does. An event that does not fit changes nothing.
func (f *Fold) Apply(e Event) error {
	c, err := decide(f.state, e)
	if err != nil {
		return err
	}
	f.state = c.on(f.state, f.state.Migrations)
	return nil
}

// Next does what [Next] does. An event that does not fit changes nothing.
func (f *Fold) Next(e Event) error {
	if e.Kind != Restored || f.state.Seq == 0 {
		return f.Apply(e)
	}
	next, err := Next(f.state, e)
	if err == nil {
		*f = *NewFold(next)
	}
	return err
}

// Seq returns the last event applied.
func (f *Fold) Seq() uint64 { return f.state.Seq }

// State returns the state so far. Later events do not change it.
func (f *Fold) State() State {
	s := f.state
	s.Migrations = maps.Clone(s.Migrations)
	return s
}

// A change is what one event does to a state.
type change struct {
	event Event
	whole *State    // the state to begin with, if it replaces the one before
	every bool      // it freezes or thaws all migrations
	gone  string    // id of a migration that is no more
	put   Migration // the migration as it is now
}

// on returns s after the change. It takes possession of the map.
func (c change) on(s State, owned map[string]Migration) State {
	s.Seq, s.Time = c.event.Seq, c.event.Time
	if c.whole != nil {
		s.EverySeq, s.Frozen, s.Migrations = c.event.Seq, c.whole.Frozen, maps.Clone(c.whole.Migrations)
		return s
	}
	if c.every {
		s.EverySeq, s.Frozen = c.event.Seq, frozen(c.event)
		s.Migrations = owned
		return s
	}
	if owned == nil {
		owned = make(map[string]Migration)
	}
	delete(owned, c.gone)
	owned[c.put.ID] = c.put
	s.Migrations = owned
	return s
}

// decide returns what e does to s, or why it does not fit. It changes nothing.
func decide(s State, e Event) (change, error) {
	c, err := fit(s, e)
	if err != nil {
		return c, fmt.Errorf("event %d (%s %s): %w", e.Seq, e.Migration, e.Kind, err)
	}
	return c, nil
}

func fit(s State, e Event) (c change, err error) {
	c.event = e
	if e.Seq == 0 || e.Seq == Unconditional {
		return c, errors.New("no event can have this number")
	}
	if e.Kind == Restored {
		c.whole, err = restore(s, e)
		return c, err
	}
	if e.Seq != s.Seq+1 {
		return c, fmt.Errorf("expected sequence number %d", s.Seq+1)
	}
	if e.Time.Before(s.Time) {
		return c, fmt.Errorf("its time %s lies before that of the event before it", e.Time)
	}
	if e.Migration == Every && (e.Kind == Frozen || e.Kind == Thawed) {
		c.every = true
		return c, nil
	}
	if e.Migration == "" || e.Migration == Every {
		return c, errors.New("an event of this kind concerns one migration")
	}
	if e.Step < 0 {
		return c, fmt.Errorf("no step %d", e.Step)
	}
	m, known := s.Migrations[e.Migration]
	known = known && !m.Retired
	switch e.Kind {
	case Created, Renamed:
		if known {
			return c, errors.New("the migration exists already")
		}
		m, err = begin(s, e)
		if e.Kind == Renamed {
			c.gone = e.From
		}
	default:
		if !known {
			return c, errors.New("no such migration")
		}
		err = m.change(e)
	}
	m.Seq, m.Actor, m.Reason = e.Seq, e.Actor, e.Reason
	c.put = m
	return c, err
}

// begin returns the migration that is known by its id from e on.
func begin(s State, e Event) (Migration, error) {
	if e.Kind == Created {
		m := Migration{
			ID: e.Migration, From: e.From, To: e.To, Key: e.Key, Flag: e.Flag, Plan: e.Plan, Resume: e.Resume,
			Split: All(Off), Epoch: e.Seq, Since: e.Time, Ramp: RampIdle,
		}
		m.plan(e)
		return m, nil
	}
	m, ok := s.Migrations[e.From]
	if !ok || m.Retired {
		return m, fmt.Errorf("no migration %q to rename", e.From)
	}
	m.ID = e.Migration
	return m, nil
}

// change makes m what it is after e.
func (m *Migration) change(e Event) error {
	switch e.Kind {
	case Planned:
		m.From, m.To, m.Key, m.Flag, m.Plan, m.Resume = e.From, e.To, e.Key, e.Flag, e.Plan, e.Resume
		m.plan(e)
		return nil
	case Retired:
		m.Retired = true
		m.Ramp = RampHeld
		return nil
	case Frozen, Thawed:
		m.Frozen = frozen(e)
		return nil
	case Flagged:
		if err := m.rule(e); err != nil {
			return err
		}
	}
	cells, err := m.concerned(e.Cell)
	if err != nil {
		return err
	}
	m.Cells = maps.Clone(m.Cells)
	steps, own := e.Cells, e.Step
	for _, name := range cells {
		c := m.Course(name)
		e.Step = own
		if step, ok := steps[name]; ok {
			e.Step = step
		}
		if err := c.change(e, &m.Tests); err != nil {
			return err
		}
		if m.Outside != nil && c.Ramp == RampRunning { // resumed, but nothing of ours moves it
			c.Ramp = RampIdle
		}
		m.set(name, c)
	}
	return nil
}

// frozen returns why ramps stand still after e.
func frozen(e Event) string {
	switch {
	case e.Kind != Frozen:
		return ""
	case e.Reason != "":
		return e.Reason
	default:
		return "frozen"
	}
}

// restore begins a log with a state that was kept elsewhere.
func restore(s State, e Event) (*State, error) {
	switch {
	case s.Seq != 0:
		return nil, errors.New("only the first event of a log may restore a state")
	case e.State == nil || e.Seq != e.State.Seq+1:
		return nil, errors.New("the state it restores must be that of the event before it")
	case e.Time.Before(e.State.Time):
		return nil, fmt.Errorf("its time %s lies before that of the state it restores", e.Time)
	case e.Migration != Every:
		return nil, fmt.Errorf("an event of this kind concerns all migrations, %q", Every)
	}
	for id, m := range e.State.Migrations {
		split, err := NewSplit(m.Split...)
		switch {
		case err != nil:
			return nil, fmt.Errorf("migration %q: %w", id, err)
		case m.ID != id || badCells(m) || len(m.Split) == 0 || !split.Equal(m.Split) || m.Seq > e.State.Seq || m.Epoch > m.Seq:
			return nil, fmt.Errorf("the state of migration %q contradicts itself", id)
		}
	}
	return e.State, nil
}

// badCells reports whether the cells of a restored migration make no sense.
func badCells(m Migration) bool {
	for _, c := range m.Cells {
		if split, err := NewSplit(c.Split...); err != nil || len(c.Split) == 0 || !split.Equal(c.Split) {
			return true
		}
	}
	return false
}
