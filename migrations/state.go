package migrations

import (
	"slices"
	"time"
)

// A State is the fold of the log: what every gateway that has read as far
// agrees on. It is a value; [Apply] returns a new one. The zero value is the
// state of an empty log.
type State struct {
	Seq        uint64               `json:"seq"`                  // last event applied
	Time       time.Time            `json:"time"`                 // log time of that event
	EverySeq   uint64               `json:"every_seq,omitempty"`  // last event that concerned all migrations
	Frozen     string               `json:"frozen,omitempty"`     // why no ramp moves forward; empty: they may
	Migrations map[string]Migration `json:"migrations,omitempty"` // by id; never changed in place
}

// A Ramp says whether a migration moves by its plan.
type Ramp string

// What a ramp may be doing. A migration begins idle.
const (
	RampIdle    Ramp = "idle"
	RampRunning Ramp = "running"
	RampHeld    Ramp = "held"
)

// A Migration is the state of one migration. With cells, its own split and
// ramp are those of [Rest].
type Migration struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Key        string    `json:"key,omitempty"`
	Flag       string    `json:"flag,omitempty"`    // flag key; it chooses the buckets, so it stays when the id changes
	Plan       string    `json:"plan,omitempty"`    // hash of the plan last seen in a config
	Split      Split     `json:"split"`             // never empty
	Seq        uint64    `json:"seq"`               // last event of this migration: what a change expects
	Epoch      uint64    `json:"epoch"`             // seq of the event that last changed the split
	Since      time.Time `json:"since"`             // log time of that event
	Ramp       Ramp      `json:"ramp"`              //
	Step       int       `json:"step,omitempty"`    // step the ramp stands at, from 1; 0 is before the first
	RolledBack bool      `json:"rolled_back"`       // cohorts do not count until it is resumed
	Retired    bool      `json:"retired"`           //
	Actor      string    `json:"actor,omitempty"`   // of the last event
	Reason     string    `json:"reason,omitempty"`  // of the last event
	Frozen     string    `json:"frozen,omitempty"`  // why its ramp does not move forward; empty: it may
	Tests      int       `json:"tests,omitempty"`   // tests ever begun, retries and cells counted
	Resume     string    `json:"resume,omitempty"`  // the reason by which the config last let its ramp go on
	Outside    *Outside  `json:"outside,omitempty"` // the flag provider that decides instead of the log; nil: none. Never changed in place
	Progress
	Cells map[string]Course `json:"cells,omitempty"` // by name, without [Rest]; never changed in place
}

// IDs returns the ids of all migrations that are not retired, sorted.
func (s State) IDs() []string {
	var ids []string
	for id, m := range s.Migrations {
		if !m.Retired {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// PastOff reports whether any request may be treated otherwise than at [Off].
func (m Migration) PastOff() bool {
	for _, c := range m.Cells {
		if c.PastOff() {
			return true
		}
	}
	return m.Split.Share(Off) < Buckets
}

// Completed reports whether every request belongs to the service.
func (m Migration) Completed() bool {
	for _, c := range m.Cells {
		if !c.Completed() {
			return false
		}
	}
	return m.Split.Share(Complete) == Buckets
}

// LastSeq returns the last event that an expectation about migration id is
// held against: the newer of its own and of those that concern all.
func (s State) LastSeq(id string) uint64 {
	if id == Every {
		return s.Seq
	}
	return max(s.Migrations[id].Seq, s.EverySeq)
}
