package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A clock that tests turn.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T, o Options) *Door {
	t.Helper()
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func signIn(t *testing.T, d *Door, token Token, name string) string {
	t.Helper()
	id, _, err := d.SignIn(Attempt{Token: token.Reveal(), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSessionsEndWhenIdleAndInAnyCase(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	shared := NewToken()
	d := open(t, Options{Shared: shared, Idle: time.Hour, Lifetime: 5 * time.Hour, Now: c.now})
	idle, used, watched := signIn(t, d, shared, "a"), signIn(t, d, shared, "b"), signIn(t, d, shared, "c")
	for range 4 {
		c.at = c.at.Add(59 * time.Minute)
		if who, ok := d.Session(used, true); !ok || who.Actor != "b" || who.Role != Admin || who.Via != BySession {
			t.Fatalf("%+v, %v", who, ok)
		}
		d.Session(watched, false)
	}
	for _, id := range []string{idle, watched, "", "x"} {
		if _, ok := d.Session(id, true); ok {
			t.Errorf("session %q is open after 4 hours", id)
		}
	}
	c.at = c.at.Add(59 * time.Minute)
	d.Session(used, true)
	c.at = c.at.Add(6 * time.Minute)
	if _, ok := d.Session(used, true); ok {
		t.Error("a session outlives its lifetime")
	}
}

func TestSessionsOutliveTheProcessAndTheirFileOpensNothing(t *testing.T) {
	dir, shared := t.TempDir(), NewToken()
	d := open(t, Options{Shared: shared, Dir: dir})
	kept, ended := signIn(t, d, shared, "ada"), signIn(t, d, shared, "bob")
	d.SignOut(ended)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, SessionsFile)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), kept) || !strings.Contains(string(text), `"ada"`) {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	again := open(t, Options{Shared: shared, Dir: dir})
	if who, ok := again.Session(kept, true); !ok || who.Actor != "ada" {
		t.Errorf("%+v, %v", who, ok)
	}
	if _, ok := again.Session(ended, true); ok {
		t.Error("a session that was ended is open again")
	}
	for _, h := range strings.Fields(strings.NewReplacer(`"`, " ").Replace(string(text))) {
		if _, ok := again.Session(h, true); ok {
			t.Errorf("%s opens a session", h)
		}
	}
	// With another ficus.token the sessions of the old one are over.
	other := open(t, Options{Shared: NewToken(), Dir: dir})
	if _, ok := other.Session(kept, true); ok {
		t.Error("a session outlives the token that it was opened with")
	}
	// A file that is damaged costs a login, not the gateway.
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := open(t, Options{Shared: shared, Dir: dir})
	if _, ok := damaged.Session(kept, true); ok {
		t.Error("a session of nowhere")
	}
	signIn(t, damaged, shared, "ada")
}

func TestSessionsAreBounded(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	s := sessions{idle: time.Hour, lifetime: 2 * time.Hour, now: c.now, open: map[hash]session{}}
	first := s.put(session{Actor: "first"})
	c.at = c.at.Add(time.Second)
	second := s.put(session{Actor: "second"})
	c.at = c.at.Add(time.Second)
	for i := range maxSessions {
		s.put(session{Actor: fmt.Sprint(i)})
	}
	for _, id := range []string{first, second} {
		if _, ok := s.get(id, true); ok {
			t.Error("the oldest made no room")
		}
	}
	if len(s.open) != maxSessions {
		t.Errorf("%d are open", len(s.open))
	}
}

func TestARevokedOrExpiredTokenTakesItsSessionsAlong(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	d := open(t, Options{Now: c.now})
	short, lasting := issue(t, d, Order{Name: "a", Role: Viewer, Expires: c.at.Add(time.Hour)}), issue(t, d, Order{Name: "b", Role: Viewer})
	a, b := signIn(t, d, short, "x"), signIn(t, d, lasting, "x")
	if who, ok := d.Session(a, true); !ok || who.Actor != "a" {
		t.Errorf("%+v: a name is claimed where the token has one", who)
	}
	c.at = c.at.Add(time.Hour)
	if _, ok := d.Bearer(short.Reveal()); ok {
		t.Error("an expired token opens")
	}
	if _, ok := d.Session(a, true); ok {
		t.Error("an expired token's session is open")
	}
	if _, _, err := d.Issue(t.Context(), Order{Name: "a", Role: Viewer}); err != nil {
		t.Errorf("the name of an expired token is taken: %v", err)
	}
	if _, _, err := d.Issue(t.Context(), Order{Name: "b", Role: Viewer}); !errors.Is(err, ErrTaken) {
		t.Errorf("the name of a token can be had twice: %v", err)
	}
	if _, err := d.Revoke(t.Context(), d.Tokens()[1].ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Session(b, true); ok {
		t.Error("a revoked token's session is open")
	}
}

func TestTokensOutliveTheProcessAndTheirFileOpensNothing(t *testing.T) {
	dir := t.TempDir()
	d := open(t, Options{Dir: dir})
	token := issue(t, d, Order{Name: "ci", Role: Operator, Groups: []string{"team"}, By: "ada"})
	d.Bearer(token.Reveal())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, TokensFile)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "ficus_") {
		t.Errorf("%v: %s", err, text)
	}
	again := open(t, Options{Dir: dir})
	who, ok := again.Bearer(token.Reveal())
	if !ok || who.Actor != "ci" || who.Role != Operator || who.Groups[0] != "team" || again.Tokens()[0].Used.IsZero() {
		t.Errorf("%+v, %+v", who, again.Tokens())
	}
	for _, h := range strings.Fields(strings.NewReplacer(`"`, " ").Replace(string(text))) {
		if _, ok := again.Bearer(h); ok {
			t.Errorf("%s opens", h)
		}
	}
	// What is wrong with the file is said at the start: to go on without it would lock people out.
	for text, want := range map[string]string{"{": "restore it from a backup", `{"tokens": [{"id": "x", "role": "king"}]}`: "no role"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
}

// A token is worth something only when it is on disk, and what could not be
// revoked on disk is not said to be.
func TestATokenThatCanNotBeKeptIsNotMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d := open(t, Options{Dir: dir})
	kept := issue(t, d, Order{Name: "kept", Role: Viewer})
	if err := os.RemoveAll(dir); err != nil { // the disk is gone
		t.Fatal(err)
	}
	if token, _, err := d.Issue(t.Context(), Order{Name: "ci", Role: Viewer}); err == nil || !token.IsZero() || len(d.Tokens()) != 1 {
		t.Errorf("%v, %v", err, d.Tokens())
	}
	if _, err := d.Revoke(t.Context(), d.Tokens()[0].ID); err == nil {
		t.Error("it is said to be revoked")
	}
	if _, ok := d.Bearer(kept.Reveal()); !ok {
		t.Error("it is half revoked")
	}
}

func TestTheAuditIsCappedAndReadAgain(t *testing.T) {
	dir := t.TempDir()
	d := open(t, Options{Dir: dir})
	for i := range 2 * ringSize {
		d.Note(Entry{What: SignedIn, Actor: fmt.Sprint("a", i), Path: "/x/ficus_0123456789abcdef0123456789abcdef0123456789a"})
	}
	d.audit.size = fileSize + 1
	d.Note(Entry{What: SignedOut, Actor: "last"})
	entries, more := d.Audit(AuditFilter{Limit: 2 * ringSize})
	if len(entries) != ringSize || more || entries[0].Actor != "last" || entries[0].Seq != 2*ringSize+1 || entries[1].Path != "/x/ficus_…" {
		t.Errorf("%d, %v, %+v", len(entries), more, entries[:2])
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string]int{AuditFile: 1, AuditFile + ".1": 2 * ringSize} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if info, _ := os.Stat(filepath.Join(dir, name)); err != nil || strings.Count(string(text), "\n") != lines || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v, %d lines", name, err, info, strings.Count(string(text), "\n"))
		}
	}
	again := open(t, Options{Dir: dir})
	again.Note(Entry{What: SignedIn, Actor: "next"})
	entries, _ = again.Audit(AuditFilter{})
	if len(entries) != 2 || entries[0].Seq != entries[1].Seq+1 || entries[1].Actor != "last" {
		t.Errorf("%+v", entries)
	}
}

func TestOneAddressDoesNotUseUpTheTriesOfAnother(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	a := attempts{now: c.now}
	for i := range 20 {
		if ok := a.allow(fmt.Sprintf("192.0.2.1:%d", i)); ok != (i < burst) {
			t.Errorf("try %d: %v", i, ok)
		}
		if ok := a.allow(fmt.Sprintf("[2001:db8::%d]:1", i)); ok != (i < burst) {
			t.Errorf("try %d of a network: %v", i, ok)
		}
	}
	if !a.allow("192.0.2.2:1") || !a.allow("[2001:db8:0:1::]:1") || !a.allow("@") {
		t.Error("another address is refused")
	}
	for i := range 3 * maxAddresses {
		a.allow(fmt.Sprintf("10.%d.%d.1:1", i/256, i%256))
	}
	if len(a.from) > maxAddresses || a.allow("192.0.2.1:1") {
		t.Errorf("%d addresses are kept", len(a.from))
	}
	c.at = c.at.Add(time.Minute)
	if !a.allow("192.0.2.1:1") || !a.allow("203.0.113.1:1") {
		t.Error("nothing is forgotten")
	}
}
