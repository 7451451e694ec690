package migrations

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// somePlan draws a plan of orders.
func somePlan(t *rapid.T) Plan {
	p := ramp(rapid.SampledFrom([][]string{
		{"shadow", "live=5%", "live=50%", "complete"}, {"live=1%", "live=95%"}, {"shadow=50%", "shadow", "live=10%"}, {},
	}).Draw(t, "ramp")...)
	p.ID, p.Guard.FalseAlarm = "orders", 0.01
	for i := range p.Steps {
		p.Steps[i].Hold = time.Duration(rapid.IntRange(0, 2).Draw(t, "hold")) * time.Minute
		p.Steps[i].Requests = rapid.IntRange(0, 100).Draw(t, "requests") * min(p.Split(i+1).Modern(), 1)
		p.Steps[i].Approve = rapid.IntRange(0, 4).Draw(t, "approve") == 0
	}
	p.Auto = rapid.Bool().Draw(t, "auto")
	p.AtOnce = rapid.IntRange(0, 2).Draw(t, "at once")
	p.Guard.Harm = rapid.SampledFrom([]int{0, 0, 5}).Draw(t, "harm")
	p.Guard.Mismatches = rapid.SampledFrom([]float64{0, 0.01}).Draw(t, "mismatches")
	if rapid.Bool().Draw(t, "spread") {
		p.Rollback = Way{To: Shadow, Return: 20 * time.Second, Retry: time.Minute}
	}
	switch rapid.IntRange(0, 5).Draw(t, "data") {
	case 0:
		p.Data = DataMoved
	case 1:
		p.Data, p.Synced = DataSynced, &Synced{MaxLag: 5 * time.Second}
	}
	if rapid.IntRange(0, 3).Draw(t, "cells") == 0 {
		p.Cells = []Cell{{Name: "us"}, {Name: "eu"}}
	}
	return p
}

// someCounts draws what may be known of the present tests of orders: more often
// than not, that all is well.
func someCounts(t *rapid.T, s State, now time.Time) evidence.Counts {
	out := evidence.Counts{At: now, Cells: map[string]*evidence.Cell{}, Lag: evidence.Lag{Known: true}}
	well := rapid.IntRange(0, 9).Draw(t, "well") < 6
	odd := func(what string) bool { return !well && rapid.IntRange(0, 4).Draw(t, what) == 0 }
	out.Own = odd("own")
	if odd("stale") {
		out.At = now.Add(-time.Minute)
	}
	if odd("lag") {
		out.Lag.Behind = time.Minute
	}
	m := s.Migrations["orders"]
	for _, name := range m.CellNames() {
		course := m.Course(name)
		if course.Test == 0 || odd("unknown") {
			continue
		}
		people := 1500
		if odd("few") {
			people = 30
		}
		c := evidence.NewCell(course.Test, course.Split.Modern())
		c.Begin(course.Epoch, course.Split.Modern())
		e := c.Epoch(course.Epoch)
		for i := range people {
			side := evidence.Legacy
			if i*Buckets/people < course.Split.Modern() {
				side = evidence.Modern
			}
			c.Saw(evidence.Key(i), course.Epoch, side)
			e.Requests[side] += 8
			e.Clean[side] += 8
		}
		if !well {
			for i := range rapid.SampledFrom([]int{0, 0, 1, 20}).Draw(t, "bad") {
				c.Count(evidence.Errors, evidence.Key(i), course.Epoch, evidence.Modern)
			}
		}
		if course.Split.Share(Shadow) > 0 && !odd("none compared") {
			c.Observed.Sampled, c.Observed.Match = 100, 100
		}
		if odd("harm") {
			c.Harm = 6
		}
		if odd("streak") {
			var streak evidence.Streak
			for i := range rapid.SampledFrom([]int{4, 25}).Draw(t, "in a row") {
				streak.Heal(now.Add(time.Duration(i-25)*200*time.Millisecond), 0)
			}
			c.Streaks = evidence.Streaks{"a": streak}
		}
		key := name
		if len(m.Cells) == 0 {
			key = ""
		}
		out.Cells[key] = c
	}
	if odd("burns") {
		for side := range out.Burn {
			if rapid.Bool().Draw(t, "side") {
				out.Burn[side].Add(now, 100, 100)
			}
		}
	}
	return out
}

// someHistory draws a log in which people and the gateway took turns, and calls
// look before each decision of the gateway.
func someHistory(t *rapid.T, look func(State, Plan, evidence.Counts, time.Time, []Event)) {
	plan := somePlan(t)
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var log []Event
	s, err := State{}, error(nil)
	apply := func(events ...Event) {
		var admitted []Event
		if admitted, s, err = Admit(s, Unconditional, now, events...); err != nil {
			t.Fatalf("%+v: %v", events, err)
		}
		log = append(log, admitted...)
	}
	apply(Event{Migration: "carts", Kind: Created}, Event{Migration: "orders", Kind: Created, Plan: plan.Hash(), Cells: plan.CellSteps(Migration{}), Steps: len(plan.Steps)})
	for range rapid.IntRange(1, 25).Draw(t, "rounds") {
		now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 10, 60, 600}).Draw(t, "seconds")) * time.Second)
		command := Command{Migration: "orders", Actor: "alice", Reason: "because"}
		var e Event
		switch rapid.IntRange(0, 19).Draw(t, "person") {
		case 0, 1, 8, 9:
			e, err = Resume(s, command, plan)
		case 2:
			e, err = Approve(s, command, plan)
		case 3:
			e, err = Skip(s, command, plan)
		case 4:
			e, err = Shift(s, command, Plan{}, Share{Live, rapid.IntRange(0, Buckets).Draw(t, "live")})
		case 5:
			command.Migration = rapid.SampledFrom([]string{Every, "orders"}).Draw(t, "frozen")
			e, err = FreezeRamps(s, command)
			if s.Frozen != "" || s.Migrations["orders"].Frozen != "" {
				e, err = ThawRamps(s, command)
			}
		case 6:
			e, err = Restart(s, command)
		case 7:
			e, err = Event{Migration: "carts", Kind: Resumed}, nil
		default:
			err = ErrRefused
		}
		if err == nil {
			apply(e)
		} else if !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		counts := someCounts(t, s, now)
		events := Decide(s, plan, counts, now)
		look(s, plan, counts, now, events)
		if len(events) > 0 {
			apply(events...) // a decision always fits
		}
	}
	again := State{}
	for _, e := range log {
		line, _ := encode(t, Hash{}, e)
		read, _, err := DecodeLine(Hash{}, line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if again, err = Apply(again, read); err != nil {
			t.Fatal(err)
		}
	}
	if text(t, again) != text(t, s) {
		t.Fatal("the replay of the log that was read back differs")
	}
}

