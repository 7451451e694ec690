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
	next, err := apply(s, e)
	if err != nil {
		return s, fmt.Errorf("event %d (%s %s): %w", e.Seq, e.Migration, e.Kind, err)
	}
	return next, nil
}

func apply(s State, e Event) (State, error) {
	if e.Seq != s.Seq+1 && e.Kind != Restored {
		return s, fmt.Errorf("expected sequence number %d", s.Seq+1)
	}
	if e.Time.Before(s.Time) {
		return s, fmt.Errorf("its time %s lies before that of the event before it", e.Time)
	}
	if e.Kind == Restored {
		return restore(s, e)
	}
	if e.Migration == "" || e.Migration == Every {
		return s, errors.New("an event of this kind concerns one migration")
	}
	m, known := s.Migrations[e.Migration]
	known = known && !m.Retired
	s.Seq, s.Time = e.Seq, e.Time
	switch e.Kind {
	case Created:
		if known {
			return s, errors.New("the migration exists already")
		}
		m = Migration{ID: e.Migration, Split: All(Off), Epoch: e.Seq, Since: e.Time, Ramp: RampIdle}
		m.From, m.To, m.Key, m.Plan = e.From, e.To, e.Key, e.Plan
		return s.with(m.by(e)), nil
	case Renamed:
		old, ok := s.Migrations[e.From]
		if !ok || old.Retired {
			return s, fmt.Errorf("no migration %q to rename", e.From)
		}
		if known {
			return s, errors.New("the migration exists already")
		}
		s.Migrations = maps.Clone(s.Migrations)
		delete(s.Migrations, e.From)
		old.ID = e.Migration
		return s.with(old.by(e)), nil
	}
	if !known {
		return s, errors.New("no such migration")
	}
	switch e.Kind {
	case Planned:
		m.From, m.To, m.Key, m.Plan = e.From, e.To, e.Key, e.Plan
		m.Step = e.Step
	case Retired:
		m.Retired = true
		m.Ramp = RampHeld
	case Shifted:
		if err := m.shift(e); err != nil {
			return s, err
		}
		if m.Ramp == RampRunning {
			m.Ramp = RampHeld
		}
	case Held:
		m.Ramp = RampHeld
	case Resumed:
		m.Ramp, m.Step, m.RolledBack = RampRunning, e.Step, false
	case RolledBack:
		if err := m.shift(e); err != nil {
			return s, err
		}
		if e.Split.Modern() > 0 {
			return s, fmt.Errorf("a rollback leaves nothing on the service, this one leaves %s", e.Split)
		}
		m.Ramp, m.RolledBack = RampHeld, true
	default:
		return s, fmt.Errorf("this program does not know events of kind %q; it may be older than the log", e.Kind)
	}
	return s.with(m.by(e)), nil
}

func (m *Migration) shift(e Event) error {
	split, err := NewSplit(e.Split...)
	if err != nil {
		return err
	}
	if len(e.Split) == 0 || !split.Equal(e.Split) {
		return fmt.Errorf("the split %s does not add up to 100%%", e.Split)
	}
	m.Split, m.Epoch, m.Since = split, e.Seq, e.Time
	return nil
}

func (m Migration) by(e Event) Migration {
	m.Seq, m.Actor, m.Reason = e.Seq, e.Actor, e.Reason
	return m
}

// restore begins a log with a state that was kept elsewhere.
func restore(s State, e Event) (State, error) {
	if s.Seq != 0 {
		return s, errors.New("only the first event of a log may restore a state")
	}
	if e.State == nil || e.Seq != e.State.Seq+1 {
		return s, errors.New("the state it restores must be that of the event before it")
	}
	next := *e.State
	next.Seq, next.EverySeq, next.Time = e.Seq, e.Seq, e.Time
	return next, nil
}
