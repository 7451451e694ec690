package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// numbers returns how much a test does: all of it if FICUS_SOAK is set.
func numbers(soak, otherwise int) int {
	if os.Getenv("FICUS_SOAK") != "" {
		return soak
	}
	return otherwise
}

// A seen is what a request was served by, as the gateway itself says.
type seen struct {
	version string // of the table of its snapshot
	stage   migrations.Stage
	side    migrations.Side
	events  uint64 // of the state of its snapshot
}

// sightings are those of the requests under way, by their ids.
type sightings struct{ byID sync.Map }

// see is the gateway's hook. It holds what the flag said against the state of
// the snapshot.
func (s *sightings) see(t *testing.T) func(*Snapshot, *record) {
	return func(snap *Snapshot, rec *record) {
		was := seen{version: snap.Table.Routes[rec.route.Index].Response.Set[0].Value, stage: rec.Stage, side: rec.Side, events: snap.State.Seq}
		if rec.route.Route != snap.Table.Routes[rec.route.Index] {
			t.Errorf("snapshot %d: the route %s is of another table", snap.Number, rec.RouteID)
		}
		if rec.Migration != "" {
			if want := snap.State.Migrations[rec.Migration].Split.At(rec.Bucket); rec.Stage != want {
				t.Errorf("snapshot %d at event %d: the flag says %s, the state %s", snap.Number, snap.State.Seq, rec.Stage, want)
			}
		}
		s.byID.Store(rec.RequestID, was)
	}
}

// TestReloadsAndShiftsUnderLoad holds the promise that nothing is dropped by
// either, and law 3: every request is served by one snapshot as a whole. Each
// version of the table has upstreams, request edits and response edits of its
// own, so that an answer shows whether they were all of the same version.
func TestReloadsAndShiftsUnderLoad(t *testing.T) {
	reloads, shifts := numbers(1000, 60), numbers(200, 20)
	servers := make(map[string]string)
	for _, name := range []string{"monolith-0", "monolith-1", "orders-0", "orders-1"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s %s", name, r.Header.Get("X-Asked"))
		}))
		t.Cleanup(s.Close)
		servers[name] = s.URL
	}
	version := func(n int) *routes.Table {
		return tableOf(t, fmt.Sprintf(`
upstreams: {monolith: "%[2]s", orders: "%[3]s"}
migrations:
  orders: {from: monolith, to: orders, key: "header:X-User", data: shared, writes: follow}
routes:
  - {path: /orders/*, migration: orders, request: {set: {X-Asked: "%[1]d"}}, response: {set: {X-Version: "%[1]d"}}}
  - {path: /*, upstream: monolith, request: {set: {X-Asked: "%[1]d"}}, response: {set: {X-Version: "%[1]d"}}}
`, n, servers[fmt.Sprintf("monolith-%d", n%2)], servers[fmt.Sprintf("orders-%d", n%2)]))
	}

	g := gatewayOf(t, before("http://127.0.0.1:1"))
	if err := g.Install(version(0)); err != nil {
		t.Fatal(err)
	}
	state := apply(t, migrations.State{}, migrations.Event{Kind: migrations.Created, From: "monolith", To: "orders", Key: "header:X-User"})
	g.Apply(state)
	var sights sightings
	g.served = sights.see(t)
	url := "http://" + listen(t, g, routes.Listener{})

	var stop atomic.Bool
	var asked, moved atomic.Int64
	var clients sync.WaitGroup
	for c := range 64 {
		client := browser(t, "h1", nil)
		clients.Go(func() {
			for n := 0; !stop.Load(); n++ {
				id := fmt.Sprintf("%d.%d", c, n)
				was, err := askOne(client, url, id, n, &sights)
				if err != nil {
					t.Errorf("request %s: %v", id, err)
					return
				}
				asked.Add(1)
				if was.side == migrations.Modern {
					moved.Add(1)
				}
			}
		})
	}

	var changes sync.WaitGroup
	pause := 4 * time.Second / time.Duration(reloads+shifts)
	changes.Go(func() {
		for n := range reloads {
			if err := g.Install(version(n + 1)); err != nil {
				t.Error(err)
			}
			time.Sleep(pause)
		}
	})
	changes.Go(func() {
		splits := []migrations.Split{
			migrations.All(migrations.Live), {{Stage: migrations.Live, Buckets: 50_000}, {Stage: migrations.Off, Buckets: 50_000}},
			migrations.All(migrations.Complete), migrations.All(migrations.Off), migrations.All(migrations.Shadow),
		}
		for n := range shifts {
			state = apply(t, state, migrations.Event{Kind: migrations.Shifted, Split: splits[n%len(splits)]})
			g.Apply(state)
			time.Sleep(pause * time.Duration(max(reloads/shifts, 1)))
		}
	})
	changes.Wait()
	stop.Store(true)
	clients.Wait()
	t.Logf("%d reloads and %d shifts under %d requests, %d of them on the service", reloads, shifts, asked.Load(), moved.Load())
	if asked.Load() < int64(reloads+shifts) || moved.Load() == 0 {
		t.Error("that was no load")
	}
}

// apply folds one more event of the migration orders.
func apply(t *testing.T, s migrations.State, e migrations.Event) migrations.State {
	t.Helper()
	e.Seq, e.Time, e.Migration = s.Seq+1, s.Time.Add(time.Second), "orders"
	next, err := migrations.Apply(s, e)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// askOne sends the nth request of a client and holds the answer against what
// the gateway says to have served it by.
func askOne(client *http.Client, url, id string, n int, sights *sightings) (seen, error) {
	method, path := http.MethodGet, "/plain"
	if n%2 == 0 {
		path = "/orders/7"
	}
	var body io.Reader
	if n%5 == 0 {
		method, body = http.MethodPost, strings.NewReader("a small order")
	}
	r, err := http.NewRequest(method, url+path, body)
	if err != nil {
		return seen{}, err
	}
	r.Header.Set("X-Request-Id", id)
	r.Header.Set("X-User", id)
	res, err := client.Do(r)
	if err != nil {
		return seen{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return seen{}, err
	}
	found, ok := sights.byID.LoadAndDelete(id)
	if !ok || res.StatusCode != http.StatusOK {
		return seen{}, fmt.Errorf("%s: %s", res.Status, text)
	}
	was := found.(seen)
	number, err := strconv.Atoi(was.version)
	if err != nil {
		return seen{}, err
	}
	upstream := "monolith"
	if was.side == migrations.Modern {
		upstream = "orders"
	}
	want := fmt.Sprintf("%s-%d %s", upstream, number%2, was.version)
	if string(text) != want || res.Header.Get("X-Version") != was.version {
		return seen{}, fmt.Errorf("served by version %s at event %d, which answers %q; got %q, edited by version %s",
			was.version, was.events, want, text, res.Header.Get("X-Version"))
	}
	return was, nil
}
