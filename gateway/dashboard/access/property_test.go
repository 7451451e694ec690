package access

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A model is what a door should know, told in the plainest way.
type model struct {
	tokens   map[string]modelToken   // by id
	sessions map[string]modelSession // by cookie
}

type modelToken struct {
	token   Token
	name    string
	role    Role
	expires time.Time
}

type modelSession struct {
	token        string // id
	opened, seen time.Time
}

const (
	modelIdle = 2 * time.Hour
	modelLife = 5 * time.Hour
)

func (m *model) role(id string, now time.Time) Role {
	t, ok := m.tokens[id]
	if !ok || !t.expires.IsZero() && !now.Before(t.expires) {
		return ""
	}
	return t.role
}

func (m *model) session(cookie string, now time.Time) Role {
	s, ok := m.sessions[cookie]
	if !ok || now.Sub(s.seen) >= modelIdle || now.Sub(s.opened) >= modelLife {
		return ""
	}
	return m.role(s.token, now)
}

// Whatever is issued, revoked, opened, ended, forgotten and restarted in
// whatever order: a door lets in exactly whom it should, as what it should.
func TestADoorLetsInExactlyWhomItShould(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &clock{time.Unix(1_000_000, 0)}
		options := Options{Dir: t.TempDir(), Idle: modelIdle, Lifetime: modelLife, Now: c.now}
		d, err := Open(options)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		m := &model{map[string]modelToken{}, map[string]modelSession{}}
		names := 0
		someToken := func(rt *rapid.T) string {
			if len(m.tokens) == 0 {
				rt.Skip("no token")
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(m.tokens))).Draw(rt, "token")
		}
		someSession := func(rt *rapid.T) string {
			if len(m.sessions) == 0 {
				rt.Skip("no session")
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(m.sessions))).Draw(rt, "session")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"issue": func(rt *rapid.T) {
				if len(m.tokens) >= 4 { // each is a file on disk
					rt.Skip("enough tokens")
				}
				names++
				o := Order{Name: fmt.Sprint("n", names), Role: rapid.SampledFrom(Roles).Draw(rt, "role")}
				if h := rapid.IntRange(0, 8).Draw(rt, "hours"); h > 0 {
					o.Expires = c.at.Add(time.Duration(h) * time.Hour)
				}
				token, made, err := d.Issue(t.Context(), o)
				if err != nil {
					rt.Fatal(err)
				}
				m.tokens[made.ID] = modelToken{token, o.Name, o.Role, o.Expires}
			},
			"revoke": func(rt *rapid.T) {
				id := someToken(rt)
				if _, err := d.Revoke(t.Context(), id); err != nil {
					rt.Fatal(err)
				}
				delete(m.tokens, id)
			},
			"sign in": func(rt *rapid.T) {
				id := someToken(rt)
				before := ""
				if len(m.sessions) > 0 && rapid.Bool().Draw(rt, "again") {
					before = someSession(rt)
				}
				cookie, _, err := d.SignIn(Attempt{Token: m.tokens[id].token.Reveal(), Before: before, From: fmt.Sprint("10.0.0.", names%200)})
				switch {
				case err == ErrTooMany:
				case (err == nil) != (m.role(id, c.at) != "" && m.role(id, c.at) != Reporter): // which is a program's
					rt.Fatalf("signing in: %v", err)
				case err == nil:
					delete(m.sessions, before)
					m.sessions[cookie] = modelSession{id, c.at, c.at}
				}
			},
			"sign out": func(rt *rapid.T) {
				cookie := someSession(rt)
				d.SignOut(cookie)
				delete(m.sessions, cookie)
			},
			"act": func(rt *rapid.T) {
				cookie := someSession(rt)
				want := m.session(cookie, c.at)
				if who, ok := d.Session(cookie, true); who.Role != want || ok != (want != "") {
					rt.Fatalf("%+v, %v, want %q", who, ok, want)
				}
				if s := m.sessions[cookie]; want != "" && c.at.Sub(s.seen) >= time.Minute {
					s.seen = c.at
					m.sessions[cookie] = s
				}
			},
			"wait": func(rt *rapid.T) {
				c.at = c.at.Add(time.Duration(rapid.IntRange(1, 150).Draw(rt, "minutes")) * time.Minute)
			},
			"restart": func(rt *rapid.T) {
				if err := d.Close(); err != nil {
					rt.Fatal(err)
				}
				if d, err = Open(options); err != nil {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) {
				for id, mt := range m.tokens {
					want := m.role(id, c.at)
					if who, ok := d.Bearer(mt.token.Reveal()); who.Role != want || ok != (want != "") || ok && who.Actor != mt.name {
						rt.Fatalf("token %s: %+v, %v, want %q", mt.name, who, ok, want)
					}
				}
				for cookie := range m.sessions {
					want := m.session(cookie, c.at)
					if who, ok := d.Session(cookie, false); who.Role != want || ok != (want != "") {
						rt.Fatalf("session: %+v, %v, want %q", who, ok, want)
					}
				}
			},
		})
	})
}
