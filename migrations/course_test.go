package migrations

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

func TestEachStepIsATest(t *testing.T) {
	on := func(kind Kind, more Event) Event {
		more.Migration, more.Kind = "orders", kind
		return more
	}
	live := func(percent int) Split { return Split{{Live, percent * 1000}, {Shadow, Buckets - percent*1000}} }
	s := history(t,
		on(Created, Event{}),
		on(Resumed, Event{}),
		on(Stepped, Event{Step: 1, Steps: 3, Split: All(Shadow), Tau: time.Second}),
		on(Stepped, Event{Step: 2, Steps: 3, Split: live(5)}),
		on(Approved, Event{Step: 3}),
	)
	c := s.Migrations["orders"].Course("")
	want := Progress{Steps: 3, Began: c.Since, Turn: 2, Test: 4, K: 2, Tau: time.Second, Taus: evidence.Taus{evidence.FirstByteP99: time.Second}, Approved: 3}
	if diff := cmp.Diff(want, c.Progress); diff != "" || c.Epoch != 4 || c.Step != 2 {
		t.Errorf("%s\n%+v", diff, c)
	}
	for _, test := range []struct {
		name        string
		event       Event
		test        uint64
		k, tests    int
		epoch       uint64
		ramp        Ramp
		holdsAfresh bool
	}{
		{"back by hand", on(Shifted, Event{Split: live(1)}), 4, 2, 2, 6, RampHeld, true},
		{"forward by hand", on(Shifted, Event{Split: live(50)}), 6, 3, 3, 6, RampHeld, true},
		{"off by hand", on(Shifted, Event{Split: All(Off)}), 0, 0, 2, 6, RampHeld, true},
		{"held", on(Held, Event{Cause: CauseBlip}), 4, 2, 2, 4, RampHeld, false},
		{"resumed", on(Resumed, Event{Step: 2}), 4, 2, 2, 4, RampRunning, true},
		{"restarted", on(Restarted, Event{}), 6, 3, 3, 6, RampRunning, true},
		{"renewed", on(Renewed, Event{}), 6, 3, 3, 6, RampRunning, false},
		{"skipped", on(Skipped, Event{Step: 3, Split: live(50)}), 6, 3, 3, 6, RampRunning, true},
		{"rolled back", on(RolledBack, Event{Split: All(Off)}), 0, 0, 2, 6, RampHeld, false},
		{"on its way back", on(Returning, Event{Split: live(3)}), 4, 2, 2, 6, RampHeld, false},
	} {
		e := test.event
		e.Seq, e.Time = 6, s.Time.Add(time.Hour)
		after, err := Apply(s, e)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		m := after.Migrations["orders"]
		if m.Test != test.test || m.K != test.k || m.Tests != test.tests || m.Epoch != test.epoch || m.Ramp != test.ramp || m.Began.Equal(e.Time) != test.holdsAfresh {
			t.Errorf("%s: %+v", test.name, m)
		}
	}
	for name, e := range map[string]Event{
		"a step back":               on(Stepped, Event{Step: 3, Split: All(Off)}),
		"a step without a number":   on(Stepped, Event{Split: live(50)}),
		"a way back that leads on":  on(Returning, Event{Split: live(50)}),
		"a step of an unknown cell": on(Stepped, Event{Step: 3, Split: live(50), Cell: "mars"}),
	} {
		e.Seq, e.Time = 6, s.Time
		if _, err := Apply(s, e); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	held := history(t, on(Created, Event{}), on(Resumed, Event{}), on(Held, Event{}))
	if _, err := Apply(held, Event{Seq: 4, Time: held.Time, Migration: "orders", Kind: Stepped, Step: 1, Split: live(5)}); err == nil {
		t.Error("a held ramp took a step")
	}
}

func TestFrozenUntilThawed(t *testing.T) {
	s := history(t, Event{Migration: "orders", Kind: Created},
		Event{Migration: Every, Kind: Frozen, Reason: "sale"}, Event{Migration: "orders", Kind: Frozen})
	if s.Frozen != "sale" || s.EverySeq != 2 || s.Migrations["orders"].Frozen != "frozen" {
		t.Errorf("%+v", s)
	}
	for i, id := range []string{Every, "orders"} {
		e, err := ThawRamps(s, Command{Migration: id, Actor: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		e.Seq, e.Time = uint64(4+i), s.Time
		if s, err = Apply(s, e); err != nil {
			t.Fatal(err)
		}
	}
	if s.Frozen != "" || s.EverySeq != 4 || s.Migrations["orders"].Frozen != "" {
		t.Errorf("thawed: %+v", s)
	}
	if _, err := FreezeRamps(s, Command{Migration: Every}); !errors.Is(err, ErrRefused) {
		t.Errorf("a freeze without a reason: %v", err)
	}
	if _, err := FreezeRamps(s, Command{Migration: "carts", Reason: "sale"}); !errors.Is(err, ErrNoMigration) {
		t.Errorf("a freeze of nothing: %v", err)
	}
}

// A new cell begins where its people have been, and one that is gone falls
// into the rest.
func TestCellsComeAndGo(t *testing.T) {
	at := Split{{Live, 5000}, {Off, 95000}}
	s := history(t,
		Event{Migration: "orders", Kind: Created, Cells: Cells{"eu": 0}},
		Event{Migration: "orders", Kind: Resumed},
		Event{Migration: "orders", Kind: Stepped, Cell: "eu", Step: 1, Split: at},
		Event{Migration: "orders", Kind: Planned, Cells: Cells{"eu": 1, "us": 0}, Steps: 2},
	)
	m := s.Migrations["orders"]
	if !m.Course("eu").Split.Equal(at) || m.Course("eu").Step != 1 || m.Course("us").PastOff() || m.Course(Rest).PastOff() || m.Course("us").Ramp != RampRunning {
		t.Errorf("%+v", m)
	}
	e, err := Shift(s, Command{Migration: "orders", Cell: "us"}, Plan{}, Share{Live, 1000})
	if err != nil || e.Cell != "us" {
		t.Fatalf("%+v, %v", e, err)
	}
	for name, command := range map[string]func(Command) error{
		"shift":    func(c Command) error { _, err := Shift(s, c, Plan{}, Share{Live, 1}); return err },
		"approve":  func(c Command) error { _, err := Approve(s, c, Plan{Steps: make([]Step, 2)}); return err },
		"resume":   func(c Command) error { _, err := Resume(s, c, Plan{}); return err },
		"rollback": func(c Command) error { _, err := Rollback(s, c, Plan{}, false); return err },
	} {
		if err := command(Command{Migration: "orders", Cell: "mars"}); !errors.Is(err, ErrRefused) {
			t.Errorf("%s of an unknown cell: %v", name, err)
		}
	}
	if _, err := Approve(s, Command{Migration: "orders"}, Plan{Steps: make([]Step, 2)}); !errors.Is(err, ErrRefused) {
		t.Errorf("an approval of no cell in particular: %v", err)
	}
	e = Event{Seq: 5, Time: s.Time, Migration: "orders", Kind: Planned}
	if s, err = Apply(s, e); err != nil || len(s.Migrations["orders"].Cells) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
