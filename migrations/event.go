package migrations

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

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
	RolledBack Kind = "rolledback" // no bucket is on the service, cohorts do not count
	Restored   Kind = "restored"   // the log begins with a state kept elsewhere

	Stepped   Kind = "stepped"   // the ramp has come to a step; a test begins
	Skipped   Kind = "skipped"   // the same, by a person who did not wait for the evidence
	Approved  Kind = "approved"  // a person approved a step before it begins
	Restarted Kind = "restarted" // the present step begins anew: its hold, its counts, a test
	Renewed   Kind = "renewed"   // a test was full and ended undecided; the next one begins
	Returning Kind = "returning" // a part of the way back, which a rolledback event ends
	Frozen    Kind = "frozen"    // no ramp moves forward, or not this one
	Thawed    Kind = "thawed"    // ramps move again

	Flagged Kind = "flagged" // an outside flag provider decides from now on, or decides otherwise
)

// Every is the migration of an event that concerns all migrations.
const Every = "*"

// Kinds lists all kinds. Callers must not change it.
var Kinds = []Kind{
	Created, Renamed, Retired, Planned, Shifted, Held, Resumed, RolledBack, Restored,
	Stepped, Skipped, Approved, Restarted, Renewed, Returning, Frozen, Thawed, Flagged,
}

// A Cause says what made the gateway hold or roll back, in a word. It is part
// of the log's format. Empty: a person did.
type Cause string

// The causes.
const (
	CauseTest   Cause = "test"   // the sequential test: the service is worse than the monolith
	CauseOutage Cause = "outage" // absolute: many failures in a row, all healed by the monolith
	CauseHarm   Cause = "harm"   // absolute: as many failed user requests as the plan allows in a step
	CauseStuck  Cause = "stuck"  // holds: a rollback is due, but the data forbids that it happens by itself
	CauseRatio  Cause = "ratio"  // holds: people are not where the split says
	CauseBlip   Cause = "blip"   // holds: failures in a row that the monolith healed, and that are over
	CauseBurn   Cause = "burn"   // holds: the error budget of the route burns too fast
	CauseLag    Cause = "lag"    // holds: the data lags behind, or by how much is not known

	CauseControl Cause = "control" // holds: a rollback is due, but the monolith is the one that fails now
	CauseFinding Cause = "finding" // holds: a finding of the comparison is open that is severe
)

// passes reports whether a hold for this cause ends when the cause does.
func (c Cause) passes() bool {
	return c == CauseBlip || c == CauseBurn || c == CauseLag || c == CauseControl || c == CauseFinding
}

// An Event is one line of the log: an absolute fact, so that a replay never
// depends on today's config. Which fields are set depends on the kind.
type Event struct {
	Seq       uint64         `json:"seq"`                 // position in the log, from 1; set by the log
	Time      time.Time      `json:"time"`                // stamped by the log, never decreasing
	Migration string         `json:"migration"`           // id, or [Every]
	Kind      Kind           `json:"kind"`                //
	Split     Split          `json:"split,omitempty"`     // Shifted, Stepped, Skipped, Returning, RolledBack, Flagged: the split from now on
	From      string         `json:"from,omitempty"`      // Created, Planned: upstream that is moved away from; Renamed: the former id
	To        string         `json:"to,omitempty"`        // Created, Planned: upstream that is moved to
	Key       string         `json:"key,omitempty"`       // Created, Planned: the targeting key, as [Plan.KeyString] writes it
	Flag      string         `json:"flag,omitempty"`      // Created, Planned: the flag key, which chooses the buckets
	Plan      string         `json:"plan,omitempty"`      // Created, Planned, and decisions: hash of the plan
	Resume    string         `json:"resume,omitempty"`    // Created, Planned: the reason by which the config lets the ramp go on
	Step      int            `json:"step,omitempty"`      // Resumed, Planned, Stepped, Skipped: number of the step the ramp stands at, from 1; 0 is before the first; Approved: the step approved
	Steps     int            `json:"steps,omitempty"`     // Planned, Stepped, Skipped: number of steps of the plan
	Content   *Step          `json:"content,omitempty"`   // Stepped, Skipped: what the plan says of the step
	Cell      string         `json:"cell,omitempty"`      // the one cell that it concerns, [Rest] for those without a name; empty: all
	Cells     Cells          `json:"cells,omitempty"`     // Created, Planned: the cells, and the step that each stands at
	Cause     Cause          `json:"cause,omitempty"`     // Held, RolledBack, Returning: what made the gateway do it
	Tau       time.Duration  `json:"tau_ns,omitempty"`    // Stepped, Renewed, Shifted, Skipped, Resumed, Restarted: the latency beyond which a response of the monolith is slow in the test that begins, if one does
	Taus      *evidence.Taus `json:"taus_ns,omitempty"`   // likewise, for each of [evidence.Latencies]; of events without it Tau is that of the first byte's p99
	Until     time.Time      `json:"until,omitzero"`      // Returning: when the way back is to end
	Because   uint64         `json:"because,omitempty"`   // the event that holds the evidence, if this one follows from it
	Retry     int            `json:"retry,omitempty"`     // Resumed: how often the ramp has begun again by itself
	Source    string         `json:"source,omitempty"`    // Flagged: the provider that decides, [BuiltIn] for the log
	Version   string         `json:"version,omitempty"`   // Flagged: of the flag there
	Evidence  *Evidence      `json:"evidence,omitempty"`  // decisions: the counts that they were made from
	State     *State         `json:"state,omitempty"`     // Restored: the whole state
	Actor     string         `json:"actor,omitempty"`     // who: "alice", "ficus" for the gateway itself
	Reason    string         `json:"reason,omitempty"`    // why, in a person's words
	TraceID   string         `json:"trace_id,omitempty"`  // hex trace id of the request or decision behind it
	SpanID    string         `json:"span_id,omitempty"`   // hex id of the span of that trace in which it was decided
	More      int            `json:"more,omitempty"`      // how many events of the same append follow; set by the log
	DataLoss  bool           `json:"data_loss,omitempty"` // RolledBack: writes on the service were given up knowingly; Flagged: by a flag that went back
}

// Back reports whether the event takes people back to the monolith.
func (e Event) Back() bool { return e.Kind == RolledBack || e.Kind == Returning }

// SetTaus sets what slow means in the test that the event begins, if anything is
// known.
func (e *Event) SetTaus(t evidence.Taus) {
	if t.Known() {
		e.Tau, e.Taus = t[evidence.FirstByteP99], &t
	}
}
