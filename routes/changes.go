package routes

import (
	"strings"

	"github.com/ficus-gateway/ficus/migrations"
)

// Changes says where migrations are changed.
type Changes string

// Where migrations may be changed.
const (
	ByAPI Changes = "api" // by operators, through the admin API
	ByGit Changes = "git" // by edits of the config; operators hold and roll back
)

// resumes compiles the consent by which a ramp goes on where the config alone
// changes anything.
func (c *compiler) resumes(at spot, m MigrationConfig, p *migrations.Plan) {
	text := strings.TrimSpace(m.Resume)
	switch {
	case text == "":
	case Changes(c.main.Changes) != ByGit:
		at.key("resume").warn("use: ficus resume "+p.ID+"; or write changes: git", "does nothing where operators change migrations")
	case len(text) > 500 || strings.ContainsAny(text, "\r\n"):
		at.key("resume").fail("write one line of up to 500 bytes, such as INC-42 is fixed", "is no reason that fits into the history")
	default:
		p.Resume = text
	}
}

// consents reports whether the config has said anew that the ramp of a
// migration may go on, and it stands still.
func consents(p *migrations.Plan, m migrations.Migration, known bool) bool {
	if p.Resume == "" || p.Resume == m.Resume {
		return false
	}
	if !known {
		return len(p.Steps) > 0
	}
	for _, name := range m.CellNames() {
		c := m.Course(name)
		if c.RolledBack || c.Ramp != migrations.RampRunning && len(p.Steps) > 0 && m.Outside == nil {
			return true
		}
	}
	return false
}
