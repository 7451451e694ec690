package migrations

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Command is what a person asks of one migration.
type Command struct {
	Migration string
	Cell      string // the one cell; empty: all of the migration
	Actor     string // who asks
	Reason    string // why; required where the function says so
	TraceID   string // of the request that asked
	SpanID    string // of that request
}

// ErrNoMigration is the error of a command for a migration that the state does not have.
var ErrNoMigration = errors.New("no such migration")

// ErrRefused is the error of a command that the state does not allow.
var ErrRefused = errors.New("refused")

func (c Command) event(k Kind) Event {
	return Event{Migration: c.Migration, Kind: k, Cell: c.Cell, Actor: c.Actor, Reason: c.Reason, TraceID: c.TraceID, SpanID: c.SpanID}
}

func (s State) find(id string) (Migration, error) {
	m, ok := s.Migrations[id]
	if !ok || m.Retired {
		return m, fmt.Errorf("%w: %q", ErrNoMigration, id)
	}
	return m, nil
}

// Shift returns the event that sets shares of a migration's split; see
// [Split.With] for what happens to the rest. After a rollback nobody moves
// before a resume, and people whose data has moved come back by a rollback
// alone.
func Shift(s State, c Command, plan Plan, named ...Share) (Event, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Event{}, err
	}
	if _, err := m.concerned(c.Cell); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := m.decidedOutside("its split cannot be set here"); err != nil {
		return Event{}, err
	}
	if len(named) == 0 {
		return Event{}, fmt.Errorf("%w: say which share moves, as in live=5%%", ErrRefused)
	}
	course := m.Course(c.Cell)
	split, err := course.Split.With(named...)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	switch {
	case course.RolledBack && split.Beyond(course.Split):
		return Event{}, fmt.Errorf("%w: %q was rolled back; when the matter is settled, resume it first: ficus resume %s", ErrRefused, c.Migration, c.Migration)
	case plan.Data == DataMoved && split.Modern() < course.Split.Modern():
		return Event{}, fmt.Errorf("%w: the data of %q has moved, so the monolith lacks what the service has written; the way back is: ficus rollback %s --accept-data-loss", ErrRefused, c.Migration, c.Migration)
	}
	e := c.event(Shifted)
	e.Split = split
	return e, nil
}

// Hold returns the event that makes the ramp of a migration stand still.
func Hold(s State, c Command) (Event, error) {
	m, err := s.find(c.Migration)
	if err == nil {
		err = m.decidedOutside("there is no ramp to hold")
	}
	if err != nil {
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
	cells, err := m.concerned(c.Cell)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if !slices.ContainsFunc(cells, func(name string) bool { return m.Course(name).RolledBack }) { // else the flag counts again
		if err := m.decidedOutside("there is no ramp to resume"); err != nil {
			return Event{}, err
		}
	}
	e := c.event(Resumed)
	e.Step = plan.StepAt(m.Course(c.Cell).Split)
	if c.Cell == "" {
		e.Cells = plan.CellSteps(m)
	}
	return e, nil
}

// Rollback returns the event that takes all traffic of a migration back to
// the monolith. With moved data it needs acceptLoss.
func Rollback(s State, c Command, plan Plan, acceptLoss bool) (Event, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Event{}, err
	}
	cells, err := m.concerned(c.Cell)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	served := slices.ContainsFunc(cells, func(name string) bool { return m.Course(name).Split.Modern() > 0 })
	if plan.Data == DataMoved && served && !acceptLoss {
		return Event{}, fmt.Errorf("%w: the data of %q has moved, so the monolith lacks what the service has written; to roll back nevertheless, accept the loss (--accept-data-loss)", ErrRefused, c.Migration)
	}
	e := c.event(RolledBack)
	e.Split = All(Off)
	e.DataLoss = plan.Data == DataMoved && acceptLoss
	return e, nil
}

// running returns a cell whose ramp runs, or why that is not so.
func (s State) running(c Command, what string) (Course, error) {
	m, err := s.find(c.Migration)
	if err != nil {
		return Course{}, err
	}
	cells, err := m.concerned(c.Cell)
	if err != nil {
		return Course{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := m.decidedOutside("there is no ramp to " + what); err != nil {
		return Course{}, err
	}
	if len(cells) > 1 {
		return Course{}, fmt.Errorf("%w: it has cells; say which one you %s: %s", ErrRefused, what, strings.Join(cells, ", "))
	}
	return m.Course(cells[0]), nil
}

// Approve returns the event that approves the next step of a migration.
func Approve(s State, c Command, plan Plan) (Event, error) {
	course, err := s.running(c, "approve")
	if err != nil {
		return Event{}, err
	}
	if course.Step >= len(plan.Steps) {
		return Event{}, fmt.Errorf("%w: no step is left to approve", ErrRefused)
	}
	e := c.event(Approved)
	e.Step = course.Step + 1
	return e, nil
}

// Skip returns the event that takes the next step at once, without waiting
// for what the present one was to show. The guard stays on.
func Skip(s State, c Command, plan Plan) (Event, error) {
	course, err := s.running(c, "skip")
	if err != nil {
		return Event{}, err
	}
	next := course.Step + 1
	split := plan.Split(next)
	frozen := s.Frozen
	if frozen == "" {
		frozen = s.Migrations[c.Migration].Frozen
	}
	switch {
	case course.Ramp != RampRunning:
		return Event{}, fmt.Errorf("%w: its ramp does not run; resume it first", ErrRefused)
	case next > len(plan.Steps):
		return Event{}, fmt.Errorf("%w: no step is left", ErrRefused)
	case frozen != "":
		return Event{}, fmt.Errorf("%w: ramps are frozen (%s); thaw them first", ErrRefused, frozen)
	case course.Split.Beyond(split) || !split.Beyond(course.Split):
		return Event{}, fmt.Errorf("%w: step %d (%s) does not lead forward from %s; shift it", ErrRefused, next, split, course.Split)
	}
	content := plan.Steps[next-1]
	e := c.event(Skipped)
	e.Step, e.Steps, e.Content, e.Split, e.Plan = next, len(plan.Steps), &content, split, plan.Hash()
	return e, nil
}

// Restart returns the event with which the present step begins anew: its
// hold, its counts and a test. It lets a held ramp go on.
func Restart(s State, c Command) (Event, error) {
	course, err := s.running(c, "restart")
	if err != nil {
		return Event{}, err
	}
	switch {
	case course.RolledBack:
		return Event{}, fmt.Errorf("%w: it was rolled back; resume lets it go on", ErrRefused)
	case course.Ramp == RampIdle || course.Step == 0:
		return Event{}, fmt.Errorf("%w: its ramp has not taken a step; resume begins it", ErrRefused)
	}
	return c.event(Restarted), nil
}

// FreezeRamps returns the event that makes the ramp of a migration, or of all with
// [Every], stand still. It needs a reason. Rollbacks don't heed it.
func FreezeRamps(s State, c Command) (Event, error) {
	if c.Migration != Every {
		if _, err := s.find(c.Migration); err != nil {
			return Event{}, err
		}
	}
	if c.Reason == "" {
		return Event{}, fmt.Errorf("%w: say why", ErrRefused)
	}
	e := c.event(Frozen)
	e.Cell = ""
	return e, nil
}

// ThawRamps returns the event that ends what [FreezeRamps] began.
func ThawRamps(s State, c Command) (Event, error) {
	if c.Migration != Every {
		if _, err := s.find(c.Migration); err != nil {
			return Event{}, err
		}
	}
	e := c.event(Thawed)
	e.Cell = ""
	return e, nil
}
