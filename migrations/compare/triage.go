package compare

import (
	"fmt"
	"time"
)

// Acknowledge says that somebody knows.
func (f *Findings) Acknowledge(id, note string) error {
	return f.set(id, func(g *Finding) error {
		if g.State == Fixed {
			return fmt.Errorf("finding %s is fixed", id)
		}
		g.State, g.Note = Acknowledged, note
		return nil
	})
}

// Mute hides a finding until a time.
func (f *Findings) Mute(id, note string, now, until time.Time) error {
	return f.set(id, func(g *Finding) error {
		if !until.After(now) {
			return fmt.Errorf("mute finding %s until %s: that is over; a mute needs an end in the future", id, until.Format(time.RFC3339))
		}
		g.State, g.Note, g.Until = Muted, note, until
		return nil
	})
}

// Fix says that a finding is gone, and those that it explains with it. If it is
// seen again, it says so. The paths it was about have to be proved anew: call
// [Noise.Restart] for them, or let [Study.Fix] do both.
func (f *Findings) Fix(id, note string, now time.Time) error {
	return f.set(id, func(g *Finding) error {
		for _, other := range f.byID {
			if f.explains(g, other) {
				other.State, other.Note, other.FixedAt = Fixed, note, now
			}
		}
		f.fix(g, note, now)
		return nil
	})
}

func (f *Findings) fix(g *Finding, note string, now time.Time) {
	g.State, g.Note, g.FixedAt = Fixed, note, now
	for _, s := range g.Signs {
		delete(f.at(g.Endpoint).Confirmed, s.Path)
	}
}

func (f *Findings) set(id string, change func(*Finding) error) error {
	g, err := f.Get(id)
	if err != nil {
		return err
	}
	return change(g)
}

// EraseKey drops every example of a targeting key, and reports how many.
func (f *Findings) EraseKey(key Mark) int {
	n := 0
	for _, g := range f.byID {
		n += g.drop(func(e *Example) bool { return e.Key == key })
	}
	return n
}

// Sweep drops the examples older than the retention, forgets the findings
// that nothing is left of, and takes for fixed what has not been seen for a
// day although it should have been three times over. It returns what it took
// for fixed, whose paths are to be tested anew ([Noise.Restart]).
func (f *Findings) Sweep(now time.Time, retention time.Duration) (fixed []*Finding) {
	for id, g := range f.byID {
		f.settle(g)
		g.drop(func(e *Example) bool { return now.Sub(e.Time) > retention })
		if now.Sub(g.Last) > retention && g.State != Muted && g.State != Acknowledged {
			delete(f.byID, id)
			continue
		}
		since := f.at(g.Endpoint).Observed - g.seen
		if (g.State == Open || g.State == Acknowledged) && now.Sub(g.Last) > 24*time.Hour && float64(since)*g.Share() > 3 {
			f.fix(g, "not seen for a day", now)
			fixed = append(fixed, g)
		}
	}
	return fixed
}

// Rename moves what belongs to an endpoint to the one that took it in.
func (f *Findings) Rename(from, to string) {
	old := f.endpoints[from]
	if old == nil || from == to {
		return
	}
	delete(f.endpoints, from)
	t := f.at(to)
	t.Observed += old.Observed
	t.Mismatched += old.Mismatched
	t.Races += old.Races
	for path := range old.Confirmed {
		if t.Confirmed == nil {
			t.Confirmed = map[string]bool{}
		}
		t.Confirmed[path] = true
	}
	for id, g := range f.byID {
		if g.Endpoint != from {
			continue
		}
		delete(f.byID, id)
		g.Endpoint, g.ID = to, findingID(to, g.Signs)
		if same := f.byID[g.ID]; same != nil {
			same.Count += g.Count
			same.Races += g.Races
			continue
		}
		f.byID[g.ID] = g
	}
}
