package redislog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// hasty are options of a log that gives up soon.
func hasty() Options {
	o := still()
	o.Timeout, o.Patience = time.Second, -1
	return o
}

func tryAppend(t *testing.T, l *Log) error {
	t.Helper()
	_, err := l.Append(t.Context(), migrations.Unconditional, live("orders", 1))
	return err
}

func TestKilledConnectionsAreReplacedWithoutAWord(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	mustAppend(t, l, created("orders"))
	f := follow(t.Context(), l, 1)
	for i := range 5 {
		time.Sleep(20 * time.Millisecond)
		s.do(t, "CLIENT", "KILL", "TYPE", "normal")
		seq := mustAppend(t, l, live("orders", i))
		wantNext(t, f, seq)
	}
}

func TestSlowRedisIsNamedAndWaitedFor(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), hasty())
	mustAppend(t, l, created("orders"))
	f := follow(t.Context(), l, 1)
	time.Sleep(50 * time.Millisecond)
	s.do(t, "CLIENT", "PAUSE", 6000, "ALL")
	text := wantTrouble(t, tryAppend(t, l), Slow)
	if !strings.Contains(text, "does not answer in time") {
		t.Error(text)
	}
	if r := next(t, f); TroubleOf(r.err) != Slow {
		t.Errorf("a follower got %+v", r)
	}
	patient := open(t, s.url(), Options{Patience: 20 * time.Second})
	if err := tryAppend(t, patient); err != nil {
		t.Errorf("append with patience: %v", err)
	}
	events, err := migrations.History(t.Context(), l, migrations.Filter{}, 0)
	if err != nil || len(events) > 3 {
		t.Errorf("%d events after two appends in trouble (%v)", len(events), err)
	}
}

func TestFullRedisIsNamedAndReadable(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), still())
	mustAppend(t, l, created("orders"))
	s.do(t, "CONFIG", "SET", "maxmemory", "1kb")
	began := time.Now()
	text := wantTrouble(t, tryAppend(t, l), Full)
	if !strings.Contains(text, "out of memory: free some, or raise maxmemory") || time.Since(began) > time.Second {
		t.Errorf("after %s: %s", time.Since(began), text)
	}
	wantHead(t, l, 1)
	if latest(t, l).Seq != 1 {
		t.Error("cannot be read")
	}
	s.do(t, "CONFIG", "SET", "maxmemory", "0")
	if err := tryAppend(t, l); err != nil {
		t.Error(err)
	}
	wantHead(t, l, 2)
}

