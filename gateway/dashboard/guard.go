package dashboard

import (
	"net/http"
	"runtime/debug"
	"strings"
)

// secured sets the headers that keep a browser from doing anything with an
// answer but show it to whom it was sent.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// recovered answers 500 when a handler panics, and logs where it did.
func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if reason == http.ErrAbortHandler {
				panic(reason)
			}
			a.Logger.Error("admin request panicked", "path", r.URL.EscapedPath(), "panic", reason, "stack", string(debug.Stack()))
			fail(w, r, problem(InternalProblem, http.StatusInternalServerError, "the gateway made a mistake; its log says which"))
		}()
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses writes that a browser sends for a page of another origin.
func (a *api) sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.origins.Check(r); err != nil {
			a.refuse(w, r, problem(CrossOrigin, http.StatusForbidden, "a page of another origin may not write here"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bearer returns the token that r presents. OFREP has another header for it.
func bearer(r *http.Request) (token string, given bool) {
	if key := r.Header.Get("X-API-Key"); key != "" && r.Header.Get("Authorization") == "" && strings.HasPrefix(r.URL.Path, "/ofrep/") {
		return key, true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// origin returns the trace id and the parent span of r's traceparent header, or
// nothing if it has none that is well formed (W3C Trace Context, section 3.2).
func origin(r *http.Request) (trace, span string) {
	parts := strings.Split(r.Header.Get("Traceparent"), "-")
	if len(parts) < 4 || !isID(parts[1], 32) || !isID(parts[2], 16) {
		return "", ""
	}
	return parts[1], parts[2]
}

// isID reports whether text is an id of so many hex digits, and not zero.
func isID(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == "" && strings.Trim(text, "0") != ""
}

// traceID returns the trace id of [origin].
func traceID(r *http.Request) string {
	trace, _ := origin(r)
	return trace
}
