package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

// A witness shifts one migration without end and remembers what it was told.
type witness struct {
	migration string
	done      int               // shifts tried so far
	kept      map[uint64]string // reasons of all shifts that were acknowledged, by seq
	last      dashboard.Migration
	open      string // reason of the shift that was not answered; empty: none
}

// shift shifts until the gateway is gone.
func (w *witness) shift(ctx context.Context, c *client.Client, first func()) {
	w.open = ""
	for {
		w.done++
		share := migrations.Share{Stage: migrations.Live, Buckets: rand.IntN(migrations.Buckets + 1)}
		reason := fmt.Sprintf("%s %d", w.migration, w.done)
		w.open = reason
		done, err := c.Shift(ctx, w.migration, []migrations.Share{share}, reason, w.last.Seq)
		if err != nil {
			return
		}
		w.open, w.last, w.kept[done.Seq] = "", done.Migration, reason
		first()
	}
}

// TestKillDuringShifts kills the program at a random moment of many shifts,
// again and again. Whatever was acknowledged is still so after the restart,
// and the state is the last shift: the last acknowledged one, or the one that
// was under way.
func TestKillDuringShifts(t *testing.T) {
	t.Parallel()
	kills := full(100, 10)
	b := install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
upstreams: {monolith: "%[1]s", service: "%[1]s"}
migrations:
  a: {from: monolith, to: service, key: url}
  b: {from: monolith, to: service, key: url}
  c: {from: monolith, to: service, key: url}
routes:
  - {path: /a, migration: a}
  - {path: /b, migration: b}
  - {path: /c, migration: c}
  - {path: /*, upstream: monolith}
`, named(t, "monolith")))
	b.start()
	var witnesses []*witness
	c := b.client()
	for _, id := range []string{"a", "b", "c"} {
		m, err := c.Migration(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		witnesses = append(witnesses, &witness{migration: id, last: m, kept: make(map[uint64]string)})
	}
	inFlight := 0
	for kill := range kills {
		var began, ended sync.WaitGroup
		for _, w := range witnesses {
			began.Add(1)
			first := sync.OnceFunc(began.Done)
			ended.Go(func() {
				c := b.client()
				defer c.Close()
				w.shift(t.Context(), c, first)
				first()
			})
		}
		began.Wait()
		time.Sleep(rand.N(30 * time.Millisecond))
		b.signal(syscall.SIGKILL)
		ended.Wait()
		b.start()
		for _, w := range witnesses {
			m, err := c.Migration(t.Context(), w.migration)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case m.Seq == w.last.Seq && m.Split == w.last.Split && m.Reason == w.last.Reason:
			case m.Seq > w.last.Seq && w.open != "" && m.Reason == w.open: // kept, but the answer was lost
				inFlight++
				w.kept[m.Seq] = m.Reason
			default:
				t.Fatalf("kill %d: %s stands at event %d, %s (%s); acknowledged was event %d, %s (%s), under way %q",
					kill, w.migration, m.Seq, m.Split, m.Reason, w.last.Seq, w.last.Split, w.last.Reason, w.open)
			}
			w.last = m
		}
	}
	state, err := c.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for _, w := range witnesses {
		acknowledged += len(w.kept)
	}
	compareWithLog(t, c, witnesses)
	b.signal(syscall.SIGTERM)
	if code := b.cmd.ProcessState.ExitCode(); code != exitOK {
		t.Errorf("exit code %d after SIGTERM:\n%s", code, b.stderr.String())
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "*.sock")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Logf("%d kills among %d shifts, %d of which were kept although their answer was lost; %d events", kills, acknowledged, inFlight, state.Seq)
}

// compareWithLog holds the history against what was acknowledged.
func compareWithLog(t *testing.T, c *client.Client, witnesses []*witness) {
	t.Helper()
	for _, w := range witnesses {
		left := len(w.kept)
		for f := (dashboard.Filter{Migration: w.migration, Kind: migrations.Shifted, Limit: 500}); ; {
			h, err := c.History(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range h.Events {
				if w.kept[e.Seq] != e.Reason {
					t.Errorf("event %d is %q, acknowledged was %q", e.Seq, e.Reason, w.kept[e.Seq])
				}
				left--
				f.Before = e.Seq
			}
			if len(h.Events) < f.Limit {
				break
			}
		}
		if left != 0 {
			t.Errorf("%s: %d shifts too few in the log", w.migration, left)
		}
	}
}

// compareWithLogAtLeast holds the history against what was acknowledged, where
// shifts may be in the log whose answers were lost.
func compareWithLogAtLeast(t *testing.T, c *client.Client, w *witness) {
	t.Helper()
	left := len(w.kept)
	for f := (dashboard.Filter{Migration: w.migration, Kind: migrations.Shifted, Limit: 500}); ; {
		h, err := c.History(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range h.Events {
			if reason, ok := w.kept[e.Seq]; ok {
				left--
				if reason != e.Reason {
					t.Errorf("event %d is %q, acknowledged was %q", e.Seq, e.Reason, reason)
				}
			}
			f.Before = e.Seq
		}
		if len(h.Events) < f.Limit {
			break
		}
	}
	if left != 0 {
		t.Errorf("%d acknowledged shifts are not in the log", left)
	}
}
