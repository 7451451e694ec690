package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// byFlags is a config whose flags are elsewhere.
const byFlags = anywhere + `
flags: %s
upstreams: {monolith: %s, orders: %s}
migrations: {orders: {from: monolith, to: orders, key: "header:X-User", guard: {false_alarm: 1%%}}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`

// sharing is a definition that gives portions to the stages of orders.
func sharing(portions string) string {
	return `{"flags": {"orders": {"state": "ENABLED", "variants": {"off": "off", "shadow": "shadow", "live": "live", "complete": "complete"},
		"defaultVariant": "off", "targeting": {"fractional": [` + portions + `]}}}}`
}

// replace writes a file as an editor does.
func replace(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// modern counts the users of a number that the service answers.
func (r *running) modern(client *http.Client, users int) (n int) {
	r.t.Helper()
	for user := range users {
		if r.sideOf(client, fmt.Sprint(user)) == "orders" {
			n++
		}
	}
	return n
}

// sideOf returns who answers a user.
func (r *running) sideOf(client *http.Client, user string) string {
	r.t.Helper()
	q, err := http.NewRequest("GET", r.url+"/orders/7", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if user != "" {
		q.Header.Set("X-User", user)
	}
	res, err := client.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("user %s: %s %s %v", user, res.Status, text, err)
	}
	name, _, _ := strings.Cut(string(text), " ")
	return name
}

// orders returns where the migration stands.
func (r *running) orders() dashboard.Migration {
	r.t.Helper()
	m, err := r.client.Migration(r.t.Context(), "orders")
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *running) flagged() (events []dashboard.Event) {
	r.t.Helper()
	h, err := r.client.History(r.t.Context(), dashboard.Filter{Migration: "orders", Kind: migrations.Flagged})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Reverse(h.Events)
	return h.Events
}

// TestDefinitionsInAFileDecide: an edit of the file moves people, is an event,
// and a bad edit changes nothing.
func TestDefinitionsInAFileDecide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["shadow", 100]`))
	r, err := tryStart(t, dir, fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders")))
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "shadow=100%" })
	if n := r.modern(client, 50); n != 0 {
		t.Errorf("in shadow the service answers %d users", n)
	}

	replace(t, file, sharing(`["live", 30], ["shadow", 70]`))
	eventually(t, "the edit is in the log", func() bool { return r.orders().Split == "live=30% shadow=70%" })
	if n := r.modern(client, 400); n < 80 || n > 160 {
		t.Errorf("at 30%% the service answers %d of 400", n)
	}
	if n := r.sideOf(client, ""); n != "monolith" {
		t.Errorf("somebody without a key is answered by %s", n)
	}
	m := r.orders()
	if f := m.Flags; f == nil || f.Source != "file:"+file || f.Controls != dashboard.ControlsShare || f.Version == "" {
		t.Errorf("flags: %+v", f)
	}
	if events := r.flagged(); len(events) != 2 || events[1].Split != "live=30% shadow=70%" || events[1].Source != "file:"+file || events[1].Version != m.Flags.Version {
		t.Errorf("events: %+v", events)
	}
	state, err := r.client.State(t.Context())
	if err != nil || state.Flags == nil || !state.Flags.OK || state.Flags.Source != "file:"+file {
		t.Errorf("%+v, %v", state.Flags, err)
	}

	replace(t, file, `{"flags": {`)
	eventually(t, "the bad edit is known", func() bool {
		ready, err := r.client.Ready(t.Context())
		i := slices.IndexFunc(ready.Checks, func(c dashboard.Check) bool { return c.Name == "flags" })
		return err == nil && ready.Ready && i >= 0 && !ready.Checks[i].OK && strings.Contains(ready.Checks[i].Detail, "not JSON")
	})
	if n := r.modern(client, 400); n < 80 || n > 160 {
		t.Errorf("after a bad edit the service answers %d of 400", n)
	}
	metrics, err := read(http.DefaultClient, r.admin+"/metrics")
	if err != nil || !strings.Contains(metrics, `ficus_flags_source_up{source="file:`+file+`"} 0`) || !strings.Contains(metrics, "ficus_flags_refused_total 1") {
		t.Errorf("metrics: %v\n%s", err, metrics)
	}

	replace(t, file, sharing(`["live", 30], ["shadow", 70]`)) // blank space apart, what it was
	eventually(t, "it is good again", func() bool { s, _ := r.client.State(t.Context()); return s.Flags != nil && s.Flags.OK })
	if events := r.flagged(); len(events) != 2 {
		t.Errorf("what says nothing new is an event: %+v", events)
	}

	replace(t, file, `{"flags": {}}`)
	eventually(t, "a flag that is gone", func() bool { return r.orders().Split == "off=100%" })
	if n := r.modern(client, 50); n != 0 {
		t.Errorf("without the flag the service answers %d", n)
	}
}

// TestWhatAFlagDecidesIsNotMovedHere: commands say who decides, a rollback
// beats the flag until it is resumed, and the flag may go on meanwhile.
func TestWhatAFlagDecidesIsNotMovedHere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["live", 100]`))
	r, err := tryStart(t, dir, fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders")))
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "live=100%" })
	seq := r.orders().Seq
	for name, change := range map[string]func() (dashboard.Change, error){
		"shift": func() (dashboard.Change, error) {
			return r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 10}}, "why", seq)
		},
		"hold":   func() (dashboard.Change, error) { return r.client.Hold(t.Context(), "orders", "why", seq) },
		"resume": func() (dashboard.Change, error) { return r.client.Resume(t.Context(), "orders", "why", seq) },
	} {
		if _, err := change(); err == nil || !strings.Contains(err.Error(), "decides by its flag") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "it fails"}); err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("after a rollback %s answers", got)
	}
	x, err := r.client.Explain(t.Context(), dashboard.ExplainRequest{URL: "/orders/7", Header: http.Header{"X-User": {"alice"}}})
	if err != nil || x.Said != migrations.Live || x.Stage != migrations.Off || !slices.ContainsFunc(x.Why, func(s string) bool { return strings.Contains(s, "was rolled back") }) {
		t.Errorf("explained: %+v, %v", x, err)
	}

	replace(t, file, sharing(`["live", 50], ["off", 50]`))
	eventually(t, "an edit after the rollback is known", func() bool { return len(r.flagged()) == 2 })
	if got := r.modern(client, 50); got != 0 {
		t.Errorf("an edit of the flag has undone the rollback: %d", got)
	}
	if _, err := r.client.Resume(t.Context(), "orders", "fixed", r.orders().Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flag counts again", func() bool { return r.orders().Split == "live=50% off=50%" })
	if got := r.modern(client, 200); got < 60 || got > 140 {
		t.Errorf("at 50%% the service answers %d of 200", got)
	}
}

