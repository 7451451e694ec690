package access

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// SignOnOptions say how people sign in with an identity provider that speaks
// OpenID Connect.
type SignOnOptions struct {
	Issuer       string            // URL of the provider
	ClientID     string            // ours with it
	ClientSecret string            // empty: a public client
	Redirect     string            // URL of ours that it sends people back to
	Scopes       []string          // empty: openid, profile and email
	GroupsClaim  string            // empty: groups
	NameClaim    string            // of the name in the history; empty: email
	Roles        map[Role][]string // which groups have a role; "*" is everybody
	Timeout      time.Duration     // for what the provider is asked; 0: ten seconds
	Secret       []byte            // seals what browsers carry meanwhile; gateways behind one name have the same
}

// A SignOn lets people in whom the identity provider knows.
type SignOn struct {
	o        SignOnOptions
	provider *provider
	seal     seal
	now      func() time.Time
}

// signOnTime is what somebody has to sign in with the provider.
const signOnTime = 10 * time.Minute

// maxSignOnGroups bounds the groups of a person.
const maxSignOnGroups = 500

// everybody is a group that everybody is in.
const everybody = "*"

func newSignOn(o SignOnOptions, now func() time.Time) (*SignOn, error) {
	if len(o.Scopes) == 0 {
		o.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	if !slices.Contains(o.Scopes, oidc.ScopeOpenID) {
		o.Scopes = append([]string{oidc.ScopeOpenID}, o.Scopes...)
	}
	o.GroupsClaim, o.NameClaim = cmp.Or(o.GroupsClaim, "groups"), cmp.Or(o.NameClaim, "email")
	if len(o.Secret) == 0 {
		o.Secret = newSealSecret()
	}
	s, err := newSeal(o.Secret, "sign-on cookie")
	return &SignOn{o: o, provider: newProvider(o.Issuer, cmp.Or(o.Timeout, 10*time.Second), now), seal: s, now: now}, err
}

// A pending sign-on is what a browser carries while it is with the provider.
type pending struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"` // page to go to then
	Until    time.Time `json:"until"`
}

// Errors of signing on, for people. What is behind them is wrapped.
var (
	ErrProvider = errors.New("the identity provider can't be asked now; try again, or sign in with a token")
	ErrStale    = errors.New("this sign-on was not begun in this browser, or it took too long; try again")
	ErrDenied   = errors.New("the identity provider did not let you in")
	ErrForged   = errors.New("what the identity provider answered does not fit; try again, and tell an admin if it stays so")
	ErrNoRole   = errors.New("none of your groups has a role here; an admin can give it one in the config")
)

// A Refusal is an error for people, and what is behind it for the audit.
type Refusal struct {
	Err    error  // one of those above
	Actor  string // who it was, if that is known
	Detail string // of one line, without secrets
}

// Error says what people should know.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the error for people.
func (r *Refusal) Unwrap() error { return r.Err }

func refusal(err error, format string, args ...any) *Refusal {
	return &Refusal{Err: err, Detail: brief(fmt.Sprintf(format, args...))}
}

// brief makes a text of others fit for a line of the log.
func brief(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// Begin returns the URL of the provider to send a browser to, and what the
// browser is to carry meanwhile, sealed.
func (s *SignOn) Begin(ctx context.Context, next string) (to, sealed string, err error) {
	p, err := s.provider.get(ctx)
	if err != nil {
		return "", "", refusal(ErrProvider, "discovery: %v", err)
	}
	going := pending{State: newSecret(), Nonce: newSecret(), Verifier: oauth2.GenerateVerifier(), Next: next, Until: s.now().Add(signOnTime)}
	if sealed, err = s.seal.close(going); err != nil {
		return "", "", refusal(ErrProvider, "%v", err)
	}
	return s.config(p).AuthCodeURL(going.State, oidc.Nonce(going.Nonce), oauth2.S256ChallengeOption(going.Verifier)), sealed, nil
}

func (s *SignOn) config(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: s.o.ClientID, ClientSecret: s.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: s.o.Redirect, Scopes: s.o.Scopes}
}

// A person is whom the provider says that somebody is.
type person struct {
	name   string
	groups []string
}

// finish takes what the provider answered by way of the browser, and what the
// browser carried. It returns who they are and which page they were going to.
func (s *SignOn) finish(ctx context.Context, answer url.Values, sealed string) (who person, next string, err error) {
	var going pending
	if err := s.seal.open(sealed, &going); err != nil {
		return who, "", refusal(ErrStale, "the cookie: %v", err)
	}
	next = going.Next
	switch state := answer.Get("state"); {
	case !s.now().Before(going.Until):
		return who, next, refusal(ErrStale, "begun more than %v ago", signOnTime)
	case subtle.ConstantTimeCompare([]byte(state), []byte(going.State)) != 1:
		return who, next, refusal(ErrStale, "the state is another")
	}
	if iss := answer.Get("iss"); iss != "" && iss != s.o.Issuer { // RFC 9207
		return who, next, refusal(ErrForged, "the answer is of the issuer %s", iss)
	}
	if code := answer.Get("error"); code != "" {
		return who, next, refusal(ErrDenied, "%s: %s", code, answer.Get("error_description"))
	}
	who, err = s.redeem(ctx, answer.Get("code"), going)
	return who, next, err
}

