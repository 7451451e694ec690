package migrations_test

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
)

// clock stamps events one minute apart.
func clock() func() time.Time {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
}

func open(t *testing.T, path string) *filelog.Log {
	t.Helper()
	log, err := filelog.Open(path, filelog.Options{Now: clock()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func temp(t *testing.T) *filelog.Log { return open(t, filepath.Join(t.TempDir(), "ficus.events")) }

func mustAppend(t *testing.T, log migrations.Log, events ...migrations.Event) uint64 {
	t.Helper()
	seq, err := log.Append(t.Context(), migrations.Unconditional, events...)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func created(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id}
}

func live(id string, buckets int) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Shifted, Split: migrations.Split{{Stage: migrations.Live, Buckets: buckets}, {Stage: migrations.Off, Buckets: migrations.Buckets - buckets}}}
}

// run runs a follower until the end of the test, and returns what Run returned.
func run(t *testing.T, f *migrations.Follower, onEvent func(migrations.State, migrations.Event)) <-chan error {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		over <- f.Run(ctx, onEvent)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return over
}

func TestFollowerSeesEveryEventInOrder(t *testing.T) {
	log := temp(t)
	mustAppend(t, log, created("orders"), live("orders", 1))
	f := migrations.NewFollower(log, migrations.State{})
	var seqs []uint64
	over := run(t, f, func(s migrations.State, e migrations.Event) {
		if s.Seq != e.Seq || f.State().Seq != e.Seq {
			t.Errorf("event %d comes with state %d, while the follower is at %d", e.Seq, s.Seq, f.State().Seq)
		}
		seqs = append(seqs, e.Seq)
	})
	last := mustAppend(t, log, live("orders", 2), live("orders", 3))
	s, err := f.Wait(t.Context(), last)
	if err != nil || s.Migrations["orders"].Split.Share(migrations.Live) != 3 {
		t.Errorf("after event %d: %+v, %v", last, s, err)
	}
	if want := []uint64{1, 2, 3, 4}; !slices.Equal(seqs, want) {
		t.Errorf("saw %v, want %v", seqs, want)
	}
	log.Close()
	if err := <-over; !errors.Is(err, migrations.ErrClosed) {
		t.Errorf("the follower of a closed log ended with %v", err)
	}
	if _, err := f.Wait(t.Context(), 5); !errors.Is(err, migrations.ErrClosed) {
		t.Errorf("waiting for what will not come: %v", err)
	}
	if _, err := f.Wait(t.Context(), 4); err != nil {
		t.Errorf("waiting for what has come: %v", err)
	}
}

func TestFollowerGoesOnFromAState(t *testing.T) {
	log := temp(t)
	mustAppend(t, log, created("orders"), live("orders", 1))
	start, err := migrations.Latest(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	f := migrations.NewFollower(log, start)
	run(t, f, func(_ migrations.State, e migrations.Event) {
		if e.Seq < 3 {
			t.Errorf("event %d came again", e.Seq)
		}
	})
	if _, err := f.Wait(t.Context(), mustAppend(t, log, live("orders", 2))); err != nil {
		t.Error(err)
	}
}

func TestWaitReturnsAfterTheCallback(t *testing.T) {
	log := temp(t)
	f := migrations.NewFollower(log, migrations.State{})
	swapped := false
	run(t, f, func(migrations.State, migrations.Event) {
		time.Sleep(20 * time.Millisecond)
		swapped = true
	})
	if _, err := f.Wait(t.Context(), mustAppend(t, log, created("orders"))); err != nil || !swapped {
		t.Errorf("swapped: %v, error: %v", swapped, err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	f := migrations.NewFollower(temp(t), migrations.State{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := f.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// flaky is a log whose line goes down: after every event while it is down.
type flaky struct {
	migrations.Log
	down int // how many more times
}

var errDown = errors.New("connection reset")

func (l *flaky) Head(ctx context.Context) (uint64, error) {
	if l.down > 0 {
		l.down--
		return 0, errDown
	}
	return l.Log.Head(ctx)
}

func (l *flaky) Follow(ctx context.Context, from uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		for e, err := range l.Log.Follow(ctx, from) {
			if !yield(e, err) || err != nil {
				return
			}
			if e.Seq%2 == 0 {
				yield(migrations.Event{}, errDown)
				return
			}
		}
	}
}

func TestFollowerSurvivesOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := temp(t)
		events := []migrations.Event{created("orders")}
		for i := range 9 {
			events = append(events, live("orders", i))
		}
		mustAppend(t, log, events...)
		f := migrations.NewFollower(&flaky{log, 7}, migrations.State{})
		var waits []time.Duration
		f.OnError = func(err error, wait time.Duration) {
			if !errors.Is(err, errDown) || !errors.Is(f.Err(), errDown) {
				t.Errorf("told of %v, while Err is %v", err, f.Err())
			}
			waits = append(waits, wait)
		}
		var seqs []uint64
		run(t, f, func(_ migrations.State, e migrations.Event) { seqs = append(seqs, e.Seq) })
		if _, err := f.Wait(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(seqs, want) {
			t.Errorf("saw %v, want %v", seqs, want)
		}
		ms := time.Millisecond
		want := []time.Duration{50 * ms, 100 * ms, 200 * ms, 200 * ms, 200 * ms, 200 * ms, 200 * ms, 50 * ms, 50 * ms, 50 * ms, 50 * ms, 50 * ms}
		if !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
		if f.Err() != nil {
			t.Errorf("after the outage, Err is %v", f.Err())
		}
		log.Close()
	})
}

// Law 1: a state that the log does not bear out is not served on silently.
func TestFollowerRefusesALogThatEndsBeforeItsState(t *testing.T) {
	log := temp(t)
	mustAppend(t, log, created("orders"))
	err := migrations.NewFollower(log, migrations.State{Seq: 5}).Run(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "ends at event 1, but event 5 has been seen") {
		t.Error(err)
	}
}

func TestFollowerRefusesAnEventThatDoesNotFit(t *testing.T) {
	log := temp(t)
	mustAppend(t, log, created("orders"), live("orders", 1))
	f := migrations.NewFollower(log, migrations.State{Seq: 1}) // of another log, without orders
	err := f.Run(t.Context(), func(migrations.State, migrations.Event) { t.Error("was called") })
	if err == nil || !strings.Contains(err.Error(), "event 2 (orders shifted): no such migration") {
		t.Error(err)
	}
	if f.State().Seq != 1 {
		t.Errorf("the state has moved to %d", f.State().Seq)
	}
}

func TestFollowerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := migrations.NewFollower(temp(t), migrations.State{})
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := f.Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestStateAtAnyPastMoment(t *testing.T) {
	log := temp(t)
	var states []migrations.State
	s := migrations.State{}
	for i := range 10 {
		e := live("orders", i)
		if i == 0 {
			e = created("orders")
		}
		mustAppend(t, log, e)
		var err error
		if s, err = migrations.Latest(t.Context(), log); err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	check := func(want migrations.State, got migrations.State, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	for _, want := range states {
		got, err := migrations.StateAtSeq(t.Context(), log, want.Seq)
		check(want, got, err)
		got, err = migrations.StateAt(t.Context(), log, want.Time)
		check(want, got, err)
		got, err = migrations.StateAt(t.Context(), log, want.Time.Add(time.Second))
		check(want, got, err)
	}
	got, err := migrations.StateAt(t.Context(), log, states[0].Time.Add(-time.Second))
	check(migrations.State{}, got, err)
	got, err = migrations.StateAtSeq(t.Context(), log, 0)
	check(migrations.State{}, got, err)
	if _, err := migrations.StateAtSeq(t.Context(), log, 11); err == nil || err.Error() != "there is no event 11 yet; the last one is 10" {
		t.Error(err)
	}
	got, err = migrations.Latest(t.Context(), temp(t))
	check(migrations.State{}, got, err)
}

func TestStateBeforeARestoredLogIsKnownAsFarAsItGoes(t *testing.T) {
	was := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	kept := migrations.State{Seq: 9, Time: was, Migrations: map[string]migrations.Migration{"orders": {ID: "orders", Split: migrations.All(migrations.Live), Seq: 9, Epoch: 9, Since: was}}}
	log := temp(t)
	mustAppend(t, log, migrations.Event{Migration: migrations.Every, Kind: migrations.Restored, State: &kept})
	if got, err := migrations.StateAt(t.Context(), log, was.Add(time.Hour)); err != nil || !cmp.Equal(got, kept) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := migrations.StateAtSeq(t.Context(), log, 9); err != nil || !cmp.Equal(got, kept) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, ask := range []func() (migrations.State, error){
		func() (migrations.State, error) { return migrations.StateAt(t.Context(), log, was.Add(-time.Hour)) },
		func() (migrations.State, error) { return migrations.StateAtSeq(t.Context(), log, 8) },
	} {
		if got, err := ask(); err == nil || !strings.Contains(err.Error(), "what was before is not known") {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := migrations.Latest(t.Context(), log); err != nil || got.Seq != 10 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestHistoryIsNewestFirst(t *testing.T) {
	log := temp(t)
	mustAppend(t, log,
		created("orders"), created("carts"), live("orders", 1), live("carts", 1), // 1 to 4
		migrations.Event{Migration: "purchases", Kind: migrations.Renamed, From: "orders"}, // 5
		live("purchases", 2), created("orders"), live("orders", 3)) // 6 to 8
	history := func(filter migrations.Filter, limit int, want ...uint64) {
		t.Helper()
		events, err := migrations.History(t.Context(), log, filter, limit)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint64
		for _, e := range events {
			seqs = append(seqs, e.Seq)
		}
		if !slices.Equal(seqs, want) {
			t.Errorf("%+v: %v, want %v", filter, seqs, want)
		}
	}
	history(migrations.Filter{}, 0, 8, 7, 6, 5, 4, 3, 2, 1)
	history(migrations.Filter{}, 3, 8, 7, 6)
	history(migrations.Filter{Migration: "carts"}, 10, 4, 2)
	history(migrations.Filter{Migration: "purchases"}, 0, 6, 5, 3, 1) // also as orders
	history(migrations.Filter{Migration: "purchases"}, 2, 6, 5)
	history(migrations.Filter{Migration: "orders"}, 0, 8, 7) // the new one only
	history(migrations.Filter{Migration: "users"}, 0)
	history(migrations.Filter{Kinds: []migrations.Kind{migrations.Created}}, 2, 7, 2)
	history(migrations.Filter{Migration: "carts", Kinds: []migrations.Kind{migrations.Shifted, migrations.Held}}, 0, 4)
	mustAppend(t, log, live("orders", 4))
	last, err := migrations.Latest(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	history(migrations.Filter{Since: last.Time}, 0, 9)
	history(migrations.Filter{Until: last.Time.Add(-time.Second)}, 2, 8, 7)
}

// TestFollowersTakeALogThatBeginsAgain if it does not fall behind what they
// have seen, and no other.
func TestFollowersTakeALogThatBeginsAgain(t *testing.T) {
	seen := fold(t, migrations.State{}, created("orders"), live("orders", 500))
	longer := fold(t, seen, live("orders", 900))
	short := func(s migrations.State) migrations.Event {
		return migrations.Event{Seq: s.Seq + 1, Time: s.Time, Migration: migrations.Every, Kind: migrations.Restored, State: &s}
	}
	for name, s := range map[string]migrations.State{"as far as was seen": seen, "farther": longer} {
		next, err := migrations.Next(seen, short(s))
		if err != nil || next.Seq != s.Seq+1 || !cmp.Equal(next.Migrations, s.Migrations) {
			t.Errorf("%s: event %d, %v", name, next.Seq, err)
		}
		f := migrations.NewFold(seen)
		if err := f.Next(short(s)); err != nil || f.Seq() != s.Seq+1 {
			t.Errorf("%s: event %d, %v", name, f.Seq(), err)
		}
	}
	if next, err := migrations.Next(longer, short(seen)); err == nil || next.Seq != longer.Seq {
		t.Errorf("an older state was taken: event %d", next.Seq)
	}
	if _, err := migrations.Apply(seen, short(seen)); err == nil {
		t.Error("a log may begin twice")
	}
}
