package dashboard

import (
	"context"
	"crypto/rand"
	"net/http"
)

type nonceKey struct{}

// nonceOf returns the nonce that scripts and styles of a page carry.
func nonceOf(r *http.Request) string {
	nonce, _ := r.Context().Value(nonceKey{}).(string)
	return nonce
}

// isPage reports whether the answer to r is a page.
func isPage(r *http.Request) bool { return nonceOf(r) != "" }

// withNonce lets the answer to r be a page: scripts and styles of ours that
// carry its nonce, forms and requests to this origin, and nothing from anywhere
// else. A script or a style within the page that lacks the nonce does not run.
func withNonce(w http.ResponseWriter, r *http.Request) *http.Request {
	nonce := rand.Text()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+
		"'; font-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	return r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce))
}