// redeem exchanges the code for an ID token, and believes it if it is signed
// by the provider, for us, for this sign-on and for now.
func (s *SignOn) redeem(ctx context.Context, code string, going pending) (who person, err error) {
	if code == "" {
		return who, refusal(ErrForged, "there is no code")
	}
	p, err := s.provider.get(ctx)
	if err != nil {
		return who, refusal(ErrProvider, "discovery: %v", err)
	}
	ctx, cancel := s.provider.context(ctx)
	defer cancel()
	token, err := s.config(p).Exchange(ctx, code, oauth2.VerifierOption(going.Verifier))
	var answered *oauth2.RetrieveError
	switch {
	case errors.As(err, &answered): // its text has the whole answer
		return who, refusal(ErrForged, "the code was not taken: %s %s", answered.Response.Status, answered.ErrorCode)
	case err != nil:
		return who, refusal(ErrProvider, "exchanging the code: %v", err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return who, refusal(ErrForged, "there is no ID token in the answer")
	}
	id, err := p.Verifier(&oidc.Config{ClientID: s.o.ClientID, Now: s.now}).Verify(ctx, raw)
	switch {
	case err != nil:
		return who, refusal(ErrForged, "the ID token: %v", err)
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(going.Nonce)) != 1:
		return who, refusal(ErrForged, "the ID token is for another sign-on: its nonce is another")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return who, refusal(ErrForged, "the ID token belongs to another access token")
	}
	claims, err := s.claims(ctx, p, id, token)
	if err != nil {
		return who, err
	}
	return s.person(claims)
}

// claims returns what the ID token says, and the groups of the provider's
// userinfo where it does not say them.
func (s *SignOn) claims(ctx context.Context, p *oidc.Provider, id *oidc.IDToken, token *oauth2.Token) (map[string]json.RawMessage, error) {
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return nil, refusal(ErrForged, "the ID token: %v", err)
	}
	// A token for several must say for whom it was issued (OpenID Connect Core, 3.1.3.7).
	if azp := text(claims["azp"]); azp != "" && azp != s.o.ClientID || azp == "" && len(id.Audience) > 1 {
		return nil, refusal(ErrForged, "the ID token was issued for %q", azp)
	}
	if id.Subject == "" {
		return nil, refusal(ErrForged, "the ID token names nobody")
	}
	if claims[s.o.GroupsClaim] != nil || p.UserInfoEndpoint() == "" {
		return claims, nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, refusal(ErrProvider, "userinfo: %v", err)
	}
	var more map[string]json.RawMessage
	if err := info.Claims(&more); err != nil || info.Subject != id.Subject {
		return nil, refusal(ErrForged, "userinfo is of %q, and the ID token of %q", info.Subject, id.Subject)
	}
	claims[s.o.GroupsClaim] = more[s.o.GroupsClaim]
	return claims, nil
}

// person makes of claims what we keep.
func (s *SignOn) person(claims map[string]json.RawMessage) (person, error) {
	who := person{name: brief(text(claims[s.o.NameClaim]))}
	if s.o.NameClaim == "email" && strings.Contains(string(claims["email_verified"]), "false") {
		who.name = "" // anybody can claim an address that nobody has verified
	}
	if who.name == "" || who.name == "ficus" {
		who.name = brief(text(claims["sub"]))
	}
	if raw := claims[s.o.GroupsClaim]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &who.groups); err != nil {
			who.groups = []string{text(raw)} // some providers give a single one as a text
		}
	}
	who.groups = slices.DeleteFunc(who.groups, func(g string) bool { return g == "" || g == everybody || len(g) > 200 })
	slices.Sort(who.groups)
	who.groups = slices.Compact(who.groups)
	if n := len(who.groups); n > maxSignOnGroups {
		r := refusal(ErrNoRole, "%d groups, which are more than %d; let the provider send those that matter here", n, maxSignOnGroups)
		r.Actor = who.name
		return who, r
	}
	if s.role(who.groups) == "" {
		r := refusal(ErrNoRole, "groups: %s", strings.Join(who.groups, ", "))
		r.Actor = who.name
		return who, r
	}
	return who, nil
}

func text(raw json.RawMessage) (out string) {
	_ = json.Unmarshal(raw, &out) // another type is no text
	return out
}

// role returns the most that one of the groups may do.
func (s *SignOn) role(groups []string) (most Role) {
	for _, role := range Roles {
		for _, g := range s.o.Roles[role] {
			if g == everybody || slices.Contains(groups, g) {
				most = role
			}
		}
	}
	return most
}

func (s *SignOn) session(who person) session {
	return session{Issuer: s.o.Issuer, Actor: who.name, Groups: who.groups}
}

func (s *SignOn) identity(of session) Identity {
	return Identity{Actor: of.Actor, Role: s.role(of.Groups), Groups: of.Groups, Via: BySignOn}
}
