package migrations

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// someRuling draws what an outside flag provider may say.
func someRuling(t *rapid.T) Ruling {
	r := Ruling{
		Source:  rapid.SampledFrom([]string{"file:flags.json", "file:flags.json", "ofrep+https://flags", BuiltIn}).Draw(t, "source"),
		Version: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "version"),
	}
	if rapid.Bool().Draw(t, "known") {
		r.Split = splits().Draw(t, "split")
	}
	return r
}

// append1 applies an event that must fit.
func append1(t interface{ Fatal(...any) }, s State, e Event) State {
	_, next, err := Admit(s, Unconditional, s.Time.Add(time.Second), e)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// A ruling is stated once, whoever looks again; and what follows from it is
// what it says, but for a rollback, which stands until somebody resumes.
func TestARulingIsRecordedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := State{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			if next, err := Apply(s, randomEvent(t, s)); err == nil {
				s = next
			}
		}
		plan := Plan{ID: rapid.SampledFrom(someIDs).Draw(t, "migration"), Data: rapid.SampledFrom([]Data{"", DataMoved}).Draw(t, "data")}
		r := someRuling(t)
		e, news := Record(s, plan, r)
		if !news {
			return
		}
		before := s.Migrations[plan.ID]
		s = append1(t, s, e)
		if again, news := Record(s, plan, r); news {
			t.Fatalf("stated again: %+v, on %+v", again, s.Migrations[plan.ID])
		}
		m := s.Migrations[plan.ID]
		for _, name := range m.CellNames() {
			was, is := before.Course(name), m.Course(name)
			switch {
			case was.RolledBack && (!is.RolledBack || !is.Split.Equal(was.Split)):
				t.Fatalf("a flag has undone the rollback of %s: %+v", name, is)
			case was.Completed() && r.Split == nil && !is.Completed():
				t.Fatalf("a flag of which nothing is known has undone complete: %+v", is)
			case plan.Data == DataMoved && before.Completed() && r.Source != BuiltIn && !is.Completed():
				t.Fatalf("a flag has taken people back from where their data is: %+v", is)
			case was.RolledBack || r.Source == BuiltIn:
			case r.Split != nil && (is.Unknown || !is.Split.Equal(r.Split)):
				t.Fatalf("the flag says %s, the log %+v", r.Split, is)
			case r.Split == nil && !is.Completed() && !is.Unknown:
				t.Fatalf("nobody knows the share, and the log says %s", is.Split)
			}
			if m.Outside != nil && is.Ramp == RampRunning && was.Ramp != RampRunning {
				t.Fatalf("the ramp of %s runs beside the flag", name)
			}
		}
	})
}

// outsideAt returns the state of orders that an outside flag has brought to a split.
func outsideAt(t *testing.T, split Split) State {
	t.Helper()
	s := State{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s = append1(t, s, Event{Migration: "orders", Kind: Created, From: "monolith", To: "orders", Flag: "orders"})
	e, news := Record(s, Plan{ID: "orders"}, Ruling{Source: "file:flags.json", Version: "1", Split: split})
	if !news {
		t.Fatal("not recorded")
	}
	return append1(t, s, e)
}

func TestCommandsSayWhoDecides(t *testing.T) {
	s := outsideAt(t, Split{{Live, 5000}, {Off, 95000}})
	plan := ramp("live=5%", "live=50%")
	plan.ID = "orders"
	c := Command{Migration: "orders", Actor: "alice", Reason: "because"}
	for name, command := range map[string]func() (Event, error){
		"shift":   func() (Event, error) { return Shift(s, c, plan, Share{Live, 10}) },
		"hold":    func() (Event, error) { return Hold(s, c) },
		"resume":  func() (Event, error) { return Resume(s, c, plan) },
		"approve": func() (Event, error) { return Approve(s, c, plan) },
		"skip":    func() (Event, error) { return Skip(s, c, plan) },
		"restart": func() (Event, error) { return Restart(s, c) },
	} {
		_, err := command()
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := `file:flags.json decides by its flag "orders"`; !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want that %s", name, err, want)
		}
	}
	e, err := Rollback(s, c, plan, false)
	if err != nil {
		t.Fatal(err)
	}
	s = append1(t, s, e)
	e, err = Resume(s, c, plan)
	if err != nil {
		t.Fatalf("the rollback of a flag cannot be ended: %v", err)
	}
	if s = append1(t, s, e); s.Migrations["orders"].Ramp != RampIdle {
		t.Errorf("%+v", s.Migrations["orders"])
	}
	if _, news := Record(s, plan, Ruling{Source: "file:flags.json", Version: "1", Split: Split{{Live, 5000}, {Off, 95000}}}); !news {
		t.Error("the flag counts again, and the log still says that nobody is on the service")
	}
}

