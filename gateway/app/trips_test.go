package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// smallDisk mounts a disk of a few pages, which a test can fill.
func smallDisk(t *testing.T) (dir string, fill, drain func()) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("SKIPPED, and with it what a full disk does: no tmpfs can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for page := make([]byte, 4096); ; {
			if _, err := f.Write(page); errors.Is(err, syscall.ENOSPC) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, fill, func() { _ = os.Remove(ballast) }
}

// bothSides are a monolith and a service that say who they are.
func bothSides(t *testing.T) (monolith, service string) {
	t.Helper()
	for _, name := range []*string{&monolith, &service} {
		says := "monolith"
		if name == &service {
			says = "service"
		}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, says) }))
		t.Cleanup(s.Close)
		*name = s.URL
	}
	return monolith, service
}

func TestRollbackWithoutTheLogIsInForceHereAtOnceAndAppendedLater(t *testing.T) {
	dir, fill, drain := smallDisk(t)
	monolith, service := bothSides(t)
	config := anywhere + `
upstreams: {monolith: "` + monolith + `", orders: "` + service + `"}
migrations: {orders: {from: monolith, to: orders, key: ["header:X-User"]}}
routes: [{path: /api/orders/*, migration: orders}, {path: /*, upstream: monolith}]
`
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	answers := func(r *running) string {
		req, _ := http.NewRequest("GET", r.url+"/api/orders/1", nil)
		req.Header.Set("X-User", "alice")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return string(body)
	}
	shares, _ := migrations.ParseShares("live=100%")
	m, err := r.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Shift(t.Context(), "orders", shares, "go", m.Seq); err != nil {
		t.Fatal(err)
	}
	if got := answers(r); got != "service" {
		t.Fatalf("the %s answers", got)
	}

	fill()
	why := "complaints" + strings.Repeat("!", 900)
	for n := 0; ; n++ { // the rest of the log's last page
		if _, err := r.Events().Append(t.Context(), migrations.Unconditional, migrations.Event{Migration: "orders", Kind: migrations.Held, Actor: "ada", Reason: why}); err != nil {
			break
		} else if n > 20 {
			t.Fatal("a full disk takes events")
		}
	}
	done, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: why})
	if err != nil || !done.LocalOnly || done.Seq != 0 || len(done.Migration.LocalOnly) != 1 || done.Migration.LocalOnly[0].Reason != why {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := answers(r); got != "monolith" {
		t.Errorf("after the rollback the %s answers", got)
	}
	ready := r.Process.ready()
	if check := ready.Checks[1]; check.OK || !strings.Contains(check.Detail, "local only") || !ready.Ready {
		t.Errorf("%+v", ready)
	}
	if _, err := r.client.Shift(t.Context(), "orders", shares, why, done.Migration.Seq); err == nil {
		t.Error("going forward did without the log")
	}

	tripped := time.Now()
	drain()
	eventually(t, "the rollback to be in the log", func() bool {
		m, err := r.client.Migration(t.Context(), "orders")
		return err == nil && m.RolledBack && m.LocalOnly == nil && m.Reason == why
	})
	if said := r.counts("orders").Enforced; len(said) != 1 || said[0].At.After(tripped) {
		t.Errorf("it was in force from the trip on, and the gateway says %+v", said)
	}
	if got := answers(r); got != "monolith" {
		t.Errorf("by the log the %s answers", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "ficus.trips")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of local rollbacks is still there: %v", err)
	}
}

func TestTripOutlastsARestartAndNoReplayBringsItBack(t *testing.T) {
	monolith, service := bothSides(t)
	dir := t.TempDir()
	config := anywhere + `
upstreams: {monolith: "` + monolith + `", orders: "` + service + `"}
migrations: {orders: {from: monolith, to: orders, key: ["header:X-User"]}}
routes: [{path: /api/orders/*, migration: orders}, {path: /*, upstream: monolith}]
`
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	shares, _ := migrations.ParseShares("live=100%")
	m, _ := r.client.Migration(t.Context(), "orders")
	if _, err := r.client.Shift(t.Context(), "orders", shares, "go", m.Seq); err != nil {
		t.Fatal(err)
	}
	s := r.follower.State()
	trip, err := migrations.NewTrip(s, migrations.Plan{}, migrations.Event{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ficus", Cause: migrations.CauseTest, Reason: "errors"})
	if err != nil {
		t.Fatal(err)
	}
	r.trips.mu.Lock() // as a process leaves it whose log is out of reach
	r.trips.pending = []migrations.Trip{trip}
	if err := r.trips.save(); err != nil {
		t.Fatal(err)
	}
	r.trips.pending = nil
	r.trips.mu.Unlock()
	kept, err := os.ReadFile(filepath.Join(dir, "ficus.trips"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}

	if r, err = tryStart(t, dir, config); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rollback to be in the log", func() bool { return r.follower.State().Migrations["orders"].RolledBack })
	if got := r.follower.State().Migrations["orders"].Reason; got != "errors" {
		t.Errorf("its reason is %q", got)
	}
	m, _ = r.client.Migration(t.Context(), "orders")
	resumed, err := r.client.Resume(t.Context(), "orders", "mended", m.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Shift(t.Context(), "orders", shares, "go", resumed.Seq); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(filepath.Join(dir, "ficus.trips"), kept, 0o600); err != nil { // as an old backup would
		t.Fatal(err)
	}
	if r, err = tryStart(t, dir, config); err != nil {
		t.Fatal(err)
	}
	if tripped := r.Gateway().Tripped("orders"); tripped != nil || r.follower.State().Migrations["orders"].RolledBack {
		t.Errorf("an operator's newer event stands, and %v is tripped", tripped)
	}
}

// A readable log can be read and takes nothing, as Redis does that is out of memory.
type readable struct{ migrations.Log }

func (readable) Append(context.Context, uint64, ...migrations.Event) (uint64, error) {
	return 0, errors.New("OOM command not allowed")
}

func TestATripEndsByWhatIsReadAlsoWhereNothingCanBeAppended(t *testing.T) {
	monolith, service := bothSides(t)
	r := start(t, anywhere+`
upstreams: {monolith: "`+monolith+`", orders: "`+service+`"}
migrations: {orders: {from: monolith, to: orders, key: ["header:X-User"]}}
routes: [{path: /api/orders/*, migration: orders}, {path: /*, upstream: monolith}]
`)
	r.trips.log = readable{r.trips.log} // nothing is pending yet, so that nobody looks
	shares, _ := migrations.ParseShares("live=100%")
	m, _ := r.client.Migration(t.Context(), "orders")
	if _, err := r.client.Shift(t.Context(), "orders", shares, "go", m.Seq); err != nil {
		t.Fatal(err)
	}
	r.trip([]migrations.Event{{Migration: "orders", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off), Actor: "ficus", Cause: migrations.CauseTest, Reason: "errors"}})
	if len(r.Gateway().Tripped("orders")) == 0 {
		t.Fatal("it is not tripped")
	}
	m, _ = r.client.Migration(t.Context(), "orders")
	if _, err := r.client.Shift(t.Context(), "orders", shares, "I know", m.Seq); err != nil { // as another gateway's operator
		t.Fatal(err)
	}
	eventually(t, "the trip to end", func() bool { return r.Gateway().Tripped("orders") == nil && len(r.trips.local()) == 0 })
}
