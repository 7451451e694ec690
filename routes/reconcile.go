package routes

import "github.com/ficus-gateway/ficus/migrations"

// Reconcile returns the events that bring the log in line with a table that
// [CheckReload] has let pass: migrations created, renamed, planned anew and
// retired, in an order in which they can be applied. A table that the log has
// seen gives none.
//
// A migration past [migrations.Off] that the table does not know is left as it
// is: only retired: true lets it go.
func Reconcile(t *Table, s migrations.State) []migrations.Event {
	var events []migrations.Event
	emit := func(kind migrations.Kind, id, reason string, p *migrations.Plan) *migrations.Event {
		e := migrations.Event{Migration: id, Kind: kind, Actor: "ficus", Reason: reason}
		if p != nil {
			e.From, e.To, e.Key, e.Flag, e.Plan, e.Resume = p.From, p.To, p.KeyString(), p.Flag, p.Hash(), p.Resume
		}
		events = append(events, e)
		return &events[len(events)-1]
	}
	known := map[string]migrations.Migration{} // as the events leave it
	for _, id := range s.IDs() {
		known[id] = s.Migrations[id]
	}
	heirs := renames(t, s)
	for len(heirs) > 0 { // the end of each chain first
		moved := false
		for _, from := range sortedKeys(heirs) {
			p := heirs[from]
			if _, taken := known[p.ID]; taken {
				continue
			}
			emit(migrations.Renamed, p.ID, "renamed in the config", nil).From = from
			known[p.ID] = known[from]
			delete(known, from)
			delete(heirs, from)
			moved = true
		}
		if !moved {
			break
		}
	}
	for _, id := range sortedKeys(known) {
		switch p := t.Plans[id]; {
		case p == nil && !known[id].PastOff():
			emit(migrations.Retired, id, "removed from the config before it had moved anybody", nil)
		case p != nil && p.Retired:
			emit(migrations.Retired, id, "retired in the config", nil)
		}
	}
	for _, id := range sortedKeys(t.Plans) {
		p := t.Plans[id]
		if p.Retired {
			continue
		}
		m, ok := known[id]
		switch {
		case !ok:
			e := emit(migrations.Created, id, "new in the config", p)
			e.Cells, e.Steps = p.CellSteps(m), len(p.Steps)
		case m.Plan != p.Hash() || m.From != p.From || m.To != p.To || m.Key != p.KeyString() || m.Flag != p.Flag:
			e := emit(migrations.Planned, id, "edited in the config", p)
			e.Step, e.Cells, e.Steps = p.StepAt(m.Split), p.CellSteps(m), len(p.Steps)
		}
		if consents(p, m, ok) {
			e := emit(migrations.Resumed, id, p.Resume, nil)
			e.Step, e.Cells = p.StepAt(m.Split), p.CellSteps(m)
		}
	}
	return events
}
