package dashboard

import (
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/routes"
)

// ReloadStatus is how the last reload of the config went. The zero value says
// that there was none since the start.
type ReloadStatus struct {
	Time     time.Time       // when it was tried
	OK       bool            // the table in force is what the files say
	Hash     string          // of the files that were read
	Problems routes.Problems // why it was refused
	Warnings routes.Problems // what was accepted but probably not meant
	Restart  []string        // settings that changed and take effect at the next start
}

// Reload is a [ReloadStatus] as the API shows it.
type Reload struct {
	Time     *time.Time      `json:"time,omitempty"` // absent: none since the start
	OK       bool            `json:"ok"`
	Hash     string          `json:"hash,omitempty"`
	Errors   []ConfigProblem `json:"errors,omitempty"`
	Warnings []ConfigProblem `json:"warnings,omitempty"`
	Restart  []string        `json:"restart,omitempty"`
}

// A ConfigProblem is one thing wrong with the config.
type ConfigProblem struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"` // from 1
	Col  int    `json:"col,omitempty"`  // from 1
	Path string `json:"path,omitempty"` // "migrations.orders.to"
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

func (a *api) getReload(w http.ResponseWriter, r *http.Request) {
	status := ReloadStatus{OK: true}
	if a.LastReload != nil {
		status = a.LastReload()
	}
	answer(w, http.StatusOK, reloadOf(status))
}

func (a *api) postReload(w http.ResponseWriter, r *http.Request) {
	var body struct{}
	if p := decode(w, r, &body); p != nil {
		fail(w, r, p)
		return
	}
	if a.Reload == nil {
		fail(w, r, problem(NotFound, http.StatusNotFound, "this gateway runs without a config file; there is nothing to reload"))
		return
	}
	status := a.Reload(r.Context())
	a.note(r, identityOf(r), access.Entry{What: access.Reloaded, Detail: map[bool]string{true: "it is in force", false: "it was refused, and the last good one serves on"}[status.OK]})
	a.Logger.Info("reload asked for", "actor", actor(r), "ok", status.OK, "problems", len(status.Problems))
	if status.OK {
		answer(w, http.StatusOK, reloadOf(status))
		return
	}
	p := problem(ConfigInvalid, http.StatusUnprocessableEntity, "the config was refused, and the last good one serves on")
	if len(status.Problems) > 0 {
		p.Detail += ": " + status.Problems.Error()
	}
	p.Errors = configProblems(status.Problems)
	fail(w, r, p)
}

func reloadOf(s ReloadStatus) Reload {
	out := Reload{OK: s.OK, Hash: s.Hash, Errors: configProblems(s.Problems), Warnings: configProblems(s.Warnings), Restart: s.Restart}
	if !s.Time.IsZero() {
		out.Time = &s.Time
	}
	return out
}

func configProblems(ps []routes.Problem) (out []ConfigProblem) {
	for _, p := range ps {
		out = append(out, ConfigProblem{File: p.At.File, Line: p.At.Line, Col: p.At.Col, Path: p.Path, Text: p.Text, Hint: p.Hint})
	}
	return out
}
