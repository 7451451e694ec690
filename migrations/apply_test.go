package migrations

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// text writes a state with everything in it, to see whether it changes.
func text(t interface{ Fatal(...any) }, s State) string {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Law 1: the state is a fold of the log. Law 9: Apply is pure.
func TestApplyIsAPureFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var states []State // after each event
		var texts []string
		var events []Event
		s, fold := State{}, new(Fold)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			e := randomEvent(t, s)
			before := text(t, s)
			next, err := Apply(s, e)
			if text(t, s) != before {
				t.Fatalf("applying %+v has changed the state before it", e)
			}
			if foldErr := fold.Apply(e); (err == nil) != (foldErr == nil) {
				t.Fatalf("Apply says %v, Fold %v", err, foldErr)
			}
			if err != nil {
				if text(t, next) != before {
					t.Fatalf("a refused event has changed the state: %v", err)
				}
				continue
			}
			holds(t, next)
			s = next
			events, states, texts = append(events, e), append(states, s), append(texts, text(t, s))
			if diff := cmp.Diff(s, fold.State()); diff != "" {
				t.Fatalf("Apply and Fold differ:\n%s", diff)
			}
		}
		for i := range states {
			if text(t, states[i]) != texts[i] {
				t.Fatalf("later events have changed the state after event %d", i+1)
			}
		}
		var again State
		for i, e := range events {
			var err error
			if again, err = Apply(again, e); err != nil {
				t.Fatal(err)
			}
			if text(t, again) != texts[i] {
				t.Fatalf("the replay differs after event %d", i+1)
			}
		}
	})
}

// holds checks what is true of every state.
func holds(t *rapid.T, s State) {
	for id, m := range s.Migrations {
		split, err := NewSplit(m.Split...)
		switch {
		case m.ID != id:
			t.Fatalf("%q is kept as %q", m.ID, id)
		case err != nil || len(m.Split) == 0 || !split.Equal(m.Split):
			t.Fatalf("%s has the split %v", id, m.Split)
		case m.Seq > s.Seq || m.Epoch > m.Seq || m.Epoch == 0:
			t.Fatalf("%s: epoch %d, seq %d of %d", id, m.Epoch, m.Seq, s.Seq)
		case m.Since.After(s.Time):
			t.Fatalf("%s: since %s, but it is %s", id, m.Since, s.Time)
		case m.RolledBack && m.Ramp == RampRunning:
			t.Fatalf("%s is rolled back and runs", id)
		case m.Step < 0:
			t.Fatalf("%s is at step %d", id, m.Step)
		}
	}
}

