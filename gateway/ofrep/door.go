package ofrep

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/open-feature/go-sdk/openfeature"
)

// A Door says who may ask at a listener of its own.
type Door struct {
	Token   string   // as Authorization: Bearer or X-API-Key; empty: none is needed
	Origins []string // whose pages may ask from a browser
}

// Before returns next for those whom the door lets in.
func (d Door) Before(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(d.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if origin := r.Header.Get("Origin"); origin != "" {
			h.Add("Vary", "Origin")
			if !slices.Contains(d.Origins, origin) {
				refuse(w, http.StatusForbidden, Answer{Code: openfeature.GeneralCode, Details: "pages of this origin may not ask here; name it in the origins of ofrep"})
				return
			}
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "ETag")
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", "POST")
				h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-API-Key")
				h.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		if d.Token != "" {
			got := sha256.Sum256([]byte(presented(r)))
			if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
				h.Set("WWW-Authenticate", `Bearer realm="ficus"`)
				refuse(w, http.StatusUnauthorized, Answer{Code: openfeature.GeneralCode, Details: "send the token as Authorization: Bearer, or as X-API-Key"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// presented returns the token of a request, "" if it has none.
func presented(r *http.Request) string {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.Header.Get("X-API-Key")
}
