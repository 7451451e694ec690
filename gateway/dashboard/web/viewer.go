package web

import (
	"net/http"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A viewer is who looks at a page, and what is worth offering to them. What
// they may do is the API's to say.
type viewer struct {
	access.Identity
}

// SignedIn reports whether somebody has shown who they are.
func (v viewer) SignedIn() bool { return v.Known() }

// Leaves reports whether there is a session to end.
func (v viewer) Leaves() bool { return v.Via == access.BySession || v.Via == access.BySignOn }

func viewerOf(r *http.Request) viewer { return viewer{dashboard.IdentityOf(r)} }
