package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// movedOn is the problem of an expectation that does not hold any more: it
// says where the migration is, who moved it and why.
func (a *api) movedOn(ctx context.Context, s migrations.State, id string) *Problem {
	current := s.LastSeq(id)
	p := problem(MovedOn, http.StatusConflict, "%s has moved on: now at %d", id, current)
	if id == migrations.Every {
		current = s.EverySeq
		p = problem(MovedOn, http.StatusConflict, "somebody was faster: what concerns all migrations was last changed at %d", current)
	}
	p.Migration, p.CurrentSeq = id, &current
	e, err := a.event(ctx, current)
	if err != nil {
		return p // the number is what matters
	}
	p.By, p.Kind, p.Time, p.Reason = e.Actor, string(e.Kind), &e.Time, e.Reason
	p.Detail += fmt.Sprintf(" (%s %s)", did(e), ago(a.Now().Sub(e.Time)))
	return p
}

// afterConflict returns a state that has the event for which the log refused
// an expectation; the log knows of it, but our follower may not yet.
func (a *api) afterConflict(ctx context.Context) migrations.State {
	ctx, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	head, err := a.Log.Head(ctx)
	if err != nil {
		return a.State()
	}
	return a.await(ctx, head)
}

// ahead is the problem of an expectation that this gateway has not read.
func (a *api) ahead(s migrations.State, id string, expect uint64) *Problem {
	current := s.LastSeq(id)
	p := problem(Ahead, http.StatusConflict, "expect: this gateway has read the log as far as %d, not %d; %s is at %d", s.Seq, expect, id, current)
	p.Migration, p.CurrentSeq = id, &current
	return p
}

func noExpectation(s migrations.State, id string) *Problem {
	current := s.LastSeq(id)
	p := problem(NoExpectation, http.StatusPreconditionRequired,
		"expect: say at which seq you saw %s, so that nobody's change is overrun; GET /api/migrations/%s gives it, and it is %d now", id, id, current)
	p.Migration, p.CurrentSeq = id, &current
	return p
}

func noMigration(s migrations.State, id string) *Problem {
	known := "there are none yet"
	if ids := s.IDs(); len(ids) > 0 {
		known = "there are " + list(ids)
	}
	p := problem(NoMigration, http.StatusNotFound, "no migration %q; %s", id, known)
	p.Migration = id
	return p
}

// notAllowed is the problem of a command that the state refuses.
func notAllowed(s migrations.State, id string, status int, err error) *Problem {
	if errors.Is(err, migrations.ErrNoMigration) {
		return noMigration(s, id)
	}
	current := s.LastSeq(id)
	p := problem(Refused, status, "%s: %v", id, err)
	p.Migration, p.CurrentSeq = id, &current
	return p
}

// did says what an event was in the words of a person: "alice shifted it".
func did(e migrations.Event) string {
	who := e.Actor
	if who == "" {
		who = "somebody"
	}
	switch e.Kind {
	case migrations.RolledBack:
		return who + " rolled it back"
	case migrations.Returning:
		return who + " took it back in part"
	case migrations.Stepped:
		return who + " took its next step"
	case migrations.Skipped:
		return who + " took its next step without waiting"
	case migrations.Approved:
		return who + " approved its next step"
	case migrations.Planned:
		return who + " took in its edited plan"
	}
	switch {
	case e.Kind == migrations.Restored:
		return "the log was begun anew"
	case e.Migration == migrations.Every:
		return fmt.Sprintf("%s: all ramps %s", who, e.Kind)
	}
	return fmt.Sprintf("%s %s it", who, e.Kind)
}

// ago says how long ago something was: "3 s ago".
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	}
	return fmt.Sprintf("%d h ago", d/time.Hour)
}

// list writes words as a list, and cuts a long one.
func list[T ~string](words []T) string {
	out := make([]string, 0, len(words))
	for i, word := range words {
		if i == 20 {
			out = append(out, fmt.Sprintf("and %d more", len(words)-i))
			break
		}
		out = append(out, string(word))
	}
	return strings.Join(out, ", ")
}
