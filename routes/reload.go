package routes

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
)

// CheckReload returns what forbids serving next while the log stands at s: a
// migration with people on its service must not vanish, nor change what their
// place was decided by. Old is the table that is served now, nil at the start.
func CheckReload(old, next *Table, s migrations.State) Problems {
	var ps Problems
	refuse := func(id, key, hint, format string, args ...any) {
		path := "migrations." + id
		p := Problem{At: next.at[path], Path: path + key, Text: fmt.Sprintf(format, args...), Hint: hint}
		if p.At == (Position{}) {
			p.At = Position{File: next.File}
		}
		ps = append(ps, p)
	}
	heirs := renames(next, s)
	for _, id := range s.IDs() {
		m := s.Migrations[id]
		plan, heir := next.Plans[id], heirs[id]
		if heir != nil {
			plan = heir
		}
		switch {
		case !m.PastOff(), plan != nil && plan.Retired:
			continue
		case plan == nil:
			hint := fmt.Sprintf("keep it with retired: true, name it in renamed_from of another, or first: ficus rollback %s", id)
			if m.Completed() {
				hint = fmt.Sprintf("keep it with retired: true, and send its routes to %s", m.To)
			}
			refuse(id, "", hint, "the migration is gone%s, and its state is %s", lastSeen(old, id), splitText(m))
			continue
		}
		if was := or(m.Flag, id); was != plan.Flag {
			refuse(plan.ID, ".flag", fmt.Sprintf("write flag: %s, since people are bucketed by it and would change sides", was),
				"changes from %q to %q while the state is %s", was, plan.Flag, splitText(m))
		}
		for _, c := range []struct{ key, was, is string }{
			{"from", m.From, plan.From}, {"to", m.To, plan.To}, {"key", m.Key, plan.KeyString()},
		} {
			if c.was != c.is {
				refuse(plan.ID, "."+c.key, fmt.Sprintf("put %q back, or first: ficus rollback %s", c.was, id),
					"changes from %q to %q while the state is %s", c.was, c.is, splitText(m))
			}
		}
	}
	for _, id := range sortedKeys(next.Plans) {
		if was, ok := s.Migrations[id]; ok && was.Retired && was.PastOff() && !next.Plans[id].Retired && heirs[id] == nil && next.Plans[id].RenamedFrom == "" {
			refuse(id, "", "give the new one another id", "the id belongs to a migration that was retired at %s (event %d); beginning anew would take its people back", was.Split, was.Seq)
		}
	}
	for _, id := range sortedKeys(next.Plans) {
		p := next.Plans[id]
		if p.RenamedFrom == "" || heirs[p.RenamedFrom] == p {
			continue
		}
		if was, ok := s.Migrations[p.RenamedFrom]; ok && !was.Retired && was.PastOff() && next.Plans[p.RenamedFrom] == nil {
			refuse(id, ".renamed_from", "choose an id that is not taken", "%q has a state of its own, so it cannot take over that of %q", id, p.RenamedFrom)
		}
	}
	return ps
}

// splitText writes where a migration stands.
func splitText(m migrations.Migration) string {
	if m.Unknown {
		return "not known, since " + m.Outside.Source + " decides"
	}
	return m.Split.String()
}

// lastSeen says where the table that is served now has a migration.
func lastSeen(old *Table, id string) string {
	if old == nil {
		return ""
	}
	if at, ok := old.at["migrations."+id]; ok && at.File != "" {
		return fmt.Sprintf(" (it stood at %s:%d)", at.File, at.Line)
	}
	return ""
}

// renames returns the plans that take over the state of another id, by that id.
func renames(t *Table, s migrations.State) map[string]*migrations.Plan {
	active := func(id string) bool {
		m, ok := s.Migrations[id]
		return ok && !m.Retired
	}
	heirs := map[string]*migrations.Plan{}
	for _, id := range sortedKeys(t.Plans) {
		p := t.Plans[id]
		if p.RenamedFrom != "" && !p.Retired && active(p.RenamedFrom) {
			heirs[p.RenamedFrom] = p
		}
	}
	// An heir whose own id is taken waits for that to be renamed away; a chain
	// that never ends, or ends at an id that stays, moves nobody.
	for from, p := range heirs {
		for seen := []string{from}; p != nil && active(p.ID); {
			if slices.Contains(seen, p.ID) || heirs[p.ID] == nil {
				delete(heirs, from)
				break
			}
			seen = append(seen, p.ID)
			p = heirs[p.ID]
		}
	}
	return heirs
}

// RestartNeeded returns the settings that differ between two tables but take
// effect only at the next start.
func RestartNeeded(old, next *Table) Problems {
	var ps Problems
	a, b := reflect.ValueOf(old.Server), reflect.ValueOf(next.Server)
	names := map[string]string{
		"Listen": "listen", "Admin": "admin", "State": "state", "Redis": "state", "Flags": "flags", "OFREP": "ofrep", "Secret": "secret",
		"Shutdown": "shutdown", "Telemetry": "telemetry", "LogLevel": "log.level",
	}
	for _, limit := range [...]struct {
		path    string
		differs bool
	}{
		{"limits.header_bytes", old.Limits.HeaderBytes != next.Limits.HeaderBytes},
		{"limits.header_time", old.Limits.HeaderTime != next.Limits.HeaderTime},
		{"limits.idle_time", old.Limits.IdleTime != next.Limits.IdleTime},
	} {
		if limit.differs {
			ps = append(ps, Problem{At: Position{File: next.File}, Path: limit.path, Text: "has changed, which a reload does not apply", Hint: "restart the gateway"})
		}
	}
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			path := names[a.Type().Field(i).Name]
			at, ok := next.at[path]
			if !ok {
				at = Position{File: next.File}
			}
			ps = append(ps, Problem{At: at, Path: path, Text: "has changed, which a reload does not apply", Hint: "restart the gateway"})
		}
	}
	return ps
}
