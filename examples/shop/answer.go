package shop

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
)

// Signed puts on every answer what applications put there: who they are, and
// a request id that is never the same.
func Signed(name string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(ServedBy, name)
			w.Header().Set("X-Request-Id", rand.Text())
			w.Header().Set("X-Content-Type-Options", "nosniff")
			next.ServeHTTP(w, r)
		})
	}
}

// Healthy answers a health check.
func Healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

// Missing answers a request of the API for what is not there.
func Missing(w http.ResponseWriter, _ *http.Request) {
	WriteError(w, &Error{http.StatusNotFound, "nothing is here"})
}

// NotAllowed answers a request whose path exists under other methods, which it
// names in a fixed order.
func NotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
			if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		WriteError(w, &Error{http.StatusMethodNotAllowed, "not by " + r.Method})
	}
}

// OrderID returns the order that the path of a request names.
func OrderID(r *http.Request) string {
	id, err := url.PathUnescape(r.PathValue("id"))
	if err != nil {
		return r.PathValue("id")
	}
	return id
}
