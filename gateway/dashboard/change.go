package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A ShiftRequest sets shares of a migration's split.
type ShiftRequest struct {
	Shares Shares  `json:"shares"`
	Reason string  `json:"reason"`
	Cell   string  `json:"cell,omitempty"` // the one cell; absent: all of them
	Expect *uint64 `json:"expect"`         // seq of the migration that this was decided upon
}

// A Change is the answer to a change of one migration.
type Change struct {
	Seq       uint64    `json:"seq"`                  // of the event
	Applied   bool      `json:"applied"`              // this gateway acts upon it; if not, it will when it has read the log so far
	LocalOnly bool      `json:"local_only,omitempty"` // a rollback that the log has not taken yet: this gateway alone acts upon it
	Migration Migration `json:"migration"`            // as this gateway knows it now
}

func (a *api) postShift(w http.ResponseWriter, r *http.Request) {
	var body ShiftRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.change(w, r, body.Reason, body.Cell, body.Expect, func(s migrations.State, c migrations.Command) (migrations.Event, error) {
		return migrations.Shift(s, c, a.plan(c.Migration), body.Shares...)
	})
}

// change makes an event of what a person asks and appends it, if the migration
// is still where they saw it.
func (a *api) change(w http.ResponseWriter, r *http.Request, reason, cell string, expect *uint64, event maker) {
	c := a.command(r, param(r, "id"), reason)
	c.Cell = cell
	s := a.State()
	if m, ok := s.Migrations[c.Migration]; !ok || m.Retired {
		fail(w, r, noMigration(s, c.Migration))
		return
	}
	if p := mayChange(r, c.Migration, a.plan(c.Migration).Owner); p != nil {
		a.refuse(w, r, p)
		return
	}
	if expect == nil {
		fail(w, r, noExpectation(s, c.Migration))
		return
	}
	if c.Reason == "" {
		fail(w, r, noReason())
		return
	}
	if expect != always && *expect > s.Seq {
		s = a.await(r.Context(), *expect)
		if *expect > s.Seq {
			fail(w, r, a.ahead(s, c.Migration, *expect))
			return
		}
	}
	if *expect < s.LastSeq(c.Migration) {
		fail(w, r, a.movedOn(r.Context(), s, c.Migration))
		return
	}
	e, err := event(s, c)
	if err == nil {
		e.SetTaus(a.taus(e))
		err = dryRun(s, a.Now(), e)
	}
	if err != nil {
		fail(w, r, notAllowed(s, c.Migration, http.StatusUnprocessableEntity, err))
		return
	}
	a.commit(w, r, *expect, e)
}

// taus returns what slow means in the test that an event of a person begins, so
// that the guard watches latency then as after a step of the ramp.
func (a *api) taus(e migrations.Event) evidence.Taus {
	switch e.Kind {
	case migrations.Shifted, migrations.Skipped, migrations.Resumed, migrations.Restarted:
		return migrations.Taus(a.plan(e.Migration), a.Counts(e.Migration), a.Now())
	}
	return evidence.Taus{}
}

func noReason() *Problem {
	return problem(BadRequest, http.StatusUnprocessableEntity, "reason: say why, for those who read the history later")
}

// commit appends the event of one migration and answers with its new state.
func (a *api) commit(w http.ResponseWriter, r *http.Request, after uint64, e migrations.Event) {
	seq, err := a.append(r.Context(), after, e)
	if errors.Is(err, migrations.ErrConflict) {
		fail(w, r, a.movedOn(r.Context(), a.afterConflict(r.Context()), e.Migration))
		return
	}
	if err != nil {
		fail(w, r, a.notAppended(err, e))
		return
	}
	s := a.await(r.Context(), seq)
	status, applied := settled(s, seq)
	answer(w, status, Change{Seq: seq, Applied: applied, Migration: a.presentMigration(s, e.Migration)})
}

// append appends events within our patience. It does not end when the client
// goes away: half a change helps nobody.
func (a *api) append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	return a.appendDecided(ctx, a.Deciding(ctx, events), after, events...)
}

// appendDecided appends events that somebody has been told of, whom decided
// tells the outcome.
func (a *api) appendDecided(ctx context.Context, decided func(uint64, error), after uint64, events ...migrations.Event) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Patience)
	defer cancel()
	seq, err := a.Log.Append(ctx, after, events...)
	decided(seq, err)
	if err != nil {
		return 0, err
	}
	for i, e := range events {
		a.Logger.Info("appended", "seq", seq-uint64(len(events)-1-i), "migration", e.Migration, "kind", e.Kind, "split", splitText(e.Split), "actor", e.Actor, "reason", e.Reason)
	}
	return seq, nil
}

// await returns the state when this gateway has applied seq, or the state it
// has when patience ends.
func (a *api) await(ctx context.Context, seq uint64) migrations.State {
	ctx, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	if s, err := a.Wait(ctx, seq); err == nil && s.Seq >= seq {
		return s
	}
	return a.State()
}

// settled returns the status of an answer to a change: 202 if this gateway
// does not act upon it yet.
func settled(s migrations.State, seq uint64) (status int, applied bool) {
	if s.Seq < seq {
		return http.StatusAccepted, false
	}
	return http.StatusOK, true
}

func (a *api) command(r *http.Request, id, reason string) migrations.Command {
	trace, span := origin(r)
	return migrations.Command{Migration: id, Actor: actor(r), Reason: plain(reason, 1000), TraceID: trace, SpanID: span}
}

// dryRun returns what the log would say of an event that is not appended
// yet, so that a refusal can be told from a log that does not answer.
func dryRun(s migrations.State, now time.Time, e migrations.Event) error {
	if _, _, err := migrations.Admit(s, migrations.Unconditional, now, e); err != nil {
		return fmt.Errorf("%w: %w", migrations.ErrRefused, err)
	}
	return nil
}

// notAppended is the problem of an event that the log did not take.
func (a *api) notAppended(err error, events ...migrations.Event) *Problem {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.Migration
	}
	a.Logger.Error("the event log did not take a change", "migrations", ids, "kind", events[0].Kind, "error", err)
	p := problem(LogUnavailable, http.StatusServiceUnavailable,
		"the event log did not take the change of %s: %v; traffic stays where it is; look at the state and try again", strings.Join(ids, ", "), err)
	if events[0].Kind == migrations.RolledBack {
		p.Detail = fmt.Sprintf("NOT rolled back: %s; the event log did not take the rollback: %v; traffic stays where it is; try again, and look at /readyz for what is wrong with the log", strings.Join(ids, ", "), err)
	}
	return p
}

// splitText is empty for an event that sets no split.
func splitText(s migrations.Split) string {
	if s == nil {
		return ""
	}
	return s.String()
}
