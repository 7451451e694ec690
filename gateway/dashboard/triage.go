package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/migrations/compare"
)

// A TriageRequest says what somebody thinks of a finding.
type TriageRequest struct {
	Reason string `json:"reason"`
}

// A MuteRequest hides a finding until a time: exactly one of For and Until.
type MuteRequest struct {
	Reason string     `json:"reason"`
	For    string     `json:"for,omitempty"` // a duration such as 24h
	Until  *time.Time `json:"until,omitempty"`
}

// An EraseRequest drops every example of one targeting key.
type EraseRequest struct {
	Key string `json:"key"`
}

// An Erased is the answer to an erasure.
type Erased struct {
	Erased int `json:"erased"` // examples
}

// longestMute is how far ahead a mute may end: nobody remembers why after a year.
const longestMute = 366 * 24 * time.Hour

func (a *api) postAcknowledge(w http.ResponseWriter, r *http.Request) {
	var body TriageRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.triage(w, r, "acknowledged", body.Reason, func(s *compare.Study, id, note string) error {
		return s.Findings.Acknowledge(id, note)
	})
}

func (a *api) postFix(w http.ResponseWriter, r *http.Request) {
	var body TriageRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	a.triage(w, r, "fixed", body.Reason, func(s *compare.Study, id, note string) error {
		return s.Fix(id, note, a.Now())
	})
}

func (a *api) postMute(w http.ResponseWriter, r *http.Request) {
	var body MuteRequest
	p := decode(w, r, &body)
	var until time.Time
	if p == nil {
		until, p = body.end(a.Now())
	}
	if p != nil {
		fail(w, r, p)
		return
	}
	a.triage(w, r, "muted", body.Reason, func(s *compare.Study, id, note string) error {
		return s.Findings.Mute(id, note, a.Now(), until)
	})
}

// end is when a mute ends.
func (m MuteRequest) end(now time.Time) (time.Time, *Problem) {
	refuse := func(format string, args ...any) (time.Time, *Problem) {
		return time.Time{}, problem(BadRequest, http.StatusUnprocessableEntity, format, args...)
	}
	var until time.Time
	switch {
	case (m.For == "") == (m.Until == nil):
		return refuse("a mute needs an end: say for how long (for: 24h), or until when, and not both")
	case m.Until != nil:
		until = *m.Until
	default:
		d, err := time.ParseDuration(m.For)
		if err != nil {
			return refuse("for: %q is no duration; write it as in 24h or 90m", plain(m.For, 100))
		}
		until = now.Add(d)
	}
	if !until.After(now) || until.Sub(now) > longestMute {
		return refuse("a mute ends in the future, and within a year")
	}
	return until, nil
}

// triage changes the state of a finding, and says who did. What has to succeed
// first, once it is known that they may, is before.
func (a *api) triage(w http.ResponseWriter, r *http.Request, what, reason string, change func(s *compare.Study, id, note string) error, before ...func() error) {
	id := param(r, "id")
	was, ok := a.finding(id, false)
	if !ok {
		fail(w, r, noFinding(id))
		return
	}
	if p := mayChange(r, was.Migration, a.plan(was.Migration).Owner); p != nil {
		a.refuse(w, r, p)
		return
	}
	reason = plain(reason, 1000)
	if reason == "" {
		fail(w, r, problem(BadRequest, http.StatusUnprocessableEntity, "reason: say why, for those who see the finding later"))
		return
	}
	for _, do := range before {
		if err := do(); err != nil {
			fail(w, r, problem(Refused, http.StatusUnprocessableEntity, "%v", err))
			return
		}
	}
	err := a.Findings.Change(was.Migration, func(s *compare.Study) error {
		if _, err := s.Findings.Get(id); err != nil {
			return errElsewhere // it went meanwhile
		}
		return change(s, id, actor(r)+": "+reason)
	})
	if errors.Is(err, errElsewhere) {
		fail(w, r, noFinding(id))
		return
	}
	if err != nil {
		fail(w, r, problem(Refused, http.StatusConflict, "%v", err))
		return
	}
	a.Logger.Info("a finding was "+what, "finding", was.ID, "migration", was.Migration, "was", was.State, "actor", actor(r), "reason", reason, "trace_id", traceID(r))
	a.note(r, identityOf(r), access.Entry{What: access.Judged, Detail: plain(what+" "+was.ID+" of "+was.Migration+": "+reason, 500)})
	now, _ := a.finding(id, false)
	answer(w, http.StatusOK, now)
}

func (a *api) postErase(w http.ResponseWriter, r *http.Request) {
	var body EraseRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	if body.Key == "" {
		fail(w, r, problem(BadRequest, http.StatusUnprocessableEntity, "key: name the targeting key whose examples are to go"))
		return
	}
	var out Erased
	if a.Findings != nil {
		out.Erased = a.Findings.EraseKey(body.Key)
	}
	a.note(r, identityOf(r), access.Entry{What: access.Judged, Detail: fmt.Sprintf("erased %d examples by key", out.Erased)})
	a.Logger.Info("examples were erased by key", "examples", out.Erased, "actor", actor(r), "trace_id", traceID(r)) // never the key
	answer(w, http.StatusOK, out)
}
