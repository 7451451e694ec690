package dashboard

import (
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/routes"
)

// onlyRead says why a request is refused where migrations are changed by edits
// of the config: all that changes something but a hold, a rollback, and what
// concerns who comes in, the reading of the config, the erasing of somebody's
// data, and what applications report.
func (a *api) onlyRead(r *http.Request, needs grant) *Problem {
	if isSafe(r.Method) || needs.reads || a.Table().Changes != routes.ByGit {
		return nil
	}
	path := r.URL.Path
	switch {
	case !strings.HasPrefix(path, "/api/"), // logging in and out
		strings.HasSuffix(path, "/rollback"), strings.HasSuffix(path, "/hold"),
		path == "/api/explain", path == "/api/reload", path == "/api/findings/erase", path == "/api/outcomes",
		path == "/api/tokens", strings.HasPrefix(path, "/api/tokens/"):
		return nil
	}
	return problem(ReadOnly, http.StatusForbidden,
		"the config says changes: git, so this is done by an edit of it; ficus diff shows where it and the log differ. Holding and rolling back work here as ever")
}
