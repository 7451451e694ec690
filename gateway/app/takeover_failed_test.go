package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// TestAFailedTakeoverLeavesTheOldOneServing lets successors fail in every way
// that is known, under load: the old process serves on, and no request and no
// shift fails.
func TestAFailedTakeoverLeavesTheOldOneServing(t *testing.T) {
	y := newYard(t, serve(t, live()))
	real, err := exec.LookPath("ficus")
	if err != nil {
		t.Fatal(err)
	}
	y.program = filepath.Join(y.dir, "ficus") // a link to the present release
	if err := os.Symlink(real, y.program); err != nil {
		t.Fatal(err)
	}
	y.env = append(y.env, "PATH="+y.dir+":"+os.Getenv("PATH")) // where it looks for itself
	old := y.run()
	var c throng
	c.ask(t, y)
	c.shift(t, y)
	defer c.disperse()
	good, err := os.ReadFile(filepath.Join(y.dir, "ficus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(y.dir, "ficus.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	program := func(to string) {
		t.Helper()
		if err := errors.Join(os.Remove(y.program), os.Symlink(to, y.program)); err != nil {
			t.Fatal(err)
		}
	}
	// runs has a process fail to take over, and checks how it ends and what is said.
	runs := func(code int, said string) {
		t.Helper()
		s := y.begin("run", "--takeover")
		if got := s.end(); got != code || !strings.Contains(y.said(s.from), said) {
			t.Errorf("exit code %d, want %d; looking for %q in\n%s", got, code, said, y.said(s.from))
		}
	}
	// upgrades has ficus upgrade fail, and checks how it ends and what is said.
	upgrades := func(code int, said string) {
		t.Helper()
		if out, got := y.ask("upgrade", "--socket", takeoverFile); got != code || !strings.Contains(out, said) {
			t.Errorf("ficus upgrade: exit code %d, want %d: %s", got, code, out)
		}
	}
	serves := func(what string) {
		t.Helper()
		before, asked := c.shifted.Load(), c.asked.Load()
		eventually(t, what+": the old one serves on", func() bool {
			return t.Failed() || c.shifted.Load() > before+3 && c.asked.Load() > asked+100
		})
		if t.Failed() || old.ended() {
			t.Fatalf("after %s; the old one has ended: %v\n%s", what, old.ended(), y.said(0))
		}
	}

	config(string(good) + "routes:\n")
	runs(exitUsage, "ficus.yaml:")
	upgrades(exitFailed, "its config or command line is wrong; try: ficus check")
	config(string(good))
	serves("a config that is wrong")

	config(strings.Replace(string(good), "listen:\n", "listen:\n  - "+taken.Addr().String()+"\n", 1))
	runs(exitFailed, taken.Addr().String())
	config(strings.ReplaceAll(string(good), "shop.pem", "none.pem"))
	runs(exitFailed, "none.pem")
	config(strings.ReplaceAll(string(good), "  a: {from: monolith", "  other: {from: monolith"))
	runs(exitUsage, "ficus.yaml:")
	config(string(good))
	serves("listeners, certificates and routes that can't be")

	program(filepath.Join(y.dir, "ficus.yaml"))
	upgrades(exitFailed, "start the new process")
	program("/bin/false")
	upgrades(exitFailed, "has ended (exit status 1) instead of taking over")
	from := len(y.said(0))
	old.signal(syscall.SIGUSR2)
	y.says(from, `"msg":"not upgraded; this process serves on"`)
	program(real)
	serves("programs that don't run")

	for n := range full(50, 3) {
		u := y.usurper()
		time.Sleep(time.Duration(n%5) * 20 * time.Millisecond)
		u.signal(syscall.SIGKILL)
		y.says(u.from, `"msg":"not taken over; this process serves on".*"its_version":"usurper"`)
		serves("a successor that was killed with the log in its hands")
	}

	old2 := old
	old = y.upgrade()
	if code := old2.end(); code != exitOK {
		t.Errorf("the old one ended with exit code %d", code)
	}
	serves("a takeover")
	c.disperse()
	cl := y.client()
	defer cl.Close()
	compareWithLog(t, cl, c.shifts)
}

// usurper starts a process that takes everything and does not serve.
func (r *relay) usurper() *turn {
	r.t.Helper()
	program := r.program
	r.program = "usurper"
	u := r.begin()
	r.program = program
	r.says(u.from, "usurper: it is mine")
	return u
}

// TestASuccessorThatHangsIsGivenUp while it holds the log. Then nothing can be
// changed until it is gone, but all is served, and the log is taken back.
func TestASuccessorThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
upstreams: {monolith: "%[1]s", service: "%[1]s"}
migrations: {a: {from: monolith, to: service, key: url}}
routes: [{path: /a, migration: a}, {path: /*, upstream: monolith}]
`, named(t, "monolith"))))
	r.run()
	cl := r.client()
	defer cl.Close()
	m, err := cl.Migration(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	shift := func() error {
		_, err := cl.Shift(t.Context(), "a", []migrations.Share{{Stage: migrations.Live, Buckets: 7}}, "go", m.Seq)
		return err
	}
	u := r.usurper()
	began := time.Now()
	if err := shift(); err == nil || !strings.Contains(err.Error(), "could not be taken back") {
		t.Errorf("while another process holds the log: %v", err)
	}
	if took := time.Since(began); took < 9*time.Second {
		t.Errorf("the successor had only %v", took)
	}
	r.says(u.from, "it does not serve after 10s")
	if text := fetch("http://" + r.listen + "/a"); !strings.Contains(text, "monolith GET /a") {
		t.Errorf("a request: %s", text)
	}
	u.signal(syscall.SIGKILL)
	r.says(u.from, "the event log was taken back")
	if err := shift(); err != nil {
		t.Error(err)
	}
	r.upgrade()
}
