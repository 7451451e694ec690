package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A RollbackRequest takes traffic back to the monolith. All of it is optional:
// rolling back needs less than moving forward (law 6).
type RollbackRequest struct {
	Reason         string `json:"reason,omitempty"`
	Cell           string `json:"cell,omitempty"`             // the one cell; absent: all of them
	AcceptDataLoss bool   `json:"accept_data_loss,omitempty"` // for migrations whose data has moved
}

// A RollbackAll is the answer to a rollback of all migrations.
type RollbackAll struct {
	Seq        uint64      `json:"seq"`                  // of the last event; 0 if there was nothing to roll back
	Applied    bool        `json:"applied"`              // this gateway acts upon it
	LocalOnly  bool        `json:"local_only,omitempty"` // the log has not taken it yet: this gateway alone acts upon it
	Migrations []Migration `json:"migrations"`           // those rolled back
	Refused    []Refusal   `json:"refused,omitempty"`    // those that were not
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
	c.Cell = body.Cell
	e, err := migrations.Rollback(s, c, a.plan(c.Migration), body.AcceptDataLoss)
	if err == nil {
		err = dryRun(s, a.Now(), e)
	}
	if err != nil {
		fail(w, r, notAllowed(s, c.Migration, http.StatusConflict, err))
		return
	}
	a.loaded(&e)
	seq, err := a.takeBack(r.Context(), e)
	switch {
	case err != nil && a.Trip == nil:
		fail(w, r, a.notAppended(err, e))
	case err != nil:
		answer(w, http.StatusAccepted, Change{Applied: true, LocalOnly: true, Migration: a.presentMigration(a.State(), e.Migration)})
	default:
		s := a.await(r.Context(), seq)
		status, applied := settled(s, seq)
		answer(w, status, Change{Seq: seq, Applied: applied, Migration: a.presentMigration(s, e.Migration)})
	}
}

// noLonger is how long a rollback waits for the log before this gateway acts
// upon it alone.
const noLonger = 300 * time.Millisecond

// takeBack appends rollbacks. When the log does not take them at once, this
// gateway acts upon them all the same, and sees to it that they are appended
// when the log is back (law 6).
func (a *api) takeBack(ctx context.Context, events ...migrations.Event) (seq uint64, err error) {
	decided := a.Deciding(ctx, events)
	done := make(chan struct{})
	go func() { // ends within our patience
		defer close(done)
		seq, err = a.appendDecided(ctx, decided, migrations.Unconditional, events...)
	}()
	select {
	case <-done:
	case <-time.After(noLonger):
		a.trip(events)
		<-done
		return seq, err
	}
	if err != nil {
		a.trip(events)
	}
	return seq, err
}

func (a *api) trip(events []migrations.Event) {
	if a.Trip != nil {
		a.Trip(events)
	}
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
		a.loaded(&e)
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
	seq, err := a.takeBack(r.Context(), events...)
	if err != nil && a.Trip == nil {
		fail(w, r, a.notAppended(err, events...))
		return
	}
	status := http.StatusAccepted
	if out.Applied, out.LocalOnly = true, err != nil; err == nil {
		s = a.await(r.Context(), seq)
		status, out.Applied = settled(s, seq)
	}
	out.Seq = seq
	for _, e := range events {
		out.Migrations = append(out.Migrations, a.presentMigration(s, e.Migration))
	}
	answer(w, status, out)
}

// loaded notes in the event what load the way back brings to the monolith, for
// those who ask later why it was slow.
func (a *api) loaded(e *migrations.Event) {
	counts := a.Counts(e.Migration)
	if load := migrations.WayBack(counts, a.State().Migrations[e.Migration], a.Now()); load.Coming > 0 {
		e.Evidence = &migrations.Evidence{Load: &load, At: counts.At.UTC().Truncate(time.Microsecond), Gateways: counts.Gateways}
	}
}

// plan returns the plan of a migration; without one, the zero plan, since a
// rollback must not fail for want of a config.
func (a *api) plan(id string) migrations.Plan {
	if p := a.Table().Plans[id]; p != nil {
		return *p
	}
	return migrations.Plan{ID: id}
}