// TestCompleteStaysComplete: not a deleted flag, nor a broken file, nor a
// restart without the file takes people back from what is complete.
func TestCompleteStaysComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["complete", 1]`))
	config := fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders"))
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "it is complete", func() bool { return r.orders().Split == "complete=100%" })
	replace(t, file, `{"flags": {}}`)
	eventually(t, "the flag is gone", func() bool { return len(r.flagged()) == 2 })
	if got := r.sideOf(client, "alice") + r.sideOf(client, ""); got != "ordersorders" {
		t.Errorf("without the flag %s answer", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(0); err != nil {
		t.Fatal(err)
	}
	r, err = tryStart(t, dir, config)
	if err != nil {
		t.Fatalf("what was kept is not enough to start from: %v", err)
	}
	if got := r.sideOf(client, "alice") + r.sideOf(client, ""); got != "ordersorders" {
		t.Errorf("after a restart %s answer", got)
	}
}

// TestDefinitionsBehindAURL: they are polled with their ETag and the token, the
// last good ones are kept on disk, and without any nobody moves.
func TestDefinitionsBehindAURL(t *testing.T) {
	t.Parallel()
	var definition atomic.Value
	var down atomic.Bool
	definition.Store(sharing(`["live", 100]`))
	var mu sync.Mutex
	var statuses []int
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		status, text := 200, definition.Load().(string)
		etag := fmt.Sprintf("%q", text[len(text)-20:])
		switch {
		case q.Header.Get("Authorization") != "Bearer s3cr3t-t0k3n":
			status = 401
		case down.Load():
			status = 503
		case q.Header.Get("If-None-Match") == etag:
			status = 304
		}
		mu.Lock()
		statuses = append(statuses, status)
		mu.Unlock()
		w.Header().Set("ETag", etag)
		w.WriteHeader(status)
		if status == 200 {
			io.WriteString(w, text)
		}
	}))
	dir := t.TempDir()
	config := fmt.Sprintf(byFlags, fmt.Sprintf("{source: %q, token: s3cr3t-t0k3n, interval: 1s}", source+"/flags.json?key=s3cr3t-t0k3n"), named(t, "monolith"), named(t, "orders"))
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "live=100%" })
	eventually(t, "nothing is sent twice", func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(statuses, 304) })
	if got := r.orders().Flags.Source; got != source+"/flags.json" {
		t.Errorf("the source is shown as %s", got)
	}

	down.Store(true)
	eventually(t, "the outage is known", func() bool { s, _ := r.client.State(t.Context()); return s.Flags != nil && !s.Flags.OK })
	if got := r.sideOf(client, "alice"); got != "orders" {
		t.Errorf("in an outage %s answers", got)
	}
	if err := r.stop(0); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.log.String(), "s3cr3t") {
		t.Error("the log has the token")
	}

	r, err = tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "orders" {
		t.Errorf("after a restart in an outage %s answers", got)
	}
	if err := r.stop(0); err != nil {
		t.Fatal(err)
	}

	if err := os.Remove(filepath.Join(dir, "ficus.flags.json")); err != nil {
		t.Fatal(err)
	}
	r, err = tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("without anything known %s answers", got)
	}
	definition.Store(sharing(`["live", 90], ["shadow", 10]`))
	down.Store(false)
	eventually(t, "it goes on when the source is back", func() bool { return r.orders().Split == "live=90% shadow=10%" })
	text, err := json.Marshal(r.flagged())
	if err != nil || strings.Contains(string(text), "s3cr3t") {
		t.Errorf("%v, %s", err, text)
	}
}

// TestBackToTheLog: with the built-in flags again the log decides from where
// the definitions have left off, and a reload that changes the source says that
// it waits for a restart.
func TestBackToTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	replace(t, filepath.Join(dir, "flags.json"), sharing(`["live", 40], ["off", 60]`))
	config := fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), named(t, "orders"))
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "live=40% off=60%" })
	before := r.modern(client, 200)
	back := strings.Replace(config, "flags: file:flags.json", "flags: builtin", 1)
	r.edit(back)
	eventually(t, "the edit waits for a restart", func() bool {
		last, err := r.client.LastReload(t.Context())
		return err == nil && slices.Contains(last.Restart, "flags")
	})
	if got := r.orders().Flags.Controls; got != dashboard.ControlsShare {
		t.Errorf("before the restart it is %s", got)
	}
	if err := r.stop(0); err != nil {
		t.Fatal(err)
	}
	if r, err = tryStart(t, dir, back); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log decides", func() bool { return r.orders().Flags.Controls == dashboard.ControlsRamp })
	if after := r.modern(client, 200); after != before {
		t.Errorf("%d were on the service, and %d are", before, after)
	}
	if _, err := r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 50_000}}, "on we go", r.orders().Seq); err != nil {
		t.Error(err)
	}
}

// TestAGuardBeatsAFlagOfSomebodyElse: where a service fails whom a flag has sent
// there, the gateway takes them back, and the flag cannot send them again.
func TestAGuardBeatsAFlagOfSomebodyElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "flags.json")
	replace(t, file, sharing(`["live", 50], ["off", 50]`))
	var broken atomic.Bool
	orders := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		application("orders").ServeHTTP(w, q)
	}))
	config := fmt.Sprintf(byFlags, "file:flags.json", named(t, "monolith"), orders)
	config = strings.Replace(config, "migration: orders}", "migration: orders, fallback: {statuses: [500]}}", 1)
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	client := browser(t)
	eventually(t, "the flag is in the log", func() bool { return r.orders().Split == "live=50% off=50%" })
	broken.Store(true)
	eventually(t, "it is rolled back", func() bool { r.modern(client, 100); return r.orders().RolledBack })
	m := r.orders()
	if m.Split != "off=100%" || m.Actor != "ficus" || m.Cells[0].Cause == "" {
		t.Errorf("%+v", m)
	}
	broken.Store(false)
	replace(t, file, sharing(`["live", 60], ["off", 40]`))
	eventually(t, "the flag has changed", func() bool { return len(r.flagged()) == 2 })
	if n := r.modern(client, 100); n != 0 || !r.orders().RolledBack {
		t.Errorf("the flag has undone the guard's rollback: %d", n)
	}
}

// TestAFlagServiceDecides: a flag service that speaks OFREP, and what becomes of
// people when it is gone.
func TestAFlagServiceDecides(t *testing.T) {
	t.Parallel()
	var stage atomic.Value
	var static, down atomic.Bool
	stage.Store("live")
	service := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var body struct{ Context map[string]any }
		if down.Load() || json.NewDecoder(q.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		reason := "SPLIT"
		if static.Load() {
			reason = "STATIC"
		}
		fmt.Fprintf(w, `{"key": "orders", "value": %q, "variant": "a", "reason": %q}`, stage.Load(), reason)
	}))
	r := start(t, fmt.Sprintf(byFlags, fmt.Sprintf("{source: ofrep+%s, interval: 1s, timeout: 1s}", service), named(t, "monolith"), named(t, "orders")))
	client := browser(t)
	eventually(t, "the log knows who decides", func() bool {
		f := r.orders().Flags
		return f.Source == "ofrep+"+service && f.Controls == dashboard.ControlsNone && f.Version != ""
	})
	if m := r.orders(); m.Split != "not known" || !m.Cells[0].Unknown {
		t.Errorf("%+v", m)
	}
	if got := r.sideOf(client, "alice") + r.sideOf(client, ""); got != "ordersmonolith" {
		t.Errorf("%s answer", got)
	}
	if _, err := r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Off, Buckets: 10}}, "why", r.orders().Seq); err == nil || !strings.Contains(err.Error(), "decides by its flag") {
		t.Errorf("shift: %v", err)
	}

	down.Store(true)
	for range 20 {
		if got := r.sideOf(client, "alice"); got != "orders" {
			t.Fatalf("alice was on the service, and without the flag service %s answers", got)
		}
		if got := r.sideOf(client, "bob"); got != "monolith" {
			t.Fatalf("nobody knows of bob, and %s answers", got)
		}
	}
	down.Store(false)
	eventually(t, "bob is where his flag says", func() bool { return r.sideOf(client, "bob") == "orders" })

	if _, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "it fails"}); err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("after a rollback %s answers", got)
	}
	if _, err := r.client.Resume(t.Context(), "orders", "fixed", r.orders().Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flag counts again", func() bool { return r.sideOf(client, "alice") == "orders" && r.orders().Split == "not known" })

	stage.Store("complete")
	static.Store(true)
	r.flags.(*opaque).again() // in half a minute it would by itself
	eventually(t, "everybody is told complete", func() bool { return r.orders().Split == "complete=100%" })
	down.Store(true)
	if got := r.sideOf(client, "zoe") + r.sideOf(client, ""); got != "ordersorders" {
		t.Errorf("complete, and without the flag service %s answer", got)
	}
}
