package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// Outcomes are what an application says of a metric of its own.
type Outcomes struct {
	Outcomes []Outcome `json:"outcomes"`
}

// An Outcome says how it went for one person, by targeting key, or for
// numbers of people that are known by side only.
type Outcome struct {
	ID        string     `json:"id"` // what is sent again with the same id counts once
	Migration string     `json:"migration"`
	Metric    string     `json:"metric"`
	Cell      string     `json:"cell,omitempty"`
	Key       string     `json:"key,omitempty"`  // never stored, never logged
	Side      string     `json:"side,omitempty"` // what the field Ficus-Side of the request said
	Bad       uint64     `json:"bad,omitempty"`
	Total     uint64     `json:"total,omitempty"` // left out with a key: 1
	At        *time.Time `json:"at,omitempty"`    // left out: now
}

// OutcomesCounted is what became of the outcomes that were sent. They add up.
type OutcomesCounted struct {
	Counted  int `json:"counted"`
	Repeated int `json:"repeated"` // ids that were known
	Late     int `json:"late"`     // of before the present split, or more than ten minutes ago
	Outside  int `json:"outside"`  // of nobody in a test
}

// An OutcomeError says which of the outcomes makes no sense. None was counted.
type OutcomeError struct {
	Index       int
	Field, Text string
}

// Error names the outcome by its place.
func (e *OutcomeError) Error() string {
	return fmt.Sprintf("outcomes[%d].%s: %s", e.Index, e.Field, e.Text)
}

// A Reporter counts outcomes, all of them or none. An error is an [*OutcomeError].
type Reporter func(ctx context.Context, all []Outcome) (OutcomesCounted, error)

// maxOutcomes bounds the outcomes of one request.
const maxOutcomes = 500

func (a *api) postOutcomes(w http.ResponseWriter, r *http.Request) {
	var body Outcomes
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	switch n := len(body.Outcomes); {
	case n == 0:
		fail(w, r, problem(BadRequest, http.StatusUnprocessableEntity, "outcomes: list what has become of requests, as in {\"outcomes\": [{\"id\": \"7\", \"migration\": \"orders\", \"metric\": \"lost_orders\", \"key\": \"alice\", \"bad\": 1}]}"))
		return
	case n > maxOutcomes:
		fail(w, r, problem(TooLarge, http.StatusRequestEntityTooLarge, "outcomes: %d are more than the %d of one request; send them in parts", n, maxOutcomes))
		return
	}
	for i := range body.Outcomes {
		o := &body.Outcomes[i]
		if o.Key != "" && o.Total == 0 {
			o.Total = 1
		}
		if p := mayReport(r, i, o.Migration, a.plan(o.Migration).Owner); p != nil {
			a.refuse(w, r, p)
			return
		}
	}
	if a.Report == nil {
		fail(w, r, problem(NotFound, http.StatusNotFound, "this gateway counts no outcomes"))
		return
	}
	counted, err := a.Report(r.Context(), body.Outcomes)
	var wrong *OutcomeError
	switch {
	case errors.As(err, &wrong):
		fail(w, r, problem(BadRequest, http.StatusUnprocessableEntity, "%s; nothing was counted", plain(wrong.Error(), 500)))
	case err != nil:
		fail(w, r, problem(InternalProblem, http.StatusInternalServerError, "nothing was counted: %v", err))
	default:
		answer(w, http.StatusOK, counted)
	}
}

// mayReport says why who sends r may not report on a migration; nil if they
// may. A token without groups may report on all of them.
func mayReport(r *http.Request, i int, migration, owner string) *Problem {
	who := identityOf(r)
	if who.Role == access.Admin || len(who.Groups) == 0 || slices.Contains(who.Groups, owner) {
		return nil
	}
	return problem(NotOwner, http.StatusForbidden, "outcomes[%d]: %s is not of a group that %s may report for", i, plain(migration, 100), who.Actor)
}
