package migrations_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/migrations/filelog"
)

func plan() *migrations.Plan {
	return &migrations.Plan{
		ID: "orders", Guard: migrations.Guard{FalseAlarm: 0.001},
		Steps: []migrations.Step{{Stage: migrations.Live, Share: 50_000}, {Stage: migrations.Live, Share: 90_000}},
	}
}

// begun is a real log in which the ramp of orders has been resumed.
func begun(t *testing.T, p *migrations.Plan) *filelog.Log {
	t.Helper()
	log, err := filelog.Open(filepath.Join(t.TempDir(), "ficus.events"), filelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	create := created("orders")
	create.Plan = p.Hash()
	mustAppend(t, log, create, migrations.Event{Migration: "orders", Kind: migrations.Resumed, Actor: "alice"})
	return log
}

// people counts good requests of 1,000 people in the present test of a state.
func people(s migrations.State) evidence.Counts {
	m := s.Migrations["orders"]
	c := evidence.NewCell(m.Test, m.Split.Modern())
	for i := range 1000 {
		side := evidence.Legacy
		if i*migrations.Buckets/1000 < m.Split.Modern() {
			side = evidence.Modern
		}
		c.Saw(evidence.Key(i), m.Test, side)
		c.Epochs[0].Requests[side]++
		c.Epochs[0].Clean[side]++
	}
	return evidence.Counts{At: time.Now(), Cells: map[string]*evidence.Cell{"": c}}
}

// control runs a controller and its follower until stop is called.
func control(t *testing.T, c *migrations.Controller) (stop func()) {
	t.Helper()
	c.Follower = migrations.NewFollower(c.Log, migrations.State{})
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { c.Follower.Run(ctx, nil) })
	all.Go(func() {
		if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the controller ended with %v", err)
		}
	})
	return func() { cancel(); all.Wait() }
}

func TestNoTrafficHoldsForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan()
		log := begun(t, p)
		defer log.Close()
		c := &migrations.Controller{
			Log: log, Plans: func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": p} },
			Counts: func(string) evidence.Counts { return evidence.Counts{At: time.Now()} },
			OnError: func(err error, events []migrations.Event, _ time.Duration) {
				t.Errorf("%v with %+v", err, events)
			},
		}
		defer control(t, c)()
		time.Sleep(time.Hour)
		synctest.Wait()
		s := c.Follower.State()
		if m := s.Migrations["orders"]; m.Step != 1 || m.Ramp != migrations.RampRunning || s.Seq != 3 {
			t.Errorf("after an hour without traffic: %+v", m)
		}
		reasons := migrations.Waiting(s, *p, c.Counts("orders"), time.Now())
		if len(reasons) == 0 || reasons[0].For != migrations.WaitTraffic {
			t.Errorf("it waits for %+v", reasons)
		}
	})
}

// Law 5: every gateway may decide; one wins, and the others agree.
func TestTwoControllersOnOneLogAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan()
		log := begun(t, p)
		defer log.Close()
		var won, lost atomic.Int32
		var broken atomic.Bool
		var all []*migrations.Controller
		for range 2 {
			c := &migrations.Controller{Log: log, Plans: func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": p} }}
			c.Counts = func(string) evidence.Counts {
				counts := people(c.Follower.State())
				if broken.Load() {
					for i := range 150 {
						counts.Cells[""].Count(evidence.Errors, evidence.Key(i), counts.Cells[""].Test, evidence.Modern)
					}
				}
				return counts
			}
			c.Deciding = func(_ context.Context, events []migrations.Event) func(uint64, error) {
				time.Sleep(10 * time.Millisecond) // so that both decide on the same state
				return func(_ uint64, err error) {
					if err == nil {
						won.Add(1)
					} else if errors.Is(err, migrations.ErrConflict) {
						lost.Add(1)
					}
				}
			}
			c.OnError = func(err error, _ []migrations.Event, _ time.Duration) { t.Error(err) }
			defer control(t, c)()
			all = append(all, c)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		m := all[0].Follower.State().Migrations["orders"]
		if m.Step != 2 || won.Load() != 2 || lost.Load() == 0 {
			t.Errorf("%d won and %d lost: %+v", won.Load(), lost.Load(), m)
		}
		broken.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		for _, c := range all {
			if m := c.Follower.State().Migrations["orders"]; !m.RolledBack || m.Seq != 5 {
				t.Errorf("after the errors: %+v", m)
			}
		}
	})
}

// unwilling is a log that takes no events for a while.
type unwilling struct {
	migrations.Log
	down atomic.Bool
}

func (l *unwilling) Append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	if l.down.Load() {
		return 0, errDown
	}
	return l.Log.Append(ctx, after, events...)
}

func TestControllerGoesOnWhenTheLogIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan()
		real := begun(t, p)
		defer real.Close()
		log := &unwilling{Log: real}
		log.down.Store(true)
		var waits []time.Duration
		c := &migrations.Controller{
			Log: log, Plans: func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": p} },
			Counts: func(string) evidence.Counts { return evidence.Counts{At: time.Now()} },
			OnError: func(err error, events []migrations.Event, wait time.Duration) {
				if !errors.Is(err, errDown) || len(events) != 1 || events[0].Kind != migrations.Stepped {
					t.Errorf("%v with %+v", err, events)
				}
				waits = append(waits, wait)
			},
		}
		stop := control(t, c)
		time.Sleep(10 * time.Second)
		log.down.Store(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if m := c.Follower.State().Migrations["orders"]; m.Step != 1 {
			t.Errorf("%+v", m)
		}
		stop()
		if len(waits) < 5 || waits[1] != 2*waits[0] || waits[len(waits)-1] > 5*time.Second {
			t.Errorf("waits %v", waits)
		}
	})
}

// A log that takes nothing keeps no rollback waiting, whatever it has refused
// before, and one that is in force here is not offered again and again.
func TestARollbackDoesNotWaitForALogThatHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orders, carts := plan(), plan()
		orders.Steps, carts.ID = orders.Steps[:1], "carts"
		real := begun(t, orders)
		defer real.Close()
		create := created("carts")
		create.Plan = carts.Hash()
		mustAppend(t, real, create, migrations.Event{Migration: "carts", Kind: migrations.Resumed, Actor: "alice"})
		log := &unwilling{Log: real}
		var broken, tripped atomic.Bool
		var offered []time.Time
		c := &migrations.Controller{
			Log: log, Plans: func() map[string]*migrations.Plan {
				return map[string]*migrations.Plan{"orders": orders, "carts": carts}
			},
			OnError: func(_ error, events []migrations.Event, _ time.Duration) {
				if events[0].Back() {
					offered = append(offered, time.Now())
					tripped.Store(true)
				}
			},
			Elsewhere: func(e migrations.Event) bool { return tripped.Load() && e.Migration == "orders" },
		}
		c.Counts = func(id string) evidence.Counts {
			if s := c.Follower.State(); id == "orders" && s.Migrations[id].Test != 0 {
				counts := people(s)
				for i := range 150 {
					if broken.Load() {
						counts.Cells[""].Count(evidence.Errors, evidence.Key(i), counts.Cells[""].Test, evidence.Modern)
					}
				}
				return counts
			}
			return evidence.Counts{At: time.Now()}
		}
		stop := control(t, c)
		time.Sleep(time.Second)
		log.down.Store(true)
		mustAppend(t, real, migrations.Event{Migration: "carts", Kind: migrations.RolledBack, Split: migrations.All(migrations.Off)}, migrations.Event{Migration: "carts", Kind: migrations.Resumed})
		time.Sleep(30 * time.Second) // carts wants to move, and every attempt waits longer
		broken.Store(true)
		began := time.Now()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		stop()
		if len(offered) != 1 || offered[0].Sub(began) > time.Second {
			t.Errorf("broken at %s, offered at %v", began, offered)
		}
	})
}

// A ramp of five steps, with the process gone at any moment in between: no step
// is skipped or repeated.
func TestRampContinuesWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan()
		p.Steps = nil
		for _, share := range []int{10_000, 30_000, 50_000, 70_000, 90_000} {
			p.Steps = append(p.Steps, migrations.Step{Stage: migrations.Live, Share: share, Hold: 2 * time.Second})
		}
		path := filepath.Join(t.TempDir(), "ficus.events")
		log, err := filelog.Open(path, filelog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		create := created("orders")
		create.Plan = p.Hash()
		mustAppend(t, log, create, migrations.Event{Migration: "orders", Kind: migrations.Resumed})
		for life := range 30 {
			c := &migrations.Controller{Log: log, Plans: func() map[string]*migrations.Plan { return map[string]*migrations.Plan{"orders": p} }}
			c.Counts = func(string) evidence.Counts { return people(c.Follower.State()) }
			stop := control(t, c)
			time.Sleep(time.Duration(137*(life%7)) * time.Millisecond)
			stop()
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if log, err = filelog.Open(path, filelog.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		defer log.Close()
		events, err := migrations.History(t.Context(), log, migrations.Filter{Kinds: []migrations.Kind{migrations.Stepped}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Step != len(events)-i {
				t.Errorf("event %d is step %d", e.Seq, e.Step)
			}
		}
		if len(events) != 5 {
			t.Errorf("%d steps", len(events))
		}
	})
}