func TestReplicaIsReadAndNotWritten(t *testing.T) {
	s := newServer(t)
	l := open(t, s.url(), hasty())
	mustAppend(t, l, created("orders"))
	replica := newServer(t, "--replicaof", "127.0.0.1", s.port)
	r := open(t, replica.url(), hasty())
	for range 100 {
		if n, err := r.Head(t.Context()); err == nil && n == 1 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	text := wantTrouble(t, tryAppend(t, r), ReadOnly)
	if !strings.Contains(text, "point the state at the master") {
		t.Error(text)
	}
	f := follow(t.Context(), r, 0)
	wantNext(t, f, 1)
	mustAppend(t, l, live("orders", 1))
	wantNext(t, f, 2)
	replica.do(t, "REPLICAOF", "NO", "ONE") // it becomes the master
	if err := tryAppend(t, r); err != nil {
		t.Error(err)
	}
	wantNext(t, f, 3)
}

func TestGatewayOpensAndWaitsWhileRedisIsDown(t *testing.T) {
	s := newServer(t, "--appendonly", "yes")
	mustAppend(t, open(t, s.url(), still()), created("orders"))
	s.kill()
	said := new(journal)
	o := said.options()
	o.Patience = 10 * time.Second
	l := open(t, s.url(), o)
	if !strings.Contains(said.String(), "trouble=down") {
		t.Errorf("it was not said aloud: %s", said)
	}
	_, err := l.Head(t.Context())
	wantTrouble(t, err, Down)
	wantTrouble(t, next(t, follow(t.Context(), l, 0)).err, Down)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := l.Append(ctx, migrations.Unconditional, live("orders", 1)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUncertain) {
		t.Errorf("append without Redis: %v", err)
	}
	s.start(t)
	if err := tryAppend(t, l); err != nil {
		t.Error(err)
	}
	wantHead(t, l, 2)
}

func TestCloseEndsWhatWaitsForRedis(t *testing.T) {
	s := newServer(t)
	o := still()
	o.Patience = time.Minute
	l := open(t, s.url(), o)
	mustAppend(t, l, created("orders"))
	s.kill()
	failed := make(chan error)
	go func() {
		_, err := l.Append(context.Background(), migrations.Unconditional, live("orders", 1))
		failed <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-failed:
		if !errors.Is(err, migrations.ErrClosed) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the append still waits")
	}
}

const password = "correct horse battery staple"

// The password is nowhere but in the connection.
func TestPasswordIsKeptSecret(t *testing.T) {
	s := newServer(t, "--requirepass", password)
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(password)
	t.Setenv("FICUS_TEST_PASSWORD", password)
	said := new(journal)
	for name, o := range map[string]Options{"file": {PasswordFile: file}, "env": {PasswordEnv: "FICUS_TEST_PASSWORD"}} {
		o.Logger, o.Patience = said.options().Logger, -1
		l := open(t, s.url()+"?installation="+name, o)
		mustAppend(t, l, created("orders"))
		if text := l.String(); text != "redis://127.0.0.1:"+s.port+"?installation="+name {
			t.Error(text)
		}
	}
	wantSecret := func(text string) {
		t.Helper()
		if strings.Contains(text, password) || strings.Contains(text, "battery") {
			t.Errorf("the password is in: %s", text)
		}
	}
	wantRefused := func(o Options, url string) {
		t.Helper()
		o.Logger = said.options().Logger
		l, err := Open(t.Context(), url, o)
		if err == nil {
			l.Close()
			t.Errorf("opened with %+v", o)
			return
		}
		wantSecret(err.Error())
	}
	wantRefused(Options{}, s.url())
	wantRefused(Options{PasswordEnv: "FICUS_TEST_NO_PASSWORD"}, s.url())
	wantRefused(Options{PasswordEnv: "FICUS_TEST_PASSWORD", PasswordFile: file}, s.url())
	wantRefused(Options{PasswordFile: file + ".missing"}, s.url())
	wantRefused(Options{PasswordFile: file}, "redis://nobody@127.0.0.1:"+s.port)
	wantRefused(Options{}, "redis://:"+strings.ReplaceAll(password, " ", "%20")+"@127.0.0.1:"+s.port)
	wantRefused(Options{}, "redis://:"+password+"@127.0.0.1:"+s.port)
	write("wrong " + password)
	wantRefused(Options{PasswordFile: file}, s.url())
	_, err := Open(t.Context(), s.url(), Options{PasswordFile: file})
	wantTrouble(t, err, Denied)
	wantSecret(said.String())
}

func TestPasswordIsReadAgainForEachConnection(t *testing.T) {
	s := newServer(t, "--requirepass", "first")
	file := filepath.Join(t.TempDir(), "password")
	os.WriteFile(file, []byte("first"), 0o600)
	o := still()
	o.PasswordFile = file
	l := open(t, s.url(), o)
	mustAppend(t, l, created("orders"))
	os.WriteFile(file, []byte("second"), 0o600)
	l.client.get().Do(t.Context(), "CONFIG", "SET", "requirepass", "second")
	l.client.get().Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
	wantNext(t, follow(t.Context(), l, 0), 1)
	if err := tryAppend(t, l); err != nil {
		t.Error(err)
	}
}

func TestMissingRightsAreNamed(t *testing.T) {
	s := newServer(t)
	s.do(t, "ACL", "SETUSER", "reader", "on", ">secret", "~ficus:*", "+@read", "+@connection", "+eval", "+evalsha", "+time")
	mustAppend(t, open(t, s.url(), still()), created("orders"))
	t.Setenv("FICUS_TEST_PASSWORD", "secret")
	o := still()
	o.PasswordEnv = "FICUS_TEST_PASSWORD"
	l := open(t, strings.Replace(s.url(), "://", "://reader@", 1), o)
	wantHead(t, l, 1)
	wantTrouble(t, tryAppend(t, l), Denied)
}
