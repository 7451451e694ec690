package migrations

import "time"

// A Kind says what an event states. Kinds are part of the log's format: none
// is ever renamed, and a log with a kind that this program does not know is
// refused, never skipped.
type Kind string

// The kinds of event.
const (
	Created    Kind = "created"    // a migration came into the config; it is at [Off]
	Renamed    Kind = "renamed"    // a migration has a new id; its state moves with it
	Retired    Kind = "retired"    // a migration left the config by consent
	Planned    Kind = "planned"    // the plan of a migration was edited
	Shifted    Kind = "shifted"    // a person set the split; holds the ramp
	Held       Kind = "held"       // the ramp stands still
	Resumed    Kind = "resumed"    // the ramp goes on; cohorts count again after a rollback
	RolledBack Kind = "rolledback" // every bucket is at [Off], cohorts do not count
	Restored   Kind = "restored"   // the log begins with a state kept elsewhere
)

// Every is the migration of an event that concerns all migrations.
const Every = "*"

// An Event is one line of the log: an absolute fact, so that a replay never
// depends on today's config. Which fields are set depends on the kind.
type Event struct {
	Seq       uint64    `json:"seq"`                 // position in the log, from 1; set by the log
	Time      time.Time `json:"time"`                // stamped by the log, never decreasing
	Migration string    `json:"migration"`           // id, or [Every]
	Kind      Kind      `json:"kind"`                //
	Split     Split     `json:"split,omitempty"`     // Shifted, RolledBack: the split from now on
	From      string    `json:"from,omitempty"`      // Created, Planned: upstream that is moved away from; Renamed: the former id
	To        string    `json:"to,omitempty"`        // Created, Planned: upstream that is moved to
	Key       string    `json:"key,omitempty"`       // Created, Planned: the targeting key, as [Plan.KeyString] writes it
	Flag      string    `json:"flag,omitempty"`      // Created, Planned: the flag key, which chooses the buckets
	Plan      string    `json:"plan,omitempty"`      // Created, Planned: hash of the plan
	Step      int       `json:"step,omitempty"`      // Resumed, Planned: number of the step the ramp stands at, from 1; 0 is before the first
	State     *State    `json:"state,omitempty"`     // Restored: the whole state
	Actor     string    `json:"actor,omitempty"`     // who: "alice", "ficus" for the gateway itself
	Reason    string    `json:"reason,omitempty"`    // why, in a person's words
	TraceID   string    `json:"trace_id,omitempty"`  // hex trace id of the request or decision behind it
	More      int       `json:"more,omitempty"`      // how many events of the same append follow; set by the log
	DataLoss  bool      `json:"data_loss,omitempty"` // RolledBack: writes on the service were given up knowingly
}
