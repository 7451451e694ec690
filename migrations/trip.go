package migrations

import (
	"errors"
	"time"
)

// A Trip is a rollback that the log has not taken yet, and that the gateway
// which decided upon it acts upon all the same (law 6). It can only move
// toward the monolith. It is appended when the log is back, and ends with what
// the log says then: see [Trip.Standing].
type Trip struct {
	Event Event  `json:"event"` // RolledBack, as it is to be appended
	After uint64 `json:"after"` // last event of the migration that was known to whoever decided

	At time.Time `json:"at,omitzero"` // when it came into force at the gateway that keeps it
}

// NewTrip returns the trip of a decision that could not be appended to the log
// whose fold is s. A way back that was to be spread becomes one at once: it
// can't be told to the others in parts.
func NewTrip(s State, p Plan, e Event) (Trip, error) {
	m, ok := s.Migrations[e.Migration]
	switch {
	case !e.Back():
		return Trip{}, errors.New("only a rollback trips")
	case !ok || m.Retired:
		return Trip{}, errors.New("no such migration")
	}
	if e.Kind == Returning {
		target := All(Off)
		if p.Rollback.To == Shadow {
			target = All(Shadow)
		}
		if target.Beyond(m.Course(e.Cell).Split) {
			target = All(Off)
		}
		e.Kind, e.Split = RolledBack, target
	}
	e.Until, e.Because = time.Time{}, 0
	return Trip{Event: e, After: s.LastSeq(e.Migration)}, nil
}

// A Standing says what the log makes of a trip.
type Standing string

// What may have become of a trip.
const (
	TripStands    Standing = "stands"    // the log has nothing newer to say
	TripConfirmed Standing = "confirmed" // nobody is on the service, by the log
	TripCleared   Standing = "cleared"   // a person has decided something newer, or it no longer concerns anybody
)

// Standing returns what the log whose fold is s makes of the trip. What is not
// newer than the trip says nothing of it, so that no replay brings one back or
// ends one. A person ends it with what says where people go: a shift, a resume,
// a step that is skipped or begins anew. Of several events only the last one's
// actor shows.
func (t Trip) Standing(s State) Standing {
	m, ok := s.Migrations[t.Event.Migration]
	if !ok || m.Retired {
		return TripCleared
	}
	cells, err := m.concerned(t.Event.Cell)
	if err != nil {
		return TripCleared
	}
	back, complete, moved := true, true, false
	for _, name := range cells {
		c := m.Course(name)
		back = back && c.Split.Modern() == 0
		complete = complete && c.Completed()
		moved = moved || max(c.Epoch, c.Turn) > t.After
	}
	switch {
	case s.Seq < t.After: // the log has yet to be read as far as the trip knew it
		return TripStands
	case back:
		return TripConfirmed
	case complete: // there is no trip from there (law 4)
		return TripCleared
	case moved && m.Actor != gateway: // to freeze, hold or approve is to say nothing against a rollback
		return TripCleared
	}
	return TripStands
}
