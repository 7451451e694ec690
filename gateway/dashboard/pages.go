package dashboard

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// Pages are what people with a browser are shown. They call serve for each
// page they have; what they want to know and to change they ask of api, by a
// request with the context of the one that they answer, which holds who sent
// it. The grants of the API hold there as they do from outside.
type Pages func(api http.Handler, serve func(method, pattern string, h http.HandlerFunc))

// pages puts the pages into r. Style and script of a page are for everybody,
// since the login has them too.
func (a *api) pages(r chi.Router, api http.Handler) {
	if a.Pages == nil {
		return
	}
	a.Pages(api, func(method, pattern string, h http.HandlerFunc) {
		needs := viewer
		switch {
		case strings.HasPrefix(pattern, "/assets/"):
			needs = anyone
		case method != http.MethodGet:
			needs = member
		}
		r.Method(method, pattern, a.mayPage(needs, h))
	})
}

// IdentityOf returns who sent r.
func IdentityOf(r *http.Request) access.Identity { return identityOf(r) }

// NonceOf returns the nonce that scripts and styles of the page must carry that
// answers r.
func NonceOf(r *http.Request) string { return nonceOf(r) }
