package migrations

import (
	"errors"
	"fmt"
)

// A Command is what a person asks of one migration.
type Command struct {
	Migration string
	Actor     string // who asks
	Reason    string // why; required where the function says so
	TraceID   string // of the request that asked
}

// ErrNoMigration is the error of a command for a migration that the state does not have.
var ErrNoMigration = errors.New("no such migration")

// ErrRefused is the error of a command that the state does not allow.
var ErrRefused = errors.New("refused")

func (c Command) event(k Kind) Event {
	return Event{Migration: c.Migration, Kind: k, Actor: c.Actor, Reason: c.Reason, TraceID: c.TraceID}
}

func (s State) find(id string) (Migration, error) {
	m, ok := s.Migrations[id]
	if !ok || m.Retired {
		return m, fmt.Errorf("%w: %q", ErrNoMigration, id)
	}
	return m, nil
}

// Shift returns the event that sets shares of a migration's split; see
// [Split.With] for what happens to the rest.
func Shift(s State, c Command, named ...Share) (Event, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Event{}, err
	}
	if len(named) == 0 {
		return Event{}, fmt.Errorf("%w: say which share moves, as in live=5%%", ErrRefused)
	}
	split, err := m.Split.With(named...)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	e := c.event(Shifted)
	e.Split = split
	return e, nil
}

// Hold returns the event that makes the ramp of a migration stand still.
func Hold(s State, c Command) (Event, error) {
	if _, err := s.find(c.Migration); err != nil {
		return Event{}, err
	}
	return c.event(Held), nil
}

// Resume returns the event that lets the ramp of a migration go on, at the
// last step of plan that is not beyond the current split, and lets cohorts
// count again after a rollback.
func Resume(s State, c Command, plan Plan) (Event, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Event{}, err
	}
	e := c.event(Resumed)
	e.Step = plan.StepAt(m.Split)
	return e, nil
}

// Rollback returns the event that takes all traffic of a migration back to
// the monolith. With moved data it needs acceptLoss.
func Rollback(s State, c Command, plan Plan, acceptLoss bool) (Event, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Event{}, err
	}
	if plan.Data == DataMoved && m.Split.Modern() > 0 && !acceptLoss {
		return Event{}, fmt.Errorf("%w: the data of %q has moved, so the monolith lacks what the service has written; to roll back nevertheless, accept the loss (--accept-data-loss)", ErrRefused, c.Migration)
	}
	e := c.event(RolledBack)
	e.Split = All(Off)
	e.DataLoss = plan.Data == DataMoved && acceptLoss
	return e, nil
}
