package dashboard

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

//go:embed onward.html
var onwardHTML string

var onwardPage = template.Must(template.New("onward").Parse(onwardHTML))

// An onward is a page that leads to another.
type onward struct {
	Nonce string
	Name  string // of who has signed in
	Next  string
}

// signOnPath is where the single sign-on begins, for a page to go to then.
func signOnPath(next string) string { return "/login/oidc?" + url.Values{"next": {next}}.Encode() }

// getSignOn sends a browser to the identity provider.
func (a *api) getSignOn(w http.ResponseWriter, r *http.Request) {
	next := nextPage(r.URL.Query().Get("next"))
	if a.Door.SignOn() == nil {
		a.failPage(w, r, problem(NotFound, http.StatusNotFound, "this gateway has no single sign-on; sign in with a token"))
		return
	}
	// The provider sends people back to our URL, so that it is there that the
	// cookie must be. The mark ends it where a proxy asks for another host.
	if here := hostOf(a.URL); here != "" && !strings.EqualFold(r.Host, here) && !r.URL.Query().Has("here") {
		http.Redirect(w, r, strings.TrimSuffix(a.URL, "/")+signOnPath(next)+"&here=1", http.StatusSeeOther)
		return
	}
	to, sealed, err := a.Door.SignOn().Begin(r.Context(), next)
	if err != nil {
		a.loginRefused(w, r, loginForm{Title: "Sign in", Form: true, Next: next}, err)
		return
	}
	c := a.cookie(r, signOnCookie, sealed)
	c.SameSite, c.MaxAge = http.SameSiteLaxMode, 600 // it must come along when the provider sends the browser back
	http.SetCookie(w, c)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// getCallback takes what the provider sends the browser back with. A browser
// does not send a strict cookie along as long as another site has led it here;
// so the answer is a page of ours that leads on.
func (a *api) getCallback(w http.ResponseWriter, r *http.Request) {
	if a.Door.SignOn() == nil {
		a.failPage(w, r, problem(NotFound, http.StatusNotFound, "this gateway has no single sign-on; sign in with a token"))
		return
	}
	id, next, who, err := a.Door.FinishSignOn(r.Context(), r.URL.Query(), a.cookieOf(r, signOnCookie), a.attempt(r))
	http.SetCookie(w, a.cookie(r, signOnCookie, "")) // once is enough
	if err != nil {
		a.loginRefused(w, r, loginForm{Title: "Sign in", Form: true, Next: nextPage(next)}, err)
		return
	}
	a.note(r, who, access.Entry{What: access.SignedIn})
	http.SetCookie(w, a.cookie(r, sessionCookie, id))
	page := onward{Name: who.Actor, Next: nextPage(next)}
	a.sendPage(w, r, http.StatusOK, onwardPage, &page, &page.Nonce)
}

// hostOf returns host and port of a URL.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
