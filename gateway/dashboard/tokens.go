package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A TokenInfo is a token that was issued, without the token itself.
type TokenInfo struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"` // the actor of what is done by it
	Role    access.Role `json:"role"`
	Groups  []string    `json:"groups,omitempty"`  // owners whose migrations an operator may change
	Created *time.Time  `json:"created,omitempty"` // absent for the shared one
	By      string      `json:"by,omitempty"`      // who made it
	Expires *time.Time  `json:"expires,omitempty"` // absent: never
	Expired bool        `json:"expired,omitempty"`
	Here    bool        `json:"local_only,omitempty"` // revoked at this gateway alone, until the others can be told
	Used    *time.Time  `json:"used,omitempty"`       // last, exact to a minute
	Shared  bool        `json:"shared,omitempty"`     // that of the file ficus.token, which can't be revoked here
}

// Tokens lists the tokens that this gateway accepts, and those that have expired.
type Tokens struct {
	Tokens []TokenInfo `json:"tokens"`
}

// A TokenRequest asks for a token.
type TokenRequest struct {
	Name   string      `json:"name"`
	Role   access.Role `json:"role"`
	Groups []string    `json:"groups,omitempty"`
	For    string      `json:"for,omitempty"` // 90d, 12h or never; left out: 90 days
}

// A NewToken is the answer to the making of a token. The token is in this
// answer and nowhere else.
type NewToken struct {
	Token string    `json:"token"`
	Info  TokenInfo `json:"info"`
}

// usualLife is how long a token lives if nothing is said, in days: long enough
// for a pipeline, and short enough that those which nobody remembers go.
const usualLife = "90d"

func (a *api) getTokens(w http.ResponseWriter, r *http.Request) {
	out := Tokens{Tokens: []TokenInfo{}}
	for _, t := range a.Door.Tokens() {
		out.Tokens = append(out.Tokens, a.tokenInfo(t))
	}
	answer(w, http.StatusOK, out)
}

func (a *api) tokenInfo(t access.Issued) TokenInfo {
	out := TokenInfo{ID: t.ID, Name: t.Name, Role: t.Role, Groups: t.Groups, By: t.By, Here: t.Here, Shared: t.Shared}
	for at, to := range map[*time.Time]**time.Time{&t.Created: &out.Created, &t.Expires: &out.Expires, &t.Used: &out.Used} {
		if !at.IsZero() {
			*to = at
		}
	}
	out.Expired = !t.Expires.IsZero() && !a.Now().Before(t.Expires)
	return out
}

func (a *api) postToken(w http.ResponseWriter, r *http.Request) {
	var body TokenRequest
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	expires, p := body.expires(a.Now())
	if p != nil {
		fail(w, r, p)
		return
	}
	who := identityOf(r)
	order := access.Order{Name: plain(body.Name, 100), Role: body.Role, Expires: expires, By: who.Actor}
	for _, g := range body.Groups {
		order.Groups = append(order.Groups, plain(g, 200))
	}
	token, made, err := a.Door.Issue(r.Context(), order)
	if err != nil {
		fail(w, r, tokenProblem(err))
		return
	}
	a.note(r, who, access.Entry{What: access.TokenMade, Detail: tokenText(made)})
	answer(w, http.StatusCreated, NewToken{Token: token.Reveal(), Info: a.tokenInfo(made)})
}

// expires is when the token is over; zero: never.
func (t TokenRequest) expires(now time.Time) (time.Time, *Problem) {
	text := t.For
	switch text {
	case "never":
		return time.Time{}, nil
	case "":
		text = usualLife
	}
	if d, err := parseLife(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, problem(BadRequest, http.StatusUnprocessableEntity, "for: %q is not how long a token may live; write it as in 90d or 12h, or never", plain(text, 100))
}

// parseLife reads a duration, which may be in days.
func parseLife(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 100*366 {
			return 0, errors.New("not a number of days")
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
}

func (a *api) deleteToken(w http.ResponseWriter, r *http.Request) {
	gone, err := a.Door.Revoke(r.Context(), param(r, "id"))
	if err != nil {
		fail(w, r, tokenProblem(err))
		return
	}
	a.note(r, identityOf(r), access.Entry{What: access.TokenRevoked, Detail: tokenText(gone)})
	answer(w, http.StatusOK, a.tokenInfo(gone))
}

func tokenText(t access.Issued) string {
	text := t.ID + ": " + t.Name + ", " + string(t.Role)
	if len(t.Groups) > 0 {
		text += " of " + strings.Join(t.Groups, ", ")
	}
	if t.Expires.IsZero() {
		return text + ", never expires"
	}
	return text + ", expires " + t.Expires.Format(time.RFC3339)
}

func tokenProblem(err error) *Problem {
	var wrong access.OrderError
	switch {
	case errors.As(err, &wrong):
		return problem(BadRequest, http.StatusUnprocessableEntity, "%v", err)
	case errors.Is(err, access.ErrNoToken):
		return problem(NoToken, http.StatusNotFound, "%v; GET /api/tokens lists them", err)
	case errors.Is(err, access.ErrTaken), errors.Is(err, access.ErrFull), errors.Is(err, access.ErrShared):
		return problem(Refused, http.StatusConflict, "%v", err)
	}
	if errors.Is(err, access.ErrStore) {
		return problem(LogUnavailable, http.StatusServiceUnavailable, "nothing was changed: %v", err)
	}
	return problem(InternalProblem, http.StatusInternalServerError, "nothing was changed: %v", err)
}
