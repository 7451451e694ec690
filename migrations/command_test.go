package migrations

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every command on every state is refused, or gives an event that fits.
func TestCommandsGiveEventsThatFit(t *testing.T) {
	plan := ramp("shadow=100%", "live=1%", "live=10%", "complete=100%")
	rapid.Check(t, func(t *rapid.T) {
		s := State{}
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			if next, err := Apply(s, randomEvent(t, s)); err == nil {
				s = next
			}
		}
		c := Command{Migration: rapid.SampledFrom(someIDs).Draw(t, "id"), Actor: "alice", Reason: "because", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"}
		plan := plan
		plan.Data = rapid.SampledFrom([]Data{"", DataShared, DataMoved}).Draw(t, "data")
		accept := rapid.Bool().Draw(t, "accept loss")
		for name, command := range map[string]func() (Event, error){
			"shift":    func() (Event, error) { return Shift(s, c, Plan{}, Share{Live, 5000}) },
			"hold":     func() (Event, error) { return Hold(s, c) },
			"resume":   func() (Event, error) { return Resume(s, c, plan) },
			"rollback": func() (Event, error) { return Rollback(s, c, plan, accept) },
		} {
			e, err := command()
			m, known := s.Migrations[c.Migration]
			switch {
			case !known || m.Retired:
				if !errors.Is(err, ErrNoMigration) {
					t.Fatalf("%s of an unknown migration: %v", name, err)
				}
				continue
			case err != nil:
				moved := name == "rollback" && !accept && plan.Data == DataMoved
				back, outside := name == "shift" && m.RolledBack, name != "rollback" && m.Outside != nil
				if !errors.Is(err, ErrRefused) || !moved && !back && !outside {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			if e.Actor != c.Actor || e.Reason != c.Reason || e.TraceID != c.TraceID || e.Migration != c.Migration {
				t.Fatalf("%s gives %+v", name, e)
			}
			if _, next, err := Admit(s, s.LastSeq(c.Migration), time.Now(), e); err != nil {
				t.Fatalf("%s: %v", name, err)
			} else if got := next.Migrations[c.Migration]; name == "rollback" && (got.PastOff() || !got.RolledBack) {
				t.Fatalf("after a rollback: %+v", got)
			}
		}
	})
}

func TestShiftRefusesWhatIsNoSplit(t *testing.T) {
	s := history(t, Event{Migration: "orders", Kind: Created})
	for name, named := range map[string][]Share{
		"nothing":  nil,
		"too much": {{Live, 60_000}, {Shadow, 60_000}},
		"twice":    {{Live, 1}, {Live, 1}},
		"negative": {{Live, -1}},
		"unknown":  {{"sideways", 1}},
	} {
		if e, err := Shift(s, Command{Migration: "orders"}, Plan{}, named...); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestRollbackOfMovedDataNeedsConsent(t *testing.T) {
	s := history(t, Event{Migration: "orders", Kind: Created}, Event{Migration: "orders", Kind: Shifted, Split: All(Complete)})
	c := Command{Migration: "orders"}
	if _, err := Rollback(s, c, Plan{Data: DataMoved}, false); !errors.Is(err, ErrRefused) {
		t.Errorf("without consent: %v", err)
	}
	if e, err := Rollback(s, c, Plan{Data: DataMoved}, true); err != nil || !e.DataLoss {
		t.Errorf("with consent: %+v, %v", e, err)
	}
	if e, err := Rollback(s, c, Plan{Data: DataShared}, true); err != nil || e.DataLoss {
		t.Errorf("with shared data: %+v, %v", e, err)
	}
}

// Two ways around what a rollback protects: to shift back what has moved, and
// to shift forward what was taken back.
func TestAShiftIsNoWayAroundARollback(t *testing.T) {
	at := func(split Split, rolledBack bool) State {
		return State{Seq: 3, Migrations: map[string]Migration{"orders": {ID: "orders", Split: split, Seq: 3, RolledBack: rolledBack}}}
	}
	half := Split{{Live, 50_000}, {Off, 50_000}}
	for name, c := range map[string]struct {
		state State
		plan  Plan
		named Share
		ok    bool
	}{
		"moved data back":              {at(half, false), Plan{Data: DataMoved}, Share{Live, 10_000}, false},
		"moved data to off":            {at(half, false), Plan{Data: DataMoved}, Share{Off, Buckets}, false},
		"moved data forward":           {at(half, false), Plan{Data: DataMoved}, Share{Live, 60_000}, true},
		"shared data back":             {at(half, false), Plan{Data: DataShared}, Share{Live, 10_000}, true},
		"forward after a rollback":     {at(All(Off), true), Plan{}, Share{Live, 1000}, false},
		"shadow after a rollback":      {at(All(Off), true), Plan{}, Share{Shadow, Buckets}, false},
		"where it is, after one":       {at(All(Shadow), true), Plan{}, Share{Off, Buckets}, true},
		"forward, after it is settled": {at(All(Off), false), Plan{}, Share{Live, 1000}, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Shift(c.state, Command{Migration: "orders", Reason: "why"}, c.plan, c.named)
			if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("error %v, want it allowed %v", err, c.ok)
			}
		})
	}
}
