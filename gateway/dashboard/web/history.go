package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// A historyPage is a part of the log.
type historyPage struct {
	Filter     dashboard.Filter
	Migrations []string
	Kinds      []migrations.Kind
	Events     []happening
	Seq        uint64 // last event read
	Older      string // address of what was before; empty: nothing was
	Now        string // for the form that asks for a moment
}

func (s *site) getHistory(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := dashboard.Filter{Migration: clip(q.Get("migration"), 200), Actor: clip(q.Get("actor"), 200), Kind: migrations.Kind(clip(q.Get("kind"), 30)), Limit: 40}
	f.Before, _ = strconv.ParseUint(q.Get("before"), 10, 64)
	list, p := s.happenings(r, f)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	state := s.State()
	main := historyPage{Filter: f, Migrations: state.IDs(), Kinds: migrations.Kinds, Events: list.Events, Seq: state.Seq, Now: s.Now().UTC().Format("2006-01-02T15:04:05")}
	if list.Before > 0 {
		older := f
		older.Before = list.Before
		v := older.Query()
		v.Del("limit")
		main.Older = "/history?" + v.Encode()
	}
	s.show(w, r, http.StatusOK, page{Name: "history", Title: "History", Live: "page=frame", Main: main})
}

// An eventPage is one event: what it changed, and why.
type eventPage struct {
	happening
	Before, After *dashboard.Migration // the migration before and after it
	Changes       []change
	Decision      *dashboard.Decision
	Weights       []weightView
	Newer, Older  uint64 // events beside it; 0: none
}

// A change is one thing that an event changed.
type change struct {
	What        string
	Was, Is     string
	WasBar, Bar *splitBar
}

func (s *site) getEvent(w http.ResponseWriter, r *http.Request) {
	path := "/api/history/" + escape(param(r, "seq"))
	e, p := get[dashboard.Event](s, r, path, nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	main := eventPage{happening: happeningOf(e, s.Now()), Older: e.Seq - 1}
	if e.Seq < s.State().Seq {
		main.Newer = e.Seq + 1
	}
	for _, side := range []struct {
		seq uint64
		to  **dashboard.Migration
	}{{e.Seq - 1, &main.Before}, {e.Seq, &main.After}} {
		past, p := get[dashboard.State](s, r, "/api/state", url.Values{"seq": {strconv.FormatUint(side.seq, 10)}})
		if p != nil {
			continue // the log does not reach as far back; the event itself is what matters
		}
		for i := range past.Migrations {
			if id := past.Migrations[i].ID; id == e.Migration || e.Kind == migrations.Renamed && id == e.From {
				*side.to = &past.Migrations[i]
			}
		}
	}
	main.Changes = changesOf(main.Before, main.After)
	if d, p := get[dashboard.Decision](s, r, path+"/explain", nil); p == nil {
		main.Decision = &d
		for _, record := range d.Records {
			w := dashboard.Weight{Metric: record.Metric, E: record.E, Threshold: record.Threshold, Trips: record.Trips, Says: record.Says}
			for _, epoch := range record.Epochs {
				w.Service, w.Legacy = w.Service+epoch.Service, w.Legacy+epoch.Legacy
			}
			main.Weights = append(main.Weights, weightViewOf(w))
		}
	}
	s.show(w, r, http.StatusOK, page{Name: "event", Title: "Event " + count(e.Seq), Live: "page=frame", Main: main})
}

// changesOf tells two states of a migration apart.
func changesOf(before, after *dashboard.Migration) (out []change) {
	if after == nil {
		return nil
	}
	none := dashboard.Migration{}
	if before == nil {
		before = &none
	}
	if before.Split != after.Split {
		is := splitBarOf(after.Shares, after.Split)
		c := change{What: "split", Was: before.Split, Is: after.Split, Bar: &is}
		if before.Split != "" {
			was := splitBarOf(before.Shares, before.Split)
			c.WasBar = &was
		}
		out = append(out, c)
	}
	yes := map[bool]string{true: "yes", false: "no"}
	for _, f := range []struct{ what, was, is string }{
		{"id", before.ID, after.ID}, {"from", before.From, after.From}, {"to", before.To, after.To}, {"key", before.Key, after.Key},
		{"ramp", string(before.Ramp), string(after.Ramp)}, {"step", strconv.Itoa(before.Step), strconv.Itoa(after.Step)},
		{"rolled back", yes[before.RolledBack], yes[after.RolledBack]}, {"frozen", before.Frozen, after.Frozen}, {"retired", yes[before.Retired], yes[after.Retired]},
		{"tests begun", strconv.Itoa(before.Tests), strconv.Itoa(after.Tests)},
	} {
		if f.was != f.is {
			out = append(out, change{What: f.what, Was: f.was, Is: f.is})
		}
	}
	was := map[string]dashboard.Cell{}
	for _, c := range before.Cells {
		was[c.Name] = c
	}
	for _, c := range after.Cells {
		if old := was[c.Name]; c.Name != "" && old.Split != c.Split {
			bar := splitBarOf(c.Shares, c.Split)
			out = append(out, change{What: "cell " + c.Name, Was: old.Split, Is: c.Split, Bar: &bar})
		}
	}
	return out
}
