package dashboard

import (
	"fmt"
	"net/http"

	"github.com/ficus-gateway/ficus/migrations"
)

// A RampRequest is what a person asks of a ramp.
type RampRequest struct {
	Reason string  `json:"reason"`
	Cell   string  `json:"cell,omitempty"` // the one cell; absent: all, or the only one
	Expect *uint64 `json:"expect"`         // seq of the migration that this was decided upon
}

// A RampVerb is what may be asked of a ramp.
type RampVerb string

// The verbs.
const (
	HoldRamp    RampVerb = "hold"
	ResumeRamp  RampVerb = "resume"
	ApproveStep RampVerb = "approve"
	SkipStep    RampVerb = "skip"
	RestartStep RampVerb = "restart"
)

// A maker makes the event of what a person asks, or says why not.
type maker func(s migrations.State, c migrations.Command) (migrations.Event, error)

func (a *api) postHold(w http.ResponseWriter, r *http.Request)    { a.ramp(w, r, migrations.Hold) }
func (a *api) postRestart(w http.ResponseWriter, r *http.Request) { a.ramp(w, r, migrations.Restart) }

func (a *api) postResume(w http.ResponseWriter, r *http.Request) {
	a.ramp(w, r, a.planned(migrations.Resume))
}

func (a *api) postApprove(w http.ResponseWriter, r *http.Request) {
	a.ramp(w, r, a.planned(migrations.Approve))
}

func (a *api) postSkip(w http.ResponseWriter, r *http.Request) {
	a.ramp(w, r, a.planned(migrations.Skip))
}

// ramp answers a request about a ramp with the event that event makes.
func (a *api) ramp(w http.ResponseWriter, r *http.Request, event maker) {
	var body RampRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.change(w, r, body.Reason, body.Cell, body.Expect, event)
}

// planned makes the event by the plan of the config in force.
func (a *api) planned(event func(migrations.State, migrations.Command, migrations.Plan) (migrations.Event, error)) maker {
	return func(s migrations.State, c migrations.Command) (migrations.Event, error) {
		plan := a.Table().Plans[c.Migration]
		if plan == nil {
			return migrations.Event{}, fmt.Errorf("%w: the config in force does not have %q, so there is no plan to go by", migrations.ErrRefused, c.Migration)
		}
		return event(s, c, *plan)
	}
}
