package migrations

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// skew is by how much clocks of Redis servers that follow one another may
// differ before a state that was seen is taken for newer than a rollback.
const skew = time.Minute

// mostLost bounds the lost events that get others in their place.
const mostLost = 20_000

// Mend returns the events that make up for those that a log has lost. seen is
// the state as this gateway had read it, found what the log says now. It is
// pure. why says to people what has happened.
//
// Ramps are frozen, for nobody knows what else is lost. Where the two differ,
// the later change of the split stands, by log time: what somebody did since
// the loss is not undone, and what was lost is done again, a way back first of
// all. A rollback gives way only to what is later by more than clocks differ.
// A migration that the log has only just begun to know gives way always, for
// that it is off was nobody's decision.
//
// No number is used twice: in the place of each event that was lost there is
// one that says so, so that what was counted for one test never counts for
// another.
func Mend(seen, found State, why string) []Event {
	var events []Event
	emit := func(e Event) {
		e.Actor, e.Reason = gateway, why
		events = append(events, e)
	}
	for _, id := range slices.Sorted(maps.Keys(seen.Migrations)) {
		was, is := seen.Migrations[id], found.Migrations[id]
		known := is.ID != "" && !is.Retired
		switch {
		case was.Retired:
			if known && is.Seq <= was.Seq {
				emit(Event{Migration: id, Kind: Retired})
			}
			continue
		case is.Retired && is.Seq > was.Seq:
			continue
		case !known:
			is = recreated(was, emit)
		}
		for _, name := range was.CellNames() {
			if _, ok := is.Cells[name]; !ok && name != Rest {
				continue // the plan of the log does not have it
			}
			cell := name
			if len(is.Cells) == 0 {
				cell = ""
			}
			mendCourse(id, cell, was.Course(name), is.Course(name), is.Actor == gateway, emit)
		}
		if was.Frozen != "" && is.Frozen == "" {
			emit(Event{Migration: id, Kind: Frozen})
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return rank(a) - rank(b) })
	gone := lost(seen, found)
	if found.Frozen == "" || len(gone) > 0 {
		emit(Event{Migration: Every, Kind: Frozen})
	}
	return append(gone, events...)
}

// lost are the events in the place of those that the log no longer has.
func lost(seen, found State) (events []Event) {
	if seen.Seq < found.Seq || seen.Seq-found.Seq > mostLost {
		return nil
	}
	for seq := found.Seq + 1; seq <= seen.Seq; seq++ {
		events = append(events, Event{Migration: Every, Kind: Frozen, Actor: gateway, Reason: fmt.Sprintf("event %d was lost", seq)})
	}
	return events
}

// rank puts what begins a migration first, and then the ways back.
func rank(e Event) int {
	switch e.Kind {
	case Created:
		return 0
	case RolledBack:
		return 1
	}
	return 2
}

// recreated begins a migration as it was, at off.
func recreated(was Migration, emit func(Event)) Migration {
	cells := make(Cells, len(was.Cells))
	for name, c := range was.Cells {
		cells[name] = c.Step
	}
	e := Event{Migration: was.ID, Kind: Created, From: was.From, To: was.To, Key: was.Key, Flag: was.Flag, Plan: was.Plan, Cells: cells, Steps: was.Steps}
	emit(e)
	e.Actor = gateway
	m := Migration{ID: was.ID, Split: All(Off), Ramp: RampIdle, Actor: gateway}
	m.plan(e)
	return m
}

// mendCourse makes a course again what it was, if that is newer.
func mendCourse(id, cell string, was, is Course, unmoved bool, emit func(Event)) {
	unmoved = unmoved && !is.PastOff() && !is.RolledBack
	margin := time.Duration(0)
	if is.RolledBack && !was.RolledBack {
		margin = skew
	}
	if was.RolledBack == is.RolledBack && was.Split.Equal(is.Split) || !unmoved && !was.Since.After(is.Since.Add(margin)) {
		return
	}
	if was.RolledBack {
		back := was.Split
		if back.Modern() > 0 { // it was on its way
			back = All(Off)
		}
		emit(Event{Migration: id, Cell: cell, Kind: RolledBack, Split: back, Cause: was.Cause})
		return
	}
	if is.RolledBack {
		emit(Event{Migration: id, Cell: cell, Kind: Resumed, Step: was.Step})
	}
	emit(Event{Migration: id, Cell: cell, Kind: Shifted, Split: was.Split})
}
