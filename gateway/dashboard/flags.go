package dashboard

import (
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A FlagSource is who answers for the flags of migrations.
type FlagSource struct {
	Source string `json:"source"`           // "builtin" is the event log; else an outside flag provider
	OK     bool   `json:"ok"`               // it answers, or its definitions can be read; what it said last decides otherwise
	Detail string `json:"detail,omitempty"` // for people
}

// Flags say who decides where the people of a migration are.
type Flags struct {
	Source   string     `json:"source"`
	Controls Controls   `json:"controls"`
	Version  string     `json:"version,omitempty"` // of the flag there; absent: not known
	Since    *time.Time `json:"since,omitempty"`   // log time at which it last said something new
}

// Controls say what is left to the API and to Ficus itself. A rollback always is,
// and what ends it.
type Controls string

// What Ficus may do with a migration.
const (
	ControlsRamp  Controls = "ramp"  // everything: the log decides
	ControlsShare Controls = "share" // an outside flag decides, and how many are where is known: the whole guard works
	ControlsNone  Controls = "none"  // an outside flag decides, and that is not known: only what is absolute in the guard works
)

func flagsOf(m migrations.Migration) *Flags {
	o := m.Outside
	if o == nil {
		return &Flags{Source: migrations.BuiltIn, Controls: ControlsRamp}
	}
	out := &Flags{Source: o.Source, Controls: ControlsShare, Version: o.Version, Since: &o.At}
	for _, name := range m.CellNames() {
		if m.Course(name).Unknown {
			out.Controls = ControlsNone
		}
	}
	return out
}

// splitOf writes the split of a course, if it is known.
func splitOf(c migrations.Course) string {
	if c.Unknown {
		return "not known"
	}
	return c.Split.String()
}

// postEvaluate answers applications by OFREP.
func (a *api) postEvaluate(w http.ResponseWriter, r *http.Request) {
	if a.OFREP == nil {
		fail(w, r, problem(NotFound, http.StatusNotFound, "this gateway evaluates no flags for others"))
		return
	}
	a.OFREP.ServeHTTP(w, r)
}
