package migrations

import "testing"

func TestTripEndsWithWhatTheLogSays(t *testing.T) {
	split := func(text string) Split {
		shares, err := ParseShares(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSplit(shares...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	decided := Event{Migration: "orders", Kind: RolledBack, Split: All(Off), Actor: gateway, Cause: CauseTest}
	s := State{Seq: 5, Migrations: map[string]Migration{"orders": {ID: "orders", Seq: 5, Split: split("live=5%"), Actor: gateway}}}
	trip, err := NewTrip(s, Plan{}, decided)
	if err != nil || trip.After != 5 {
		t.Fatalf("%+v, %v", trip, err)
	}
	with := func(change func(*Migration)) State {
		m := s.Migrations["orders"]
		m.Seq++
		change(&m)
		return State{Seq: 6, Migrations: map[string]Migration{"orders": m}}
	}
	for name, c := range map[string]struct {
		state State
		want  Standing
	}{
		"nothing new":               {s, TripStands},
		"the same, replayed":        {State{Seq: 3, Migrations: map[string]Migration{"orders": {ID: "orders", Seq: 3, Split: split("live=5%"), Actor: "alice"}}}, TripStands},
		"off, replayed":             {State{Seq: 3, Migrations: map[string]Migration{"orders": {ID: "orders", Seq: 3, Split: All(Off), Actor: "alice"}}}, TripStands},
		"a step of another gateway": {with(func(m *Migration) { m.Split, m.Epoch = split("live=10%"), 6 }), TripStands},
		"rolled back by another":    {with(func(m *Migration) { m.Split = All(Off); m.RolledBack = true }), TripConfirmed},
		"rolled back to shadow":     {with(func(m *Migration) { m.Split = All(Shadow); m.RolledBack = true }), TripConfirmed},
		"a person has moved it":     {with(func(m *Migration) { m.Actor, m.Split, m.Epoch = "alice", split("live=50%"), 6 }), TripCleared},
		"a person has resumed it":   {with(func(m *Migration) { m.Actor, m.Ramp, m.Turn = "alice", RampRunning, 6 }), TripCleared},
		"a person has frozen it":    {with(func(m *Migration) { m.Actor, m.Frozen = "alice", "an audit" }), TripStands},
		"a person has held it":      {with(func(m *Migration) { m.Actor, m.Ramp = "alice", RampHeld }), TripStands},
		"a person has approved it":  {with(func(m *Migration) { m.Actor, m.Approved = "alice", 2 }), TripStands},
		"a person has completed it": {with(func(m *Migration) { m.Actor, m.Split = "alice", All(Complete) }), TripCleared},
		"completed by its ramp":     {with(func(m *Migration) { m.Split = All(Complete) }), TripCleared},
		"retired":                   {with(func(m *Migration) { m.Retired = true }), TripCleared},
		"unknown":                   {State{Seq: 9}, TripCleared},
	} {
		if got := trip.Standing(c.state); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTripOfASpreadWayBackIsAtOnce(t *testing.T) {
	s := State{Seq: 5, Migrations: map[string]Migration{"orders": {ID: "orders", Seq: 5, Split: All(Live)}}}
	trip, err := NewTrip(s, Plan{Rollback: Way{To: Shadow}}, Event{Migration: "orders", Kind: Returning, Split: All(Live), Until: s.Time.Add(1), Because: 3})
	if err != nil || trip.Event.Kind != RolledBack || !trip.Event.Split.Equal(All(Shadow)) || !trip.Event.Until.IsZero() || trip.Event.Because != 0 {
		t.Errorf("%+v, %v", trip, err)
	}
	if _, err := NewTrip(s, Plan{}, Event{Migration: "orders", Kind: Held}); err == nil {
		t.Error("a hold trips")
	}
}

func TestTripOfACellConcernsThatCell(t *testing.T) {
	eu := Course{Split: All(Live)}
	s := State{Seq: 5, Migrations: map[string]Migration{"orders": {ID: "orders", Seq: 5, Split: All(Live), Actor: gateway, Cells: map[string]Course{"eu": eu}}}}
	trip, err := NewTrip(s, Plan{}, Event{Migration: "orders", Kind: RolledBack, Cell: "eu", Split: All(Off)})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Migrations["orders"]
	m.Seq, m.Split = 6, All(Off)
	s.Migrations["orders"] = m
	if got := trip.Standing(s); got != TripStands {
		t.Errorf("the rest is back, and the trip of eu %s", got)
	}
	eu.Split = All(Off)
	m.Cells = map[string]Course{"eu": eu}
	s.Migrations["orders"] = m
	if got := trip.Standing(s); got != TripConfirmed {
		t.Errorf("eu is back, and its trip %s", got)
	}
}
