package app

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// takeOver starts a gateway in a directory that takes over from the one there,
// if there is one, and from which another may take over.
func takeOver(t *testing.T, dir, config string) *running {
	t.Helper()
	r := &running{t: t, config: filepath.Join(dir, "ficus.yaml")}
	r.edit(config)
	var err error
	r.Process, err = Start(t.Context(), Config{
		Path: r.config, Load: func() (*routes.Table, error) { return routes.Load(r.config) },
		Logger: slog.New(slog.NewJSONHandler(&r.log, nil)), Takeover: true, Successor: []string{"/bin/false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.url, r.admin = "http://"+r.Addrs()[0].String(), "http://"+r.AdminAddrs()[0].String()
	if r.client, err = client.New(r.admin, r.Token(), "ada"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop(0) })
	return r
}

// TestWhatLiesBesideTheLogGoesOver: counts, local rollbacks, tokens and
// sessions are the next process's from the moment on in which it serves, and the
// one before writes none of them any more.
func TestWhatLiesBesideTheLogGoesOver(t *testing.T) {
	t.Parallel()
	monolith, service := bothSides(t)
	dir := t.TempDir()
	config := anywhere + `
upstreams: {monolith: "` + monolith + `", orders: "` + service + `"}
migrations:
  orders: {from: monolith, to: orders, key: ["header:X-User"]}
  carts: {from: monolith, to: orders, key: ["header:X-User"]}
routes: [{path: /orders, migration: orders}, {path: /carts, migration: carts}, {path: /*, upstream: monolith}]
`
	old := takeOver(t, dir, config)
	shares, _ := migrations.ParseShares("live=100%")
	for _, id := range []string{"orders", "carts"} {
		m, err := old.client.Migration(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.client.Shift(t.Context(), id, shares, "go", m.Seq); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		r, _ := http.NewRequest("GET", old.url+"/carts", nil)
		r.Header.Set("X-User", "alice")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	requests := func(r *running) (n uint64) {
		for _, slot := range r.counts("carts").Burn[evidence.Modern].Quarters {
			n += slot.Requests
		}
		return n
	}
	eventually(t, "all is counted", func() bool { return requests(old) == 20 })
	made, err := old.client.CreateToken(t.Context(), dashboard.TokenRequest{Name: "bob", Role: access.Admin, For: "1h"})
	if err != nil {
		t.Fatal(err)
	}
	browser := visitor(t)
	res, err := browser.PostForm(old.admin+"/login", url.Values{"token": {old.Token().Reveal()}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	s := old.follower.State()
	trip, err := migrations.NewTrip(s, migrations.Plan{}, migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ficus", Cause: migrations.CauseTest, Reason: "errors"})
	if err != nil {
		t.Fatal(err)
	}
	old.trips.mu.Lock() // as if the log had not taken it so far
	old.trips.pending = []migrations.Trip{trip}
	if err := old.trips.save(); err != nil {
		t.Fatal(err)
	}
	old.trips.mu.Unlock()

	next := takeOver(t, dir, config)
	select {
	case <-old.TakenOver():
	case <-time.After(10 * time.Second):
		t.Fatal("the old one was not told")
	}
	if next.url != old.url || next.admin != old.admin {
		t.Errorf("it listens at %s and %s", next.url, next.admin)
	}
	if n := requests(next); n != 20 {
		t.Errorf("it begins with %d requests counted", n)
	}
	eventually(t, "the rollback is in the log", func() bool { return next.follower.State().Migrations["orders"].RolledBack })
	eventually(t, "the old one follows", func() bool { return old.follower.State().Migrations["orders"].RolledBack })
	eventually(t, "the file of the rollback is gone", func() bool {
		_, err := os.Stat(filepath.Join(dir, "ficus.trips"))
		return errors.Is(err, fs.ErrNotExist)
	})
	if _, err := old.Events().Append(t.Context(), migrations.Unconditional, migrations.Event{Migration: "orders", Kind: migrations.Held, Actor: "ada"}); !errors.Is(err, errElsewhere) {
		t.Errorf("the old one appends: %v", err)
	}

	bearer, err := access.ParseToken(made.Token)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := client.New(next.admin, bearer, "")
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	if _, err := bob.Tokens(t.Context()); err != nil {
		t.Errorf("a token that the old one made: %v", err)
	}
	if status, _ := visit(t, browser, next.admin+"/api/tokens"); status != http.StatusOK {
		t.Errorf("a session that the old one opened: %d", status)
	}
	if _, err := next.client.RevokeToken(t.Context(), made.Info.ID); err != nil {
		t.Error(err)
	}
	if err := old.stop(10 * time.Second); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, access.TokensFile)); err != nil || !strings.Contains(string(text), `"revoked"`) {
		t.Errorf("at its end the old one brings a token back that was revoked: %s, %v", text, err)
	}
	if _, err := bob.Tokens(t.Context()); err == nil {
		t.Error("a token that was revoked opens the door")
	}
	if n := requests(next); n != 20 {
		t.Errorf("the count is %d after the end of the old one", n)
	}
}
