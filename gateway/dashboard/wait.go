package dashboard

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Waiting is one thing that must happen before a migration moves on.
type Waiting struct {
	For   migrations.Wait `json:"for"`
	Cell  string          `json:"cell,omitempty"`
	Text  string          `json:"text"`            // for people
	Until *time.Time      `json:"until,omitempty"` // log time at which it ends
	Have  uint64          `json:"have,omitempty"`  // requests, observations, keys
	Need  uint64          `json:"need,omitempty"`
}

// waitsOf returns what a migration waits for: what the ramp's own decision
// waits for, by the counts that it is made from.
func waitsOf(s migrations.State, id string, plan *migrations.Plan, counts evidence.Counts, now time.Time) []Waiting {
	m := s.Migrations[id]
	switch {
	case m.Retired || m.Completed():
		return nil
	case plan == nil:
		return []Waiting{{For: migrations.WaitConfig, Text: "the config in force does not have this migration"}}
	}
	var out []Waiting
	for _, r := range migrations.Waiting(s, *plan, counts, now) {
		w := Waiting{For: r.For, Cell: r.Cell, Text: r.Text, Have: r.Have, Need: r.Need}
		if !r.Until.IsZero() {
			w.Until = &r.Until
		}
		out = append(out, w)
	}
	return out
}