// history applies events to an empty state, numbered and one minute apart.
func history(t *testing.T, events ...Event) State {
	t.Helper()
	s := State{}
	for i, e := range events {
		e.Seq, e.Time = uint64(i+1), time.Date(2026, 3, 1, 12, i, 0, 0, time.UTC)
		var err error
		if s, err = Apply(s, e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func split(t *testing.T, text string) Split {
	t.Helper()
	s, err := NewSplit(parse(t, text)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachKindDoesWhatItSays(t *testing.T) {
	create := Event{Migration: "orders", Kind: Created, From: "monolith", To: "orders", Key: "cookie:uid", Plan: "p1", Actor: "ficus"}
	shift := Event{Migration: "orders", Kind: Shifted, Split: split(t, "live=5% shadow=95%"), Actor: "alice", Reason: "quiet"}
	resume := Event{Migration: "orders", Kind: Resumed, Step: 2, Actor: "bob"}
	base := history(t, create).Migrations["orders"]
	if base.Split.String() != "off=100%" || base.Ramp != RampIdle || base.Seq != 1 || base.Epoch != 1 || base.PastOff() {
		t.Errorf("created: %+v", base)
	}
	for _, test := range []struct {
		name   string
		events []Event
		want   func(m *Migration) // changes the migration after the last but one
	}{
		{"shifted", []Event{create, shift}, func(m *Migration) { m.Split, m.Epoch = shift.Split, 2 }},
		{"resumed", []Event{create, resume}, func(m *Migration) { m.Ramp, m.Step = RampRunning, 2 }},
		{"a shift holds a running ramp", []Event{create, resume, shift}, func(m *Migration) { m.Split, m.Epoch, m.Ramp = shift.Split, 3, RampHeld }},
		{"held", []Event{create, resume, {Migration: "orders", Kind: Held}}, func(m *Migration) { m.Ramp = RampHeld }},
		{"rolled back", []Event{create, resume, {Migration: "orders", Kind: RolledBack, Split: All(Off)}}, func(m *Migration) {
			m.Split, m.Epoch, m.Ramp, m.RolledBack = All(Off), 3, RampHeld, true
		}},
		{"a shift leaves a rollback standing", []Event{create, {Migration: "orders", Kind: RolledBack, Split: All(Off)}, shift}, func(m *Migration) { m.Split, m.Epoch = shift.Split, 3 }},
		{"a resume ends a rollback", []Event{create, {Migration: "orders", Kind: RolledBack, Split: All(Off)}, resume}, func(m *Migration) {
			m.Ramp, m.Step, m.RolledBack = RampRunning, 2, false
		}},
		{"planned", []Event{create, resume, {Migration: "orders", Kind: Planned, From: "monolith", To: "orders2", Key: "ip", Plan: "p2", Step: 1}}, func(m *Migration) {
			m.To, m.Key, m.Plan, m.Step = "orders2", "ip", "p2", 1
		}},
		{"retired", []Event{create, resume, {Migration: "orders", Kind: Retired}}, func(m *Migration) { m.Ramp, m.Retired = RampHeld, true }},
	} {
		last := test.events[len(test.events)-1]
		want := history(t, test.events[:len(test.events)-1]...).Migrations["orders"]
		got := history(t, test.events...)
		test.want(&want)
		want.Seq, want.Actor, want.Reason = got.Seq, last.Actor, last.Reason
		if want.Epoch == got.Seq {
			want.Since = got.Time
		}
		m := got.Migrations["orders"]
		m.Progress, m.Tests, want.Progress, want.Tests = Progress{}, 0, Progress{}, 0 // see course_test.go
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestRenamedMigrationKeepsItsState(t *testing.T) {
	create := Event{Migration: "orders", Kind: Created, From: "monolith", To: "orders"}
	shift := Event{Migration: "orders", Kind: Shifted, Split: split(t, "live=5%")}
	before := history(t, create, shift)
	after := history(t, create, shift, Event{Migration: "purchases", Kind: Renamed, From: "orders", Actor: "ficus"})
	want := before.Migrations["orders"]
	want.ID, want.Seq, want.Actor = "purchases", 3, "ficus"
	if diff := cmp.Diff(map[string]Migration{"purchases": want}, after.Migrations); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRetiredMigrationMayBeginAgain(t *testing.T) {
	create := Event{Migration: "orders", Kind: Created}
	retired := history(t, create, Event{Migration: "orders", Kind: Shifted, Split: All(Complete)}, Event{Migration: "orders", Kind: Retired})
	if ids := retired.IDs(); len(ids) != 0 {
		t.Errorf("retired migrations are listed: %v", ids)
	}
	again := history(t, create, Event{Migration: "orders", Kind: Shifted, Split: All(Complete)}, Event{Migration: "orders", Kind: Retired}, create)
	if m := again.Migrations["orders"]; m.Retired || m.PastOff() || m.Epoch != 4 {
		t.Errorf("begun again: %+v", m)
	}
}

func TestRestoreRefusesAStateThatContradictsItself(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := func() (State, Event) {
		s := State{Seq: 9, Time: now, Migrations: map[string]Migration{"orders": {ID: "orders", Split: All(Live), Seq: 8, Epoch: 7, Ramp: RampHeld}}}
		return s, Event{Seq: 10, Time: now, Migration: Every, Kind: Restored, State: &s}
	}
	kept, e := good()
	s, err := Apply(State{}, e)
	if err != nil || s.Seq != 10 || s.EverySeq != 10 || !cmp.Equal(s.Migrations, kept.Migrations) || s.LastSeq("orders") != 10 {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, spoil := range map[string]func(*State, *Event){
		"number":       func(_ *State, e *Event) { e.Seq = 12 },
		"no state":     func(_ *State, e *Event) { e.State = nil },
		"time":         func(_ *State, e *Event) { e.Time = now.Add(-time.Second) },
		"migration":    func(_ *State, e *Event) { e.Migration = "orders" },
		"id":           func(s *State, _ *Event) { s.Migrations["carts"] = s.Migrations["orders"] },
		"empty split":  func(s *State, _ *Event) { s.Migrations["orders"] = Migration{ID: "orders"} },
		"later number": func(s *State, _ *Event) { s.Migrations["orders"] = Migration{ID: "orders", Split: All(Off), Seq: 10} },
	} {
		s, e := good()
		spoil(&s, &e)
		e.State = &s
		if name == "no state" {
			e.State = nil
		}
		if _, err := Apply(State{}, e); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
	if _, err := Apply(s, e); err == nil {
		t.Error("a state was restored in the middle of a log")
	}
}

func TestAdmitAcceptsWhatApplyAcceptsAndStampsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := State{}
		for range rapid.IntRange(1, 15).Draw(t, "appends") {
			var batch []Event
			for range rapid.IntRange(1, 3).Draw(t, "events") {
				batch = append(batch, randomEvent(t, s))
			}
			after := rapid.OneOf(rapid.Just(Unconditional), rapid.Just(s.Seq), rapid.Uint64Range(0, s.Seq)).Draw(t, "after")
			now := time.Date(2026, 3, 1, 12, 0, rapid.IntRange(0, 59).Draw(t, "now"), 1234567, time.Local)
			before := text(t, s)
			admitted, next, err := Admit(s, after, now, batch...)
			newer := false
			for _, e := range batch {
				newer = newer || s.LastSeq(e.Migration) > after || e.Kind == Renamed && s.LastSeq(e.From) > after
			}
			if newer && !errors.Is(err, ErrConflict) || !newer && errors.Is(err, ErrConflict) {
				t.Fatalf("after %d, %+v: %v", after, batch, err)
			}
			if err != nil {
				if text(t, next) != before {
					t.Fatal("a refusal has changed the state")
				}
				continue
			}
			replayed := s
			for i, e := range admitted {
				if e.More != len(admitted)-1-i || e.Time.Location() != time.UTC {
					t.Fatalf("admitted %+v", e)
				}
				if replayed, err = Apply(replayed, e); err != nil {
					t.Fatal(err)
				}
			}
			if text(t, replayed) != text(t, next) || text(t, s) != before {
				t.Fatal("the state after an append is not the fold of its events")
			}
			s = next
		}
	})
}
