package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A pastPage is where everything stood at a moment, beside where it is now.
type pastPage struct {
	Asked string
	State dashboard.State
	Rows  []pastRow
}

// A pastRow is one migration then and now.
type pastRow struct {
	Then    dashboard.Migration
	Fig     fig
	Bar     splitBar
	Now     string // its split now, if that is another
	NowBar  *splitBar
	Removed bool
}

func (s *site) getPast(w http.ResponseWriter, r *http.Request) {
	q, ask := r.URL.Query(), url.Values{}
	main := pastPage{}
	switch {
	case q.Get("seq") != "":
		ask.Set("seq", q.Get("seq"))
		main.Asked = "after event " + clip(q.Get("seq"), 20)
	default:
		at, ok := moment(q.Get("at"))
		if !ok {
			s.fail(w, r, &dashboard.Problem{Status: http.StatusBadRequest, Title: "No such moment", Detail: "Write the moment as in 2026-01-31T15:04:05, in UTC."})
			return
		}
		ask.Set("at", at.Format(time.RFC3339Nano))
		main.Asked = "at " + at.UTC().Format("2 Jan 2006 15:04:05") + " UTC"
	}
	past, p := get[dashboard.State](s, r, "/api/state", ask)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	main.State = past
	now := s.State()
	for _, m := range past.Migrations {
		row := pastRow{Then: m, Fig: figOf(m.Shares, m.RolledBack), Bar: splitBarOf(m.Shares, m.Split)}
		if is, ok := now.Migrations[m.ID]; !ok || is.Retired {
			row.Removed = true
		} else if text := is.Split.String(); text != m.Split {
			bar := splitBarOf(sharesOf(is.Split), text)
			row.Now, row.NowBar = text, &bar
		}
		main.Rows = append(main.Rows, row)
	}
	s.show(w, r, http.StatusOK, page{Name: "past", Title: "The state " + main.Asked, Live: "page=frame", Main: main})
}

// moment reads what a form, or a person, writes for one. Without a zone it is UTC.
func moment(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
