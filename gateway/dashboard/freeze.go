package dashboard

import (
	"errors"
	"net/http"

	"github.com/ficus-gateway/ficus/migrations"
)

// A FreezeRequest lets no ramp move forward. It needs no expectation: like a
// rollback it only makes things safer.
type FreezeRequest struct {
	Reason string `json:"reason"`
}

// A ThawRequest lets ramps move again.
type ThawRequest struct {
	Reason string  `json:"reason"`
	Expect *uint64 `json:"expect"` // seq of the state, or of the migration, that this was decided upon
}

// A Freeze is the answer to a freeze or a thaw of all ramps.
type Freeze struct {
	Seq     uint64 `json:"seq"`              // of the event
	Applied bool   `json:"applied"`          // this gateway acts upon it
	Frozen  string `json:"frozen,omitempty"` // why no ramp moves forward; absent: they may
}

// always is the expectation of what no newer event keeps from happening. It is
// told by its address, so that nobody can send it.
var always = func() *uint64 { seq := migrations.Unconditional; return &seq }()

func (a *api) postFreeze(w http.ResponseWriter, r *http.Request) {
	var body FreezeRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.change(w, r, body.Reason, "", always, migrations.FreezeRamps)
}

func (a *api) postThaw(w http.ResponseWriter, r *http.Request) {
	var body ThawRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.change(w, r, body.Reason, "", body.Expect, migrations.ThawRamps)
}

func (a *api) postFreezeAll(w http.ResponseWriter, r *http.Request) {
	var body FreezeRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.changeAll(w, r, body.Reason, always, migrations.FreezeRamps)
}

func (a *api) postThawAll(w http.ResponseWriter, r *http.Request) {
	var body ThawRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	if body.Expect == nil {
		s := a.State()
		p := problem(NoExpectation, http.StatusPreconditionRequired, "expect: say at which seq you saw the state, so that nobody's freeze is overrun; GET /api/state gives it, and it is %d now", s.Seq)
		p.CurrentSeq = &s.Seq
		fail(w, r, p)
		return
	}
	a.changeAll(w, r, body.Reason, body.Expect, migrations.ThawRamps)
}

// changeAll appends an event that concerns all migrations, unless another one
// that did is newer than what the person has seen. The log would refuse it for
// any newer event, also for one of a single migration, which does not matter.
func (a *api) changeAll(w http.ResponseWriter, r *http.Request, reason string, expect *uint64, event maker) {
	c := a.command(r, migrations.Every, reason)
	if p := mayChange(r, "all migrations", ""); p != nil {
		a.refuse(w, r, p)
		return
	}
	if c.Reason == "" {
		fail(w, r, noReason())
		return
	}
	s := a.State()
	if expect != always && *expect > s.Seq {
		if s = a.await(r.Context(), *expect); *expect > s.Seq {
			fail(w, r, a.ahead(s, migrations.Every, *expect))
			return
		}
	}
	for range 10 {
		if s.EverySeq > *expect {
			fail(w, r, a.movedOn(r.Context(), s, migrations.Every))
			return
		}
		e, err := event(s, c)
		if err == nil {
			err = dryRun(s, a.Now(), e)
		}
		if err != nil {
			fail(w, r, problem(Refused, http.StatusUnprocessableEntity, "%v", err))
			return
		}
		after := s.Seq
		if expect == always {
			after = migrations.Unconditional
		}
		seq, err := a.append(r.Context(), after, e)
		if errors.Is(err, migrations.ErrConflict) {
			s = a.afterConflict(r.Context())
			continue
		}
		if err != nil {
			fail(w, r, a.notAppended(err, e))
			return
		}
		s = a.await(r.Context(), seq)
		status, applied := settled(s, seq)
		answer(w, status, Freeze{Seq: seq, Applied: applied, Frozen: s.Frozen})
		return
	}
	fail(w, r, a.movedOn(r.Context(), s, migrations.Every))
}
