package dashboard

import (
	"net/http"

	"github.com/ficus-gateway/ficus/migrations"
)

// A RollbackRequest takes traffic back to the monolith. All of it is optional:
// rolling back needs less than moving forward (law 6).
type RollbackRequest struct {
	Reason         string `json:"reason,omitempty"`
	AcceptDataLoss bool   `json:"accept_data_loss,omitempty"` // for migrations whose data has moved
}

// A RollbackAll is the answer to a rollback of all migrations.
type RollbackAll struct {
	Seq        uint64      `json:"seq"`               // of the last event; 0 if there was nothing to roll back
	Applied    bool        `json:"applied"`           // this gateway acts upon it
	Migrations []Migration `json:"migrations"`        // those rolled back
	Refused    []Refusal   `json:"refused,omitempty"` // those that were not
}

// A Refusal says why a migration was not rolled back with the others.
type Refusal struct {
	Migration string `json:"migration"`
	Detail    string `json:"detail"`
}

func (a *api) postRollback(w http.ResponseWriter, r *http.Request) {
	var body RollbackRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	s := a.State()
	c := a.command(r, param(r, "id"), body.Reason)
	e, err := migrations.Rollback(s, c, a.plan(c.Migration), body.AcceptDataLoss)
	if err == nil {
		err = dryRun(s, a.Now(), e)
	}
	if err != nil {
		fail(w, r, notAllowed(s, c.Migration, http.StatusConflict, err))
		return
	}
	a.commit(w, r, migrations.Unconditional, e)
}

// postRollbackAll rolls back every migration that it may, in one append. One
// that is refused does not keep the others from it.
func (a *api) postRollbackAll(w http.ResponseWriter, r *http.Request) {
	var body RollbackRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	s := a.State()
	var events []migrations.Event
	out := RollbackAll{Migrations: []Migration{}}
	for _, id := range s.IDs() {
		if m := s.Migrations[id]; m.RolledBack && !m.PastOff() {
			continue
		}
		e, err := migrations.Rollback(s, a.command(r, id, body.Reason), a.plan(id), body.AcceptDataLoss)
		if err == nil {
			err = dryRun(s, a.Now(), e)
		}
		if err != nil {
			out.Refused = append(out.Refused, Refusal{id, err.Error()})
			continue
		}
		events = append(events, e)
	}
	switch {
	case len(events) == 0 && len(out.Refused) > 0:
		p := problem(Refused, http.StatusConflict, "nothing was rolled back: %s", out.Refused[0].Detail)
		fail(w, r, p)
		return
	case len(events) == 0:
		out.Applied = true
		answer(w, http.StatusOK, out)
		return
	}
	seq, err := a.append(r.Context(), migrations.Unconditional, events...)
	if err != nil {
		fail(w, r, a.notAppended(err, events...))
		return
	}
	s = a.await(r.Context(), seq)
	out.Seq = seq
	status, applied := settled(s, seq)
	out.Applied = applied
	for _, e := range events {
		out.Migrations = append(out.Migrations, a.presentMigration(s, e.Migration))
	}
	answer(w, status, out)
}

// plan returns the plan of a migration; without one, the zero plan, since a
// rollback must not fail for want of a config.
func (a *api) plan(id string) migrations.Plan {
	if p := a.Table().Plans[id]; p != nil {
		return *p
	}
	return migrations.Plan{ID: id}
}
