package web

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// A page is what every page shows.
type page struct {
	Name   string // of the template, and of the entry of the navigation
	Title  string
	Live   string // query of /live that brings the page up to date; empty: nothing does
	Viewer viewer
	Chrome chrome
	Notice *notice // what came of something that was asked for
	Nonce  string
	Main   any
	Icons  template.HTML // shapes that drawings refer to
}

// A chrome is what stands around every page, and changes with time.
type chrome struct {
	Instance string // of the process: another one was started anew
	Seq      uint64 // last event that this gateway has read
	Version  string
	Frozen   string   // why no ramp moves forward; empty: they may
	Troubles []string // what is wrong with this gateway
	Moved    int      // migrations past off, which could be rolled back
}

// A notice is said once, at the top of a page.
type notice struct {
	Good  bool
	Title string
	Text  string
	Seq   uint64 // event to look at; 0: none
}

func (s *site) chrome(r *http.Request) chrome {
	state := s.State()
	c := chrome{Instance: s.live.instance, Seq: state.Seq, Version: s.Version, Frozen: state.Frozen}
	for _, id := range state.IDs() {
		if state.Migrations[id].PastOff() {
			c.Moved++
		}
	}
	ready, p := get[dashboard.Readiness](s, r, "/readyz", nil)
	if p != nil {
		return c
	}
	for _, check := range ready.Checks {
		if !check.OK {
			c.Troubles = append(c.Troubles, check.Name+": "+check.Detail)
		}
	}
	if ready.Draining {
		c.Troubles = append(c.Troubles, "this gateway is draining: it is about to end")
	}
	return c
}

// show renders a page.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.Chrome = s.chrome(r)
	p.Viewer = viewerOf(r)
	p.Nonce = dashboard.NonceOf(r)
	p.Icons = icons
	if p.Notice == nil {
		p.Notice = s.done(r)
	}
	var b bytes.Buffer
	if err := s.look.pages[p.Name].ExecuteTemplate(&b, "layout", p); err != nil {
		s.Logger.Error("a page could not be made", "page", p.Name, "error", err)
		http.Error(w, "this page could not be made; the gateway's log says why", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// fail shows a problem as a page of its own.
func (s *site) fail(w http.ResponseWriter, r *http.Request, p *dashboard.Problem) {
	s.show(w, r, p.Status, page{Name: "problem", Title: p.Title, Main: p})
}

// done is the notice of an event that a form has just made: the address says
// which, and the log says what it was.
func (s *site) done(r *http.Request) *notice {
	seq, err := strconv.ParseUint(r.URL.Query().Get("done"), 10, 64)
	if err != nil {
		return nil
	}
	e, p := get[dashboard.Event](s, r, "/api/history/"+strconv.FormatUint(seq, 10), nil)
	if p != nil {
		return &notice{Title: "Event " + count(seq) + " is in the log", Text: "This gateway has not read it yet; it acts upon it as soon as it has.", Seq: seq}
	}
	return &notice{Good: true, Title: "Done: " + sentence(e), Text: e.Reason, Seq: seq}
}

// sentence says what an event was, without who and why.
func sentence(e dashboard.Event) string {
	what := map[migrations.Kind]string{
		migrations.Created: "is in the config now", migrations.Renamed: "has a new name, and was " + e.From, migrations.Retired: "was retired",
		migrations.Planned: "has an edited plan", migrations.Held: "stands still", migrations.Resumed: "goes on", migrations.RolledBack: "was rolled back to the monolith",
		migrations.Restored: "was restored from a state kept elsewhere", migrations.Approved: "may take step " + strconv.Itoa(e.Step),
		migrations.Restarted: "began its step anew", migrations.Renewed: "began another test", migrations.Returning: "is on its way back",
		migrations.Frozen: "stands still for a freeze", migrations.Flagged: "is where a flag provider says, " + e.Split, migrations.Thawed: "may move again",
		migrations.Shifted: "was shifted to " + e.Split, migrations.Stepped: "took step " + strconv.Itoa(e.Step) + ", " + e.Split,
		migrations.Skipped: "skipped to step " + strconv.Itoa(e.Step) + ", " + e.Split,
	}[e.Kind]
	if what == "" {
		what = string(e.Kind)
	}
	who := e.Migration
	if who == migrations.Every {
		who = "every migration"
	}
	return who + " " + what
}
