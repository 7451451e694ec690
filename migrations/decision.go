package migrations

import (
	"errors"
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Evidence is what a decision was made from. It stands in the decision's
// event, so that it can be asked why without anything else.
type Evidence struct {
	Records   []evidence.Record     `json:"records,omitempty"`   // the test, by metric; the strongest first
	Epochs    []evidence.Epoch      `json:"epochs,omitempty"`    // requests of the test, by epoch
	Observed  evidence.Observations `json:"observed,omitzero"`   // comparisons in the test
	Harm      uint64                `json:"harm,omitempty"`      // requests that failed for the user in the test
	Streak    *evidence.Streak      `json:"streak,omitempty"`    // failures in a row, if they decided
	Spans     []string              `json:"spans,omitempty"`     // span contexts of offending requests, up to [evidence.SpanLimit]
	FirstBad  time.Time             `json:"first_bad,omitzero"`  // of a decision against the service: the first bad request of the test, of the kind that decided; zero: not known
	At        time.Time             `json:"at,omitzero"`         // when the counts were read
	Gateways  int                   `json:"gateways,omitempty"`  // how many gateways they come from
	Own       bool                  `json:"own,omitempty"`       // one gateway's own, because the merged ones were stale
	Load      *Load                 `json:"load,omitempty"`      // what a way back brings to the monolith
	Control   *evidence.Record      `json:"control,omitempty"`   // by which the monolith is the worse side, if that held it
	Aside     uint64                `json:"aside,omitempty"`     // failures that fallback healed in a blip, which are not in the records
	Blameless uint64                `json:"blameless,omitempty"` // failures that the monolith shared, which are not in the records
	Config    string                `json:"config,omitempty"`    // hash of the config of the gateway that decided
	Where     string                `json:"where,omitempty"`     // which requests go wrong, in a sentence; as the gateway that decided saw it
	Offenders []Offender            `json:"offenders,omitempty"` // latest of them, up to [OffenderLimit]
}

// ErrNotTested is the error of [Explain] for an event that no test decided.
var ErrNotTested = errors.New("no test decided this event")

// Explain computes the evidence of a decision again, from its event alone, and
// returns that of the record that decided: to the bit the number that the
// event holds. An error says that the event's numbers contradict one another,
// or, as ErrNotTested, that it was not a test that decided it.
func Explain(e Event) (float64, error) {
	switch {
	case e.Evidence == nil && e.Because != 0 && e.Because != e.Seq:
		return 0, fmt.Errorf("event %d (%s): %w; it follows from event %d, which holds the evidence", e.Seq, e.Kind, ErrNotTested, e.Because)
	case e.Evidence == nil:
		return 0, fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, ErrNotTested)
	case e.Cause != "" && e.Cause != CauseTest && e.Cause != CauseRatio && e.Cause != CauseStuck && e.Cause != CauseControl || len(e.Evidence.Records) == 0:
		return 0, fmt.Errorf("event %d (%s, cause %s): %w: %s", e.Seq, e.Kind, e.Cause, ErrNotTested, e.Reason)
	}
	for _, r := range e.Evidence.Records {
		if err := r.Check(); err != nil {
			return 0, fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	if c := e.Evidence.Control; c != nil {
		if err := c.Check(); err != nil {
			return 0, fmt.Errorf("event %d: the monolith: %w", e.Seq, err)
		}
	}
	strongest, _ := evidence.Strongest(e.Evidence.Records)
	if e.Cause == CauseTest && !strongest.Trips() {
		return strongest.Recompute(), fmt.Errorf("event %d: %w: it says that the test tripped, and by its counts it does not", e.Seq, evidence.ErrRecord)
	}
	return strongest.Recompute(), nil
}
