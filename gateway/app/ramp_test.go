package app

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// TestARampGoesOnThroughReloadsAndCrashes: five steps under load, while the
// program is killed, ended and started again, and its config edited. No step
// is skipped or taken twice, and none is taken before its time.
func TestARampGoesOnThroughReloadsAndCrashes(t *testing.T) {
	t.Parallel()
	hold := time.Duration(full(6, 1)) * time.Second
	b := install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  orders:
    {from: monolith, to: orders, key: header:X-User, auto: true, ramp: [
      {stage: shadow, hold: %[3]s}, {stage: live, share: 10%%, hold: %[3]s}, {stage: live, share: 40%%, hold: %[3]s},
      {stage: live, share: 90%%, hold: %[3]s}, {stage: complete}]}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`, named(t, "monolith"), named(t, "monolith"), hold))
	b.start()

	ctx, stop := context.WithCancel(t.Context())
	var people sync.WaitGroup
	defer people.Wait()
	defer stop()
	for range 8 {
		client := browser(t)
		people.Go(func() {
			for ctx.Err() == nil {
				req, _ := http.NewRequest(http.MethodGet, "http://"+b.listen+"/orders/7", nil)
				req.Header.Set("X-User", fmt.Sprint(rand.IntN(5000)))
				res, err := client.Do(req)
				if err != nil { // the program is being started again
					time.Sleep(10 * time.Millisecond)
					continue
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}

	config := filepath.Join(b.dir, "ficus.yaml")
	c := b.client()
	defer c.Close()
	var kills, ends, edits int
	for end := time.Now().Add(4 * time.Minute); ; {
		m, err := c.Migration(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		if m.Stage == migrations.Complete {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the ramp stands at step %d and waits for %+v", m.Step, m.WaitsFor)
		}
		time.Sleep(rand.N(1500 * time.Millisecond))
		switch rand.IntN(3) {
		case 0:
			kills++
			b.signal(syscall.SIGKILL)
			b.start()
		case 1:
			ends++
			b.signal(syscall.SIGTERM)
			b.start()
		default:
			edits++
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			edited := strings.TrimSuffix(string(text), "\n") + fmt.Sprintf("\n  - {path: /edit/%d, upstream: monolith}\n", edits)
			if err := os.WriteFile(config+"~", []byte(edited), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(config+"~", config); err != nil {
				t.Fatal(err)
			}
		}
	}

	history, err := c.History(t.Context(), dashboard.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	step, began := 0, time.Time{}
	for i := len(history.Events) - 1; i >= 0; i-- { // the newest comes first
		e := history.Events[i]
		switch e.Kind {
		case migrations.Stepped:
			if e.Step != step+1 {
				t.Errorf("event %d: step %d after step %d", e.Seq, e.Step, step)
			}
			if held := e.Time.Sub(began); step > 0 && held < hold {
				t.Errorf("event %d: step %d was held for %s", e.Seq, step, held)
			}
			step, began = e.Step, e.Time
		case migrations.Created, migrations.Resumed, migrations.Held:
		default:
			t.Errorf("event %d: %s (%s)", e.Seq, e.Kind, e.Reason)
		}
	}
	if step != 5 {
		t.Errorf("the last step is %d", step)
	}
	t.Logf("5 steps through %d kills, %d restarts and %d reloads", kills, ends, edits)
}

func TestCountsOutlastARestart(t *testing.T) {
	monolith, service := bothSides(t)
	dir := t.TempDir()
	config := anywhere + fmt.Sprintf(`
upstreams: {monolith: "%s", orders: "%s"}
migrations: {orders: {from: monolith, to: orders, key: header:X-User, auto: true, ramp: [{stage: live, share: 50%%, hold: 1h}, {stage: complete}]}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, monolith, service)
	r, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first step", func() bool { return r.follower.State().Migrations["orders"].Step == 1 })
	for i := range 40 {
		req, _ := http.NewRequest(http.MethodGet, r.url+"/orders/7", nil)
		req.Header.Set("X-User", fmt.Sprint(i))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	eventually(t, "all are counted", func() bool { return r.counts("orders").Cells[""].Requests().Sum() == 40 })
	before := r.counts("orders").Cells[""]
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if r, err = tryStart(t, dir, config); err != nil {
		t.Fatal(err)
	}
	after := r.counts("orders").Cells[""]
	if after.Test != before.Test || after.Requests() != before.Requests() || after.Seen.Len() != 40 || after.Clean() != before.Clean() {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if info, err := os.Stat(filepath.Join(dir, "ficus.counts")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
