package dashboard

import (
	"context"
	"net/http"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

type visitKey struct{}

// A visit is who sent a request, and how to find out again.
type visit struct {
	who   access.Identity
	again func() (access.Identity, bool)
}

// identityOf returns who sent r.
func identityOf(r *http.Request) access.Identity {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return v.who
}

// StillIs reports whether who sent r would be let in now as who they were then:
// their token may have been revoked, their session may be over. What goes on
// for long asks it now and then.
func StillIs(r *http.Request) bool {
	v, ok := r.Context().Value(visitKey{}).(visit)
	if !ok {
		return false
	}
	who, ok := v.again()
	return ok && who.Role == v.who.Role && who.Via == v.who.Via
}

// actor returns the name of who sent r, for the log.
func actor(r *http.Request) string { return identityOf(r).Actor }

// identified finds out who sends a request. A token goes before a cookie, and
// one that is wrong is refused, so that nobody takes a revoked one for good.
func (a *api) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := a.identify(r, !isStream(r))
		if !ok && !isProbe(r) {
			a.unauthorized(w, r)
			return
		}
		// Their own word counts only where the credential names nobody.
		if who.Actor == "" {
			who.Actor = plain(r.Header.Get("Ficus-Actor"), 100)
		}
		switch who.Actor {
		case "":
			who.Actor = "operator"
		case "ficus":
			fail(w, r, problem(BadRequest, http.StatusBadRequest, "Ficus-Actor: ficus is the gateway's own name in the log; use another"))
			return
		}
		v := visit{who, func() (access.Identity, bool) { return a.identify(r, false) }}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// identify returns who sends r; not ok: they present a token that opens nothing.
// A session is in use only by what somebody does.
func (a *api) identify(r *http.Request, acts bool) (who access.Identity, ok bool) {
	if token, given := bearer(r); given {
		return a.Door.Bearer(token)
	}
	if id := a.cookieOf(r, sessionCookie); id != "" {
		if who, ok := a.Door.Session(id, acts); ok {
			return who, true
		}
	}
	if a.readsFree(r) {
		return access.Identity{Role: access.Viewer, Via: access.ByAddress}, true
	}
	return access.Identity{}, true
}

// readsFree reports whether reading needs no token where r came in. In doubt it does.
func (a *api) readsFree(r *http.Request) bool {
	local := localAddr(r)
	return isUnix(local) || !a.ReadsNeedToken && tcpAddr(local).IsLoopback()
}

// isStream reports whether r asks for server-sent events. A page that listens
// and is not looked at does not keep its session from ending.
func isStream(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }
