package migrations

import (
	"fmt"
	"time"
)

// BuiltIn is the source of flags that is the log itself.
const BuiltIn = "builtin"

// An Outside says that an outside flag provider decides where people of a
// migration are, and not the split of the log. What the provider says is
// recorded by [Flagged] events. A rollback beats it until the migration is
// resumed, and complete stays complete while nothing says otherwise.
type Outside struct {
	Source  string    `json:"source"`            // which one: "file:flags.json"
	Version string    `json:"version,omitempty"` // of the flag; empty: not known
	At      time.Time `json:"at"`                // log time of the event
}

// A Ruling is what an outside flag provider makes of the flag of a migration.
type Ruling struct {
	Source  string // which provider, or [BuiltIn] if there is none
	Version string // the flag's own, or a hash of what it says; empty: not known
	Split   Split  // how it shares people out; nil: that is not known
	Why     string // in words; empty: nothing that Source and Split do not say
}

// Record returns the event with which a ruling is stated; false if the log has
// it, or if the migration is not one that can be ruled. A way back from
// complete that the plan says would lose data is not recorded, so that complete
// stands.
func Record(s State, p Plan, r Ruling) (Event, bool) {
	m, ok := s.Migrations[p.ID]
	if !ok || m.Retired || p.Retired || r.Source == "" {
		return Event{}, false
	}
	e := Event{Migration: p.ID, Kind: Flagged, Source: r.Source, Version: r.Version, Split: r.Split, Actor: gateway, Reason: r.Why}
	if r.Source == BuiltIn {
		e.Version, e.Split = "", nil
		for _, name := range m.CellNames() {
			if m.Course(name).Unknown {
				e.Split = All(Off)
			}
		}
		return e, m.Outside != nil
	}
	if p.Data == DataMoved && m.Completed() && r.Split.Modern() < Buckets {
		return Event{}, false
	}
	for _, name := range m.CellNames() { // it is not ours to refuse, but it is to be known
		c := m.Course(name)
		e.DataLoss = e.DataLoss || p.Data == DataMoved && r.Split != nil && !c.Unknown && !c.RolledBack && r.Split.Modern() < c.Split.Modern()
	}
	if m.Outside == nil || m.Outside.Source != r.Source || m.Outside.Version != r.Version {
		return e, true
	}
	for _, name := range m.CellNames() {
		c := m.Course(name)
		switch {
		case c.RolledBack:
		case r.Split == nil && !c.Unknown && !c.Completed(), r.Split != nil && (c.Unknown || !c.Split.Equal(r.Split)):
			return e, true
		}
	}
	return Event{}, false
}

// rule makes m what it is after a [Flagged] event.
func (m *Migration) rule(e Event) error {
	switch {
	case e.Source == "":
		return fmt.Errorf("it does not say which flag provider decides")
	case e.Cell != "":
		return fmt.Errorf("a flag is of a whole migration, not of the cell %s", e.Cell)
	case e.Source == BuiltIn:
		m.Outside = nil
	default:
		m.Outside = &Outside{Source: e.Source, Version: e.Version, At: e.Time}
	}
	return nil
}

// flagged makes c what an outside provider says. Where the share is not known
// the split is what it may be at most while it is not complete.
func (c *Course) flagged(e Event, tests *int) error {
	was := *c
	switch {
	case c.RolledBack: // until it is resumed
		return nil
	case e.Source == BuiltIn && !c.Unknown: // people stay where they are
		return nil
	case len(e.Split) == 0 && c.Completed():
		return nil
	case len(e.Split) == 0 && e.Source == BuiltIn:
		return fmt.Errorf("it does not say where people are from now on")
	case len(e.Split) == 0:
		e.Split = All(Live)
		if err := c.shift(e); err != nil {
			return err
		}
		c.Unknown = true
	default:
		if err := c.shift(e); err != nil {
			return err
		}
	}
	c.Ramp, c.Cause, c.Return, c.Approved = RampIdle, "", nil, 0
	c.Began, c.Stopped = e.Time, e.Time
	if c.Test == 0 || c.Unknown != was.Unknown || c.Split.Beyond(was.Split) || !c.PastOff() {
		c.begin(e, tests)
	}
	return nil
}

// decidedOutside refuses what only makes sense where the log decides.
func (m Migration) decidedOutside(what string) error {
	if m.Outside == nil {
		return nil
	}
	flag := m.Flag
	if flag == "" {
		flag = m.ID
	}
	return fmt.Errorf("%w: %s decides by its flag %q, so %s; change the flag there, or take people back with: ficus rollback %s",
		ErrRefused, m.Outside.Source, flag, what, m.ID)
}