// A flag that goes back where the data has moved is not refused, but the log says
// what that means.
func TestAFlagThatLosesDataIsKnown(t *testing.T) {
	s := outsideAt(t, Split{{Live, 5000}, {Off, 95000}})
	for live, loses := range map[int]bool{4000: true, 5000: false, 6000: false} {
		e, _ := Record(s, Plan{ID: "orders", Data: DataMoved}, Ruling{Source: "file:flags.json", Version: "2", Split: Split{{Live, live}, {Off, Buckets - live}}})
		if e.DataLoss != loses {
			t.Errorf("from 5,000 to %d: %+v", live, e)
		}
	}
}

// bad returns counts in which a service with a share of people fails.
func bad(s State, share int) evidence.Counts {
	course := s.Migrations["orders"].Course("")
	cell := evidence.NewCell(course.Test, share)
	cell.Begin(course.Epoch, share)
	e := cell.Epoch(course.Epoch)
	for i := range 1000 {
		side := evidence.Legacy
		if i < 50 {
			side = evidence.Modern
			cell.Count(evidence.Errors, evidence.Key(i), course.Epoch, side)
		}
		cell.Saw(evidence.Key(i), course.Epoch, side)
		e.Requests[side]++
	}
	cell.Harm = 50
	return evidence.Counts{At: s.Time, Gateways: 1, Cells: map[string]*evidence.Cell{"": cell}}
}

func TestAGuardRollsBackWhatAFlagOfSomebodyElseHasMoved(t *testing.T) {
	plan := ramp("live=5%", "live=50%")
	plan.ID, plan.Guard.FalseAlarm = "orders", 0.001
	plan.Rollback = Way{Return: time.Minute, Retry: time.Hour}
	known := outsideAt(t, Split{{Live, 5000}, {Shadow, 95000}})
	events := Decide(known, plan, bad(known, 5000), known.Time.Add(time.Minute))
	if len(events) != 1 || events[0].Kind != RolledBack || events[0].Cause != CauseTest {
		t.Fatalf("the share is known, and the test says %+v", events)
	}

	unknown := outsideAt(t, nil)
	if c := unknown.Migrations["orders"].Course(""); !c.Unknown || c.Test == 0 {
		t.Fatalf("%+v", c)
	}
	if events := Decide(unknown, plan, bad(unknown, Buckets), unknown.Time.Add(time.Minute)); len(events) > 0 {
		t.Fatalf("the share is not known, so there is nothing to test against: %+v", events)
	}
	plan.Guard.Harm = 20
	events = Decide(unknown, plan, bad(unknown, Buckets), unknown.Time.Add(time.Minute))
	if len(events) != 1 || events[0].Kind != RolledBack || events[0].Cause != CauseHarm {
		t.Fatalf("what is absolute needs no share: %+v", events)
	}
	s := append1(t, unknown, events[0])
	if m := s.Migrations["orders"]; !m.RolledBack || m.PastOff() {
		t.Errorf("%+v", m)
	}
}

// Nothing of ours moves forward what an outside flag decides.
func TestNoRampBesideAnOutsideFlag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := somePlan(t)
		plan.Rollback.Retry = 0
		s := State{Time: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
		s = append1(t, s, Event{Migration: "orders", Kind: Created, Plan: plan.Hash(), Cells: plan.CellSteps(Migration{}), Steps: len(plan.Steps)})
		for range rapid.IntRange(1, 10).Draw(t, "rounds") {
			r := someRuling(t)
			if r.Source == BuiltIn {
				r.Source = "file:flags.json"
			}
			if e, news := Record(s, plan, r); news {
				s = append1(t, s, e)
			}
			now := s.Time.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "seconds")) * time.Second)
			for _, e := range Decide(s, plan, someCounts(t, s, now), now) {
				if e.Kind != RolledBack && e.Kind != Held && e.Kind != Renewed {
					t.Fatalf("%+v", e)
				}
				s = append1(t, s, e)
			}
		}
	})
}

// Going back to the built-in flags moves nobody forward: where nobody knows who
// is where, everybody is at off.
func TestTheLogTakesOver(t *testing.T) {
	plan := Plan{ID: "orders"}
	for name, split := range map[string]Split{"known": {{Live, 5000}, {Off, 95000}}, "unknown": nil} {
		s := outsideAt(t, split)
		e, news := Record(s, plan, Ruling{Source: BuiltIn})
		if !news {
			t.Fatal(name, "not recorded")
		}
		s = append1(t, s, e)
		m := s.Migrations["orders"]
		if split == nil {
			split = All(Off)
		}
		if m.Outside != nil || m.Unknown || !m.Split.Equal(split) {
			t.Errorf("%s: %+v", name, m)
		}
		if _, err := Shift(s, Command{Migration: "orders"}, plan, Share{Live, 10}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
