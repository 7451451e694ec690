//go:build linux

package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

// An operator changes one migration, one thing after the other, each at any of
// the gateways.
type operator struct {
	world     *world
	migration string
	n         int
	last      deed // the last that was tried
	kept      []deed
	acknowledged,
	uncertain int
}

// A deed is one change.
type deed struct {
	reason string
	back   bool   // it is a rollback
	live   int    // buckets
	seq    uint64 // 0: it was not acknowledged
	local  bool   // it was, by one gateway alone
	by     int    // which
	at     time.Time
}

// act changes things until ctx ends.
func (o *operator) act(ctx context.Context, r *rand.Rand) {
	o.kept = nil
	for ctx.Err() == nil {
		g := o.world.gateways[r.IntN(3)]
		if g.up.Load() {
			o.one(g, r)
		}
		time.Sleep(time.Duration(r.Int64N(int64(150 * time.Millisecond))))
	}
}

func (o *operator) one(g *replica, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c := g.client()
	defer c.Close()
	m, err := c.Migration(ctx, o.migration)
	if err != nil {
		return
	}
	o.n++
	d := deed{reason: fmt.Sprintf("%s %d", o.migration, o.n), back: r.IntN(3) == 0, live: 1 + r.IntN(migrations.Buckets), by: g.n, at: time.Now()}
	var done dashboard.Change
	if d.back {
		done, err = c.Rollback(ctx, o.migration, dashboard.RollbackRequest{Reason: d.reason})
	} else {
		done, err = o.forward(ctx, c, m, d)
	}
	if err != nil {
		o.uncertain++
		o.last = d
		return
	}
	o.acknowledged++
	d.seq, d.local = done.Seq, done.LocalOnly
	o.last = d
	if !d.local {
		o.kept = append(o.kept, d)
	}
}

// forward shifts, after a resume where the migration was rolled back.
func (o *operator) forward(ctx context.Context, c *client.Client, m dashboard.Migration, d deed) (dashboard.Change, error) {
	if m.RolledBack {
		done, err := c.Resume(ctx, o.migration, "resume for "+d.reason, m.Seq)
		if err != nil {
			return done, err
		}
		m = done.Migration
	}
	return c.Shift(ctx, o.migration, []migrations.Share{{Stage: migrations.Live, Buckets: d.live}}, d.reason, m.Seq)
}

// judge holds what came of it to what was acknowledged.
func (w *world) judge(state migrations.State, said string) {
	w.t.Helper()
	events := w.logged()
	loss := time.Unix(0, w.lossAfter.Load())
	for _, o := range w.deeds {
		for _, d := range o.kept {
			if d.at.Before(loss) {
				continue
			}
			if e := events[d.seq]; e.Reason != d.reason || e.Migration != o.migration {
				w.t.Errorf("event %d (%s) was acknowledged by gateway %d, and the log has %q (%s)", d.seq, d.reason, d.by, e.Reason, said)
			}
		}
		d, m := o.last, state.Migrations[o.migration]
		switch live := m.Split.Share(migrations.Live); {
		case d.seq == 0 && !d.local: // it may have come or not
		case d.back && (!m.RolledBack || live != 0):
			w.t.Errorf("%s was rolled back at last (%q, event %d, local: %v, by gateway %d), and stands at %s, event %d: %s (%s)", o.migration, d.reason, d.seq, d.local, d.by, m.Split, m.Seq, m.Reason, said)
		case !d.back && (m.RolledBack || live != d.live):
			w.t.Errorf("%s was shifted to live=%d at last (%q, event %d, by gateway %d), and stands at %s, event %d: %s (%s)", o.migration, d.live, d.reason, d.seq, d.by, m.Split, m.Seq, m.Reason, said)
		}
	}
}
