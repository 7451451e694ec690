package dashboard

import (
	"net/http"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A grant is what an endpoint asks of who sends a request.
type grant struct {
	role  access.Role // at least
	known bool        // who has shown who they are; else an address where reads are free will do
	reads bool        // it changes nothing, whatever its method
}

// The grants. Each endpoint has one; the zero value asks for nothing.
var (
	anyone   = grant{}
	viewer   = grant{role: access.Viewer}
	asker    = grant{role: access.Viewer, reads: true}   // a question that is put by POST
	member   = grant{role: access.Viewer, known: true}   // whoever is known: also a viewer may roll back
	reporter = grant{role: access.Reporter, known: true} // an application, and admins
	operator = grant{role: access.Operator, known: true}
	admin    = grant{role: access.Admin, known: true}
)

// An endpoint is a handler and what it asks of who calls it. Every handler of
// the router is one; a test walks the router and sees to it.
type endpoint struct {
	api    *api
	needs  grant
	page   bool // it is for people with a browser, who are led to the login
	handle http.HandlerFunc
}

// may returns h for those whom needs lets in.
func (a *api) may(needs grant, h http.HandlerFunc) endpoint {
	return endpoint{api: a, needs: needs, handle: h}
}

// mayPage is as may for pages: who is not signed in is led to the login, and
// what is refused is said on a page. The Content-Security-Policy of the answer
// allows scripts and styles that carry [nonceOf] the request.
func (a *api) mayPage(needs grant, h http.HandlerFunc) endpoint {
	return endpoint{api: a, needs: needs, page: true, handle: h}
}

// ServeHTTP calls the handler, or refuses.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.page {
		r = withNonce(w, r)
	}
	who, needs := identityOf(r), e.needs
	if !isSafe(r.Method) && needs == viewer { // nothing that writes is free
		needs = member
	}
	switch {
	case needs == anyone:
	case e.page && !who.Known() && ledHere(r):
		// The browser has held back its cookie, since another site led it here. It
		// sends it along to where a page of ours leads.
		page := onward{Next: nextPage(r.URL.RequestURI())}
		e.api.sendPage(w, r, http.StatusOK, onwardPage, &page, &page.Nonce)
		return
	case who.Role == "" || needs.known && !who.Known():
		if e.page {
			http.Redirect(w, r, loginPath(r), http.StatusSeeOther)
			return
		}
		e.api.unauthorized(w, r)
		return
	case !who.Role.Covers(needs.role):
		e.api.refuse(w, r, problem(Forbidden, http.StatusForbidden,
			"this needs the role %s, and %s is %s; an admin can give it", needs.role, who.Actor, article(who.Role)))
		return
	}
	if p := e.api.onlyRead(r, needs); p != nil {
		e.api.refuse(w, r, p)
		return
	}
	e.handle(w, r)
}

// ledHere reports whether a page of another site has a browser open this one.
func ledHere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return isSafe(r.Method) && r.Header.Get("Sec-Fetch-Mode") == "navigate" && (site == "cross-site" || site == "same-site")
}

func article(role access.Role) string {
	if role == access.Viewer || role == access.Reporter {
		return "a " + string(role)
	}
	return "an " + string(role)
}

// mayChange says why who sends r may not change what owner owns; nil if they may.
func mayChange(r *http.Request, what, owner string) *Problem {
	who := identityOf(r)
	switch {
	case who.May(owner):
		return nil
	case !who.Role.Covers(access.Operator):
		return problem(Forbidden, http.StatusForbidden, "changing %s needs the role operator, and %s is %s; rolling back is open to everybody who is signed in", what, who.Actor, article(who.Role))
	}
	return problem(NotOwner, http.StatusForbidden,
		"%s belongs to %s, and %s is not of that group; somebody of it or an admin can change it, and rolling back is open to everybody who is signed in", what, owner, who.Actor)
}

// refuse answers with a problem of who may come in or do what, and keeps it in
// the audit.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	a.note(r, identityOf(r), access.Entry{
		What: access.Refused, Method: r.Method, Path: plain(r.URL.EscapedPath(), 200), Type: string(p.Type), Detail: p.Detail,
	})
	if isPage(r) {
		a.failPage(w, r, p)
		return
	}
	fail(w, r, p)
}

// failPage says on a page what was refused.
func (a *api) failPage(w http.ResponseWriter, r *http.Request, p *Problem) {
	a.sendLogin(w, r, p.Status, loginForm{Title: p.Title, Problem: sentence(p.Detail)})
}

// unauthorized refuses somebody who does not show who they are.
func (a *api) unauthorized(w http.ResponseWriter, r *http.Request) {
	detail := "this needs the token: send Authorization: Bearer and what the file ficus.token beside the state holds, or a token that an admin has issued"
	if _, given := bearer(r); given {
		detail = "the token is not one of this gateway, or was revoked, or has expired; that of an admin lies in the file ficus.token beside the state"
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="ficus"`)
	a.refuse(w, r, problem(Unauthorized, http.StatusUnauthorized, "%s", detail))
}
