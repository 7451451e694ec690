package dashboard

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

//go:embed login.html
var loginHTML string

var loginPage = template.Must(template.New("login").Parse(loginHTML))

// A loginForm is what the login page shows.
type loginForm struct {
	Nonce   string
	Title   string
	Next    string // where to go then
	Name    string
	Problem string // what was wrong with the last try
	Form    bool   // ask for a token
	Out     bool   // offer to sign out
}

// loginPath is where somebody signs in who asked for r.
func loginPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/" && r.URL.RawQuery == "" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(r.URL.RequestURI())
}

// nextPage returns a page of ours to go to: a link that somebody sends must
// not lead from our login to theirs.
func nextPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "/login") || strings.HasPrefix(u.Path, "/logout") {
		return "/"
	}
	return next
}

func (a *api) getLogin(w http.ResponseWriter, r *http.Request) {
	a.sendLogin(w, r, http.StatusOK, loginForm{Title: "Sign in", Form: true, Next: nextPage(r.URL.Query().Get("next"))})
}

// postLogin opens a session for who presents a token.
func (a *api) postLogin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		a.sendLogin(w, r, http.StatusBadRequest, loginForm{Title: "Sign in", Form: true, Problem: "The form did not arrive as it should. Try again."})
		return
	}
	form := loginForm{Title: "Sign in", Form: true, Next: nextPage(r.PostForm.Get("next")), Name: plain(r.PostForm.Get("name"), 100)}
	if form.Name == "ficus" {
		form.Problem = "ficus is the gateway's own name in the log. Use another."
		a.sendLogin(w, r, http.StatusUnprocessableEntity, form)
		return
	}
	id, who, ok := a.Door.SignIn(strings.TrimSpace(r.PostForm.Get("token")), form.Name, sessionCookie(r))
	if !ok {
		form.Problem = "That is not a token of this gateway, or it was revoked, or has expired."
		a.sendLogin(w, r, http.StatusUnauthorized, form)
		return
	}
	a.Logger.Info("signed in", "actor", who.Actor, "role", who.Role, "peer", r.RemoteAddr)
	http.SetCookie(w, a.cookie(r, id))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// postLogout ends the session.
func (a *api) postLogout(w http.ResponseWriter, r *http.Request) {
	if id := sessionCookie(r); id != "" {
		a.Door.SignOut(id)
		a.Logger.Info("signed out", "actor", actor(r), "peer", r.RemoteAddr)
	}
	gone := a.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (a *api) sendLogin(w http.ResponseWriter, r *http.Request, status int, form loginForm) {
	form.Out = identityOf(r).Via == access.BySession || identityOf(r).Via == access.BySignOn
	a.sendPage(w, r, status, loginPage, &form, &form.Nonce)
}

// failPage says on a page what was refused.
func (a *api) failPage(w http.ResponseWriter, r *http.Request, p *Problem) {
	form := loginForm{Title: p.Title, Problem: p.Detail}
	a.sendLogin(w, r, p.Status, form)
}

func (a *api) sendPage(w http.ResponseWriter, r *http.Request, status int, page *template.Template, data any, nonce *string) {
	*nonce = nonceOf(r)
	var body bytes.Buffer
	if err := page.Execute(&body, data); err != nil {
		panic(err) // the types hold plain data only
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may be gone
}

// The cookie of a session. With TLS its name makes the browser see to it that
// it came by TLS, from this very host.
const (
	plainCookie   = "ficus-session"
	securedCookie = "__Host-ficus-session"
)

func isSecure(r *http.Request) bool { return r.TLS != nil }

func (a *api) cookie(r *http.Request, id string) *http.Cookie {
	c := &http.Cookie{Name: plainCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if isSecure(r) {
		c.Name, c.Secure = securedCookie, true
	}
	return c
}

// sessionCookie returns the id of the session that r shows.
func sessionCookie(r *http.Request) string {
	name := plainCookie
	if isSecure(r) {
		name = securedCookie
	}
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
