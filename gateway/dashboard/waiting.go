package dashboard

import (
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// Waiting is one thing that must happen before a migration moves on.
type Waiting struct {
	For   string     `json:"for"`             // resume, shift, config, hold, requests, observations, approval or step
	Text  string     `json:"text"`            // for people
	Until *time.Time `json:"until,omitempty"` // hold: log time at which it ends
	Have  uint64     `json:"have,omitempty"`  // requests, observations
	Need  uint64     `json:"need,omitempty"`  // requests, observations
}

// waiting returns what a migration waits for, by its plan, which may be nil,
// and the counts of its traffic, which may be nil too.
func waiting(m migrations.Migration, plan *migrations.Plan, counts *TrafficCounts, now time.Time) []Waiting {
	switch {
	case m.Retired || m.Completed():
		return nil
	case plan == nil:
		return []Waiting{{For: "config", Text: "the config in force does not have this migration"}}
	case m.RolledBack:
		return []Waiting{{For: "resume", Text: "it was rolled back; resume lets it go on"}}
	case m.Outside != nil:
		return []Waiting{{For: "flag", Text: m.Outside.Source + " decides by its flag"}}
	case len(plan.Steps) == 0:
		return []Waiting{{For: "shift", Text: "its plan has no ramp; a person shifts it"}}
	case m.Ramp == migrations.RampHeld:
		return []Waiting{{For: "resume", Text: "its ramp is held; resume lets it go on"}}
	case m.Ramp != migrations.RampRunning:
		return []Waiting{{For: "resume", Text: "its ramp has not begun; resume begins it"}}
	case m.Step >= len(plan.Steps):
		return nil
	}
	var out []Waiting
	if m.Step > 0 {
		out = conditions(m, plan.Steps[m.Step-1], counts, now)
	}
	next := fmt.Sprintf("step %d of %d (%s)", m.Step+1, len(plan.Steps), plan.Split(m.Step+1))
	switch {
	case plan.Steps[m.Step].Approve:
		out = append(out, Waiting{For: "approval", Text: "a person must approve " + next})
	case len(out) == 0:
		out = append(out, Waiting{For: "step", Text: next + " is next"})
	}
	return out
}

// conditions returns what the step that a migration stands at still asks for.
func conditions(m migrations.Migration, step migrations.Step, counts *TrafficCounts, now time.Time) (out []Waiting) {
	if until := m.Since.Add(step.Hold); until.After(now) {
		left := until.Sub(now).Round(time.Second)
		out = append(out, Waiting{For: "hold", Text: fmt.Sprintf("this step is held for %s, %s are left", step.Hold, left), Until: &until})
	}
	if counts == nil {
		counts = new(TrafficCounts)
	}
	served := counts.Modern.Requests - min(counts.Modern.Failed, counts.Modern.Requests)
	if need := uint64(max(step.Requests, 0)); served < need {
		out = append(out, Waiting{For: "requests", Text: fmt.Sprintf("%d of %d clean requests on the service", served, need), Have: served, Need: need})
	}
	if need := uint64(max(step.Observations, 0)); counts.Observations < need {
		out = append(out, Waiting{For: "observations", Text: fmt.Sprintf("%d of %d comparisons", counts.Observations, need), Have: counts.Observations, Need: need})
	}
	return out
}
