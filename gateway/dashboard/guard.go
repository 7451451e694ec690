package dashboard

import (
	"context"
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
			fail(w, r, problem(CrossOrigin, http.StatusForbidden, "a page of another origin may not write here"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

type actorKey struct{}

// authorized asks for the token where it is needed, and keeps who presented it.
func (a *api) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		presented, given := bearer(r)
		actor, ok := "", false
		if given {
			actor, ok = a.Token(presented)
		}
		if !ok && a.needsToken(r) {
			a.unauthorized(w, r, given)
			return
		}
		if actor == "" {
			actor = plain(r.Header.Get("Ficus-Actor"), 100)
		}
		switch actor {
		case "":
			actor = "operator"
		case "ficus":
			fail(w, r, problem(BadRequest, http.StatusBadRequest, "Ficus-Actor: ficus is the gateway's own name in the log; use another"))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actor)))
	})
}

// needsToken reports whether r needs the token. In doubt it does.
func (a *api) needsToken(r *http.Request) bool {
	if !isSafe(r.Method) || strings.HasPrefix(r.URL.Path, "/debug/") {
		return true
	}
	local := localAddr(r)
	if isProbe(r) || isUnix(local) {
		return false
	}
	return a.ReadsNeedToken || !tcpAddr(local).IsLoopback()
}

func (a *api) unauthorized(w http.ResponseWriter, r *http.Request, given bool) {
	detail := "this needs the token: send Authorization: Bearer and what the file ficus.token beside the state holds"
	if given {
		detail = "the token is not the one of this gateway; it lies in the file ficus.token beside the state"
	}
	if log, before := a.refused.allow(); log {
		a.Logger.Warn("admin request without a valid token", "peer", r.RemoteAddr, "method", r.Method,
			"path", plain(r.URL.EscapedPath(), 200), "token_given", given, "not_logged_before", before)
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="ficus"`)
	fail(w, r, problem(Unauthorized, http.StatusUnauthorized, "%s", detail))
}

// bearer returns the token that r presents.
func bearer(r *http.Request) (token string, given bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// actor returns who sent r.
func actor(r *http.Request) string {
	name, _ := r.Context().Value(actorKey{}).(string)
	return name
}

// traceID returns the trace id of r's traceparent header, or nothing if it has
// none that is well formed (W3C Trace Context, section 3.2).
func traceID(r *http.Request) string {
	parts := strings.Split(r.Header.Get("Traceparent"), "-")
	if len(parts) < 4 || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" || strings.Trim(parts[1], "0") == "" {
		return ""
	}
	return parts[1]
}
