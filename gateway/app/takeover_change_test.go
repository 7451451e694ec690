package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// rewrite writes the config anew.
func (r *relay) rewrite(config string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "ficus.yaml"), []byte(strings.ReplaceAll(config, "$DIR", r.dir)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// TestATakeoverBringsAnotherConfig: listeners that are new are opened, those
// that are gone close with the old process, and what both have goes over.
func TestATakeoverBringsAnotherConfig(t *testing.T) {
	t.Parallel()
	var free [3]string
	for i := range free {
		var err error
		if free[i], err = freePort(); err != nil {
			t.Fatal(err)
		}
	}
	const config = `
listen: ["$LISTEN", "%s", "unix:$DIR/%s.sock"]
ofrep: {listen: "%s", open: true}
admin: {address: none, socket: $DIR/ficus.sock}
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`
	monolith := named(t, "monolith")
	r := newRelay(install(t, fmt.Sprintf(config, free[0], "old", free[2], monolith)))
	old := r.run()
	evaluates := func() string {
		return fetch("http://" + free[2] + "/ofrep/v1/none")
	}
	before := evaluates()
	if !strings.Contains(before, "nothing is served here; ask /ofrep/v1/evaluate/flags") {
		t.Fatalf("OFREP: %s", before)
	}
	r.rewrite(strings.ReplaceAll(fmt.Sprintf(config, free[1], "new", free[2], monolith), "$LISTEN", r.listen))
	next := r.run("--takeover")
	if code := old.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, r.said(0))
	}
	for address, want := range map[string]string{r.listen: "200 OK", free[0]: "connection refused", free[1]: "200 OK"} {
		if text := fetch("http://" + address); !strings.Contains(text, want) {
			t.Errorf("%s answers %s, want %s", address, text, want)
		}
	}
	if after := evaluates(); after != before {
		t.Errorf("OFREP answers %s, before %s", after, before)
	}
	for name, want := range map[string]bool{"old.sock": false, "new.sock": true, "ficus.sock": true} {
		if _, err := os.Lstat(filepath.Join(r.dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	next.signal(syscall.SIGTERM)
	if code := next.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, r.said(0))
	}
}

// TestTakeoverWithoutAnybodyIsAStart, also after the last process was killed,
// and a start beside a running gateway is refused.
func TestTakeoverWithoutAnybodyIsAStart(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, fmt.Sprintf(`
listen: $LISTEN
admin: none
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, named(t, "monolith"))))
	if out, code := r.ask("upgrade"); code != exitUnreachable || !strings.Contains(out, "no gateway runs") {
		t.Errorf("ficus upgrade: exit code %d: %s", code, out)
	}
	for range 2 {
		s := r.run("--takeover")
		r.says(s.from, "there is nobody to take over from; starting as usual")
		if beside := r.begin("run"); beside.end() != exitFailed || !strings.Contains(r.said(beside.from), "take it over with ficus run --takeover") {
			t.Errorf("a second one: %s", r.said(beside.from))
		}
		s.signal(syscall.SIGKILL)
		s.end()
	}
}

// TestTakeoversWithTheLogInRedis, under load and shifts.
func TestTakeoversWithTheLogInRedis(t *testing.T) {
	t.Parallel()
	redis := newRedis(t, durable...)
	y := newYard(t, serve(t, live()))
	text, err := os.ReadFile(filepath.Join(y.dir, "ficus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	y.rewrite(string(text) + fmt.Sprintf("state: {url: %q, checkpoint: $DIR/ficus.checkpoint}\n", redis.url()))
	now := y.run()
	var c throng
	c.ask(t, y)
	c.shift(t, y)
	defer c.disperse()
	for n := range full(20, 3) {
		old, from := now, len(y.said(0))
		if now = y.upgrade(); n == 1 {
			y.says(from, takenOver)
		}
		time.Sleep(300 * time.Millisecond)
		if old.ended() && old.code > exitOK {
			t.Errorf("exit code %d", old.code)
		}
		if t.Failed() {
			t.Fatalf("takeover %d:\n%s", n, y.said(from))
		}
	}
	c.disperse()
	cl := y.client()
	defer cl.Close()
	compareWithLog(t, cl, c.shifts)
	t.Logf("%d requests, %d shifts", c.asked.Load(), c.shifted.Load())
}

// TestASuccessorKilledAtAnyMomentLosesNothing: either the old process serves
// on, or the new one had taken over and its death is that of any gateway. What
// was acknowledged is in the log.
func TestASuccessorKilledAtAnyMomentLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
log: {access: false}
shutdown: {timeout: 1s}
upstreams: {monolith: "%[1]s", service: "%[1]s"}
migrations: {a: {from: monolith, to: service, key: url}}
routes: [{path: /a, migration: a}, {path: /*, upstream: monolith}]
`, named(t, "monolith"))))
	now := r.run()
	w := &witness{migration: "a", kept: make(map[uint64]string)}
	shift := func(n int) error {
		cl := r.client()
		defer cl.Close()
		m, err := cl.Migration(t.Context(), "a")
		if err != nil {
			return err
		}
		reason := fmt.Sprint("shift ", n)
		done, err := cl.Shift(t.Context(), "a", []migrations.Share{{Stage: migrations.Live, Buckets: n + 1}}, reason, m.Seq)
		if err == nil {
			w.kept[done.Seq] = reason
		}
		return err
	}
	tookOver := 0
	for n := range full(200, 12) {
		shifted := make(chan struct{})
		go func() { // while it happens; it may fail with whoever it was sent to
			defer close(shifted)
			_ = shift(2 * n)
		}()
		next := r.begin("run", "--takeover")
		if n%4 > 0 {
			r.says(next.from, "taking over")
		}
		time.Sleep(rand.N(40 * time.Millisecond))
		next.signal(syscall.SIGKILL)
		next.end()
		<-shifted
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			said := r.said(next.from)
			if strings.Contains(said, `"msg":"taken over`) {
				tookOver++
				if code := now.end(); code != exitOK {
					t.Errorf("kill %d: exit code %d\n%s", n, code, said)
				}
				now = r.run() // as a supervisor would
				break
			}
			if !strings.Contains(said, "taking over") || strings.Contains(said, "not taken over; this process serves on") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("kill %d: the old one does not say what it is\n%s", n, said)
			}
		}
		eventually(t, "a change is taken", func() bool { return shift(2*n+1) == nil })
	}
	cl := r.client()
	defer cl.Close()
	compareWithLogAtLeast(t, cl, w)
	t.Logf("%d had taken over, %d shifts", tookOver, len(w.kept))
}
