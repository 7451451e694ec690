package access

import (
	"cmp"
	"context"
	"errors"
	"net/url"
)

// An Attempt is somebody who tries to sign in.
type Attempt struct {
	Token  string // that they present
	Name   string // counts where several people share the token
	Before string // id of the session that their browser had
	From   string // their address, with a port or without
}

// Errors of [Door.SignIn].
var (
	ErrWrong   = errors.New("that is not a token of this gateway, or it was revoked, or has expired")
	ErrProgram = errors.New("that token is a program's, which reports outcomes and does nothing else; sign in with another")
	ErrTooMany = errors.New("too many tries from there; wait some seconds")
)

// SignIn opens a session and returns its id, for the cookie. The session that
// the browser had before ends: what somebody planted in it opens nothing.
func (d *Door) SignIn(a Attempt) (id string, who Identity, err error) {
	if !d.attempts.allow(a.From) {
		return "", Identity{}, ErrTooMany
	}
	c, ok := d.credentials.check(a.Token)
	if !ok {
		return "", Identity{}, ErrWrong
	}
	if c.Role == Reporter {
		return "", Identity{}, ErrProgram
	}
	who = c.identity(cmp.Or(a.Name, "operator"), BySession)
	d.end(a.Before)
	return d.sessions.put(session{Credential: c.ID, Actor: who.Actor}), who, nil
}

// SignOn returns the single sign-on; nil: there is none.
func (d *Door) SignOn() *SignOn { return d.signOn }

// FinishSignOn opens a session for whom the identity provider vouches, as
// [Door.SignIn] does, and returns the page that they were going to as well.
// Answer is the query that it sent the browser back with, sealed what the
// browser carried. An error is a [*Refusal] or [ErrTooMany].
func (d *Door) FinishSignOn(ctx context.Context, answer url.Values, sealed string, a Attempt) (id, next string, who Identity, err error) {
	if !d.returns.allow(a.From) {
		return "", "", Identity{}, ErrTooMany
	}
	p, next, err := d.signOn.finish(ctx, answer, sealed)
	if err != nil {
		return "", next, Identity{}, err
	}
	d.end(a.Before)
	s := d.signOn.session(p)
	return d.sessions.put(s), next, d.signOn.identity(s), nil
}

// SignOut ends a session.
func (d *Door) SignOut(session string) { d.end(session) }

// end ends a session for good.
func (d *Door) end(session string) {
	if session == "" || !d.sessions.drop(session) {
		return
	}
	if err := d.sessions.flush(); err != nil {
		d.log.Error("a session ended, but may come back when the gateway restarts", "error", err)
	}
}
