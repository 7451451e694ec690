package app

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	if err := r.stop(10 * time.Second); err != nil {
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
	if err := r.stop(10 * time.Second); err != nil {
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