// Law 9, and the promise of a ramp: never forward without evidence.
func TestNeverForwardWithoutEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		someHistory(t, func(s State, p Plan, counts evidence.Counts, now time.Time, events []Event) {
			for _, e := range events {
				m := s.Migrations["orders"]
				c := m.Course(e.Cell)
				if !e.Split.Beyond(c.Split) || e.Kind != Stepped {
					if len(e.Split) > 0 && e.Split.Beyond(c.Split) {
						t.Fatalf("%s leads forward, from %s to %s", e.Kind, c.Split, e.Split)
					}
					continue
				}
				name := e.Cell
				cell := counts.Cells[name]
				switch {
				case c.Ramp != RampRunning || c.RolledBack || s.Frozen != "" || m.Frozen != "":
					t.Fatalf("stepped to %s while %+v", e.Split, c)
				case e.Step != c.Step+1:
					t.Fatalf("from step %d to %d", c.Step, e.Step)
				case p.Steps[e.Step-1].Approve && c.Approved != e.Step:
					t.Fatalf("step %d was not approved", e.Step)
				case c.Step == 0:
				case counts.Own || evidence.IsStale(counts.At, now):
					t.Fatal("stepped on counts that are not those of all")
				case cell == nil || cell.Test != c.Test:
					t.Fatal("stepped without counts")
				case now.Before(c.Began.Add(p.Steps[c.Step-1].Hold)):
					t.Fatal("stepped before its time")
				case c.Split.Modern() > 0 && (cell.Clean() < max(uint64(p.Steps[c.Step-1].Requests), LeastClean) || cell.Few(false) && c.Split.Modern() < Buckets):
					t.Fatalf("stepped on %d clean requests of %d people", cell.Clean(), cell.Active.Len())
				case c.Split.Share(Shadow) > 0 && c.Split.Modern() == 0 && cell.Observed.Compared() < LeastClean:
					t.Fatalf("stepped on %d comparisons", cell.Observed.Compared())
				}
			}
		})
	})
}

// Law 6: what keeps a ramp from moving never keeps it from going back.
func TestNothingBlocksTheWayBack(t *testing.T) {
	back := func(events []Event) (kinds []Kind) {
		for _, e := range events {
			if e.Kind == RolledBack || e.Kind == Returning {
				kinds = append(kinds, e.Kind)
			}
		}
		return kinds
	}
	rapid.Check(t, func(t *rapid.T) {
		someHistory(t, func(s State, p Plan, counts evidence.Counts, now time.Time, events []Event) {
			want := back(events)
			m := s.Migrations["orders"]
			s.Frozen, m.Frozen, m.Plan = "sale", "sale", "0123456789abcdef"
			s.Migrations = map[string]Migration{"orders": m, "carts": {ID: "carts", Ramp: RampRunning, Progress: Progress{Turn: 1}}}
			always, err := ParseFreeze("2026-01-01", "2027-01-01", "", "")
			if err != nil {
				t.Fatal(err)
			}
			p.Freezes, p.AtOnce = []Freeze{always}, 1
			for i := range p.Steps {
				p.Steps[i].Approve = true
			}
			counts.At, counts.Load = time.Time{}, 1
			got := Decide(s, p, counts, now)
			if len(back(got)) != len(want) {
				t.Fatalf("decided %s, and before anything blocked it %s", texts(got), texts(events))
			}
			for _, e := range got {
				if e.Kind == Stepped || e.Kind == Resumed {
					t.Fatalf("blocked, and decided %s", texts(got))
				}
			}
		})
	})
}

// A decision that was made is not made again, and the same is decided of the
// same.
func TestDecideIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		someHistory(t, func(s State, p Plan, counts evidence.Counts, now time.Time, events []Event) {
			before := text(t, s)
			if again := Decide(s, p, counts.Clone(), now); texts(again) != texts(events) {
				t.Fatalf("decided %s, and then %s", texts(events), texts(again))
			}
			if text(t, s) != before {
				t.Fatal("deciding has changed the state")
			}
			for range 8 {
				if len(events) == 0 {
					return
				}
				var err error
				if _, s, err = Admit(s, s.LastSeq("orders"), now, events...); err != nil {
					t.Fatal(err)
				}
				events = Decide(s, p, counts, now)
			}
			t.Fatalf("it never comes to rest: %s at %+v", texts(events), s.Migrations["orders"])
		})
	})
}
