package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func seqs(events []Event) (out []uint64) {
	for _, e := range events {
		out = append(out, e.Seq)
	}
	return out
}

func TestHistoryNewestFirstByPage(t *testing.T) {
	g := start(t)
	for i := range 200 {
		g.append(migrations.Event{Migration: []string{"orders", "cart"}[i%2], Kind: migrations.Held, Actor: fmt.Sprintf("p%d", i%5)})
	}
	h := got[History](t, g.get("/api/history"), http.StatusOK)
	if h.Seq != 202 || len(h.Events) != 50 || h.Events[0].Seq != 202 || h.Before != 153 {
		t.Errorf("%d events from %d, before %d", len(h.Events), h.Events[0].Seq, h.Before)
	}
	var all []uint64
	for f := (Filter{Limit: 7, Migration: "orders", Actor: "p0"}); ; {
		h := got[History](t, g.get("/api/history?"+f.Query().Encode()), http.StatusOK)
		all = append(all, seqs(h.Events)...)
		if f.Before = h.Before; h.Before == 0 {
			break
		}
	}
	if len(all) != 20 || all[0] != 193 || all[19] != 3 || !slices.IsSortedFunc(all, func(a, b uint64) int { return int(b) - int(a) }) {
		t.Errorf("%d", all)
	}
	h = got[History](t, g.get("/api/history?kind=created"), http.StatusOK)
	if !slices.Equal(seqs(h.Events), []uint64{2, 1}) || h.Before != 0 {
		t.Errorf("%+v", h)
	}
}

func TestHistoryFollowsARename(t *testing.T) {
	g := start(t)
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Held})
	g.append(migrations.Event{Migration: "purchases", Kind: migrations.Renamed, From: "orders"})
	g.append(migrations.Event{Migration: "purchases", Kind: migrations.Held})
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Created, From: "monolith", To: "orders"})
	for query, want := range map[string][]uint64{
		"migration=purchases":                    {5, 4, 3, 1},
		"migration=purchases&before=4":           {3, 1},
		"migration=orders":                       {6, 4},
		"migration=purchases&kind=held&before=5": {3},
	} {
		h := got[History](t, g.get("/api/history?"+query), http.StatusOK)
		if !slices.Equal(seqs(h.Events), want) {
			t.Errorf("%s: %d, want %d", query, seqs(h.Events), want)
		}
	}
}

func TestStateAtAPastMoment(t *testing.T) {
	g := start(t)
	time.Sleep(2 * time.Millisecond) // log time counts microseconds
	between := time.Now()
	time.Sleep(2 * time.Millisecond)
	g.append(migrations.Event{Migration: "orders", Kind: migrations.Shifted, Split: migrations.All(migrations.Live)})
	at := func(query string) State { t.Helper(); return got[State](t, g.get("/api/state?"+query), http.StatusOK) }
	if s := at("seq=2"); s.Seq != 2 || !s.Past || s.Migrations[1].Split != "off=100%" || s.Migrations[1].WaitsFor != nil {
		t.Errorf("%+v", s)
	}
	if s := at("seq=1"); len(s.Migrations) != 1 {
		t.Errorf("%+v", s)
	}
	if s := at("seq=0"); s.Seq != 0 || s.Time != nil || len(s.Migrations) != 0 {
		t.Errorf("%+v", s)
	}
	if s := at("at=" + url.QueryEscape(between.Format(time.RFC3339Nano))); s.Seq != 2 || !s.Past {
		t.Errorf("%+v", s)
	}
	if s := at("seq=3"); s.Past || s.Migrations[1].Split != "live=100%" || s.Migrations[1].Flag != "orders" {
		t.Errorf("%+v", s)
	}
	if s := at("at=2999-01-01T00:00:00Z"); s.Past || s.Seq != 3 {
		t.Errorf("%+v", s)
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	g := start(t)
	for path, detail := range map[string]string{
		"/api/history?migraton=orders":             `no parameter "migraton"; there are migration,`,
		"/api/history?limit=0":                     "1 to 1000",
		"/api/history?limit=1001":                  "1 to 1000",
		"/api/history?before=x":                    "before=x is not",
		"/api/history?kind=rolled":                 `no kind of event "rolled"; the kinds are created,`,
		"/api/history?a=%zz":                       "not well formed",
		"/api/history/x":                           `"x" is not a sequence number`,
		"/api/state?at=yesterday":                  "2026-01-31T15:04:05Z",
		"/api/state?seq=-1":                        "seq=-1",
		"/api/state?seq=1&at=2026-01-31T15:04:05Z": "not both",
	} {
		contains(t, refusedAs(t, g.get(path), http.StatusBadRequest, BadRequest).Detail, detail)
	}
	for _, path := range []string{"/api/state?seq=3", "/api/history/3", "/api/history/0"} {
		contains(t, refusedAs(t, g.get(path), http.StatusNotFound, NotFound).Detail, "read as far as 2")
	}
}
