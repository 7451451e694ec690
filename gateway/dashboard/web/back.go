package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// A rollbackPage is the way back of everything, one press for each.
type rollbackPage struct {
	Viewer  viewer
	Rows    []backRow
	Moved   bool // of some the data has moved
	Frozen  string
	Seq     uint64
	May     bool // freeze and thaw
	Reason  string
	Resting int // migrations that are at off already
	More    int // migrations that are not listed
}

// backsAtOnce is how many migrations the list of the way back shows. All can be
// rolled back at once, and each on its own page.
const backsAtOnce = 100

// A backRow is one migration that can be rolled back.
type backRow struct {
	dashboard.Migration
	Fig   fig
	Bar   splitBar
	Moved bool
}

func (s *site) getRollback(w http.ResponseWriter, r *http.Request) {
	s.showRollback(w, r, http.StatusOK, nil)
}

func (s *site) showRollback(w http.ResponseWriter, r *http.Request, status int, n *notice) {
	state, p := get[dashboard.State](s, r, "/api/state", nil)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	v := viewerOf(r)
	main := rollbackPage{Viewer: v, Frozen: state.Frozen, Seq: state.Seq, May: v.May("")}
	for _, m := range state.Migrations {
		past := false
		for _, share := range m.Shares {
			past = past || share.Stage != migrations.Off
		}
		switch {
		case m.Retired:
		case !past && len(m.Cells) < 2:
			main.Resting++
		default:
			row := backRow{m, figOf(m.Shares, m.RolledBack), splitBarOf(m.Shares, m.Split), m.Data == migrations.DataMoved}
			main.Moved = main.Moved || row.Moved
			main.Rows = append(main.Rows, row)
		}
	}
	main.More = max(len(main.Rows)-backsAtOnce, 0)
	main.Rows = main.Rows[:len(main.Rows)-main.More]
	s.show(w, r, status, page{Name: "rollback", Title: "Roll back", Live: "page=frame", Notice: n, Main: main})
}

// postRollbackAll rolls everything back, by the API.
func (s *site) postRollbackAll(w http.ResponseWriter, r *http.Request) {
	form, ok := s.posted(w, r)
	if !ok {
		return
	}
	done, p := post[dashboard.RollbackAll](s, r, "/api/rollback", dashboard.RollbackRequest{Reason: form.Get("reason"), AcceptDataLoss: form.Get("accept") == "yes"})
	if p != nil {
		s.showRollback(w, r, p.Status, refusal(p, s.Now()))
		return
	}
	if len(done.Refused) > 0 {
		var names []string
		for _, m := range done.Migrations {
			names = append(names, m.ID)
		}
		text := "Rolled back: " + strings.Join(names, ", ") + "."
		for _, refused := range done.Refused {
			text += " NOT rolled back: " + refused.Migration + ": " + refused.Detail + "."
		}
		s.showRollback(w, r, http.StatusOK, &notice{Title: "Some are not rolled back", Text: text, Seq: done.Seq})
		return
	}
	http.Redirect(w, r, "/rollback?done="+strconv.FormatUint(done.Seq, 10), http.StatusSeeOther)
}

// postRamps freezes or thaws all ramps, by the API.
func (s *site) postRamps(w http.ResponseWriter, r *http.Request) {
	form, ok := s.posted(w, r)
	if !ok {
		return
	}
	action := param(r, "action")
	body := map[string]any{"reason": form.Get("reason")}
	switch action {
	case "freeze":
	case "thaw":
		expect, _ := strconv.ParseUint(form.Get("expect"), 10, 64)
		body["expect"] = expect
	default:
		s.fail(w, r, &dashboard.Problem{Status: http.StatusNotFound, Title: "Nothing here", Detail: "ramps can't be asked for that"})
		return
	}
	done, p := post[struct {
		Seq uint64 `json:"seq"`
	}](s, r, "/api/"+action, body)
	if p != nil {
		s.showRollback(w, r, p.Status, refusal(p, s.Now()))
		return
	}
	http.Redirect(w, r, "/rollback?done="+strconv.FormatUint(done.Seq, 10), http.StatusSeeOther)
}
