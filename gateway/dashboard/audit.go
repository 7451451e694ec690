package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// An Audit is a part of who came in and who was refused, newest first. What
// was done to migrations is in the history.
type Audit struct {
	Entries []AuditEntry `json:"entries"`
	Before  uint64       `json:"before,omitempty"` // ask for the entries before this for more; absent at the end of what is kept
}

// An AuditEntry is one line of the audit.
type AuditEntry access.Entry

// An AuditFilter says which entries are wanted.
type AuditFilter = access.AuditFilter

func (a *api) getAudit(w http.ResponseWriter, r *http.Request) {
	f, p := auditFilterOf(r)
	if p != nil {
		fail(w, r, p)
		return
	}
	entries, more := a.Door.Audit(f)
	out := Audit{Entries: []AuditEntry{}}
	for _, e := range entries {
		out.Entries = append(out.Entries, AuditEntry(e))
	}
	if more {
		out.Before = entries[len(entries)-1].Seq
	}
	answer(w, http.StatusOK, out)
}

func auditFilterOf(r *http.Request) (AuditFilter, *Problem) {
	values, p := query(r, "what", "actor", "limit", "before")
	if p != nil {
		return AuditFilter{}, p
	}
	f := AuditFilter{What: access.What(values.Get("what")), Actor: values.Get("actor"), Limit: 50}
	if f.What != "" && !slices.Contains(access.Whats, f.What) {
		return f, problem(BadRequest, http.StatusBadRequest, "what=%s is not audited; there are %s", plain(string(f.What), 100), list(access.Whats))
	}
	if p := number(values, "limit", 1000, func(n uint64) { f.Limit = int(n) }); p != nil {
		return f, p
	}
	return f, number(values, "before", 1<<63, func(n uint64) { f.Before = n })
}

// number reads a parameter that is a number from 1 to most, if there is one.
func number(values url.Values, name string, most uint64, set func(uint64)) *Problem {
	text := values.Get(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > most {
		return problem(BadRequest, http.StatusBadRequest, "%s=%s is not a number from 1 to %d", name, plain(text, 100), most)
	}
	set(n)
	return nil
}

// note keeps in the audit what who has done, or was refused, by r. Of somebody
// who is not known it keeps no name, which anybody can claim.
func (a *api) note(r *http.Request, who access.Identity, e access.Entry) {
	if who.Known() {
		e.Actor, e.Role, e.Via = who.Actor, who.Role, who.Via
	}
	e.Peer, e.Client = r.RemoteAddr, a.clientOf(r)
	a.Door.Note(e)
}

// clientOf returns whom a trusted proxy speaks for; empty: nobody but itself.
func (a *api) clientOf(r *http.Request) string {
	if a.Client == nil {
		return ""
	}
	return a.Client(r)
}

// attempt is who tries to sign in by r.
func (a *api) attempt(r *http.Request) access.Attempt {
	return access.Attempt{Before: a.cookieOf(r, sessionCookie), From: cmp.Or(a.clientOf(r), r.RemoteAddr)}
}
