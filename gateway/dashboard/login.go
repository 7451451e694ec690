package dashboard

import (
	"bytes"
	_ "embed"
	"errors"
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
		strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) || strings.HasPrefix(u.Path, "/login") || strings.HasPrefix(u.Path, "/logout") {
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
	id, who, err := a.Door.SignIn(access.Attempt{
		Token: strings.TrimSpace(r.PostForm.Get("token")), Name: form.Name, Before: sessionCookie(r), Peer: r.RemoteAddr,
	})
	if err != nil {
		a.loginRefused(w, r, form, err)
		return
	}
	a.Door.Note(access.Entry{What: access.SignedIn, Actor: who.Actor, Role: who.Role, Via: who.Via, Peer: r.RemoteAddr})
	http.SetCookie(w, a.cookie(r, id))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

func (a *api) loginRefused(w http.ResponseWriter, r *http.Request, form loginForm, err error) {
	status, kind := http.StatusUnauthorized, Unauthorized
	if errors.Is(err, access.ErrTooMany) {
		status, kind = http.StatusTooManyRequests, TooMany
		w.Header().Set("Retry-After", "10")
	}
	a.Door.Note(access.Entry{What: access.LoginRefused, Actor: form.Name, Peer: r.RemoteAddr, Type: string(kind), Detail: err.Error()})
	form.Problem = sentence(err.Error())
	a.sendLogin(w, r, status, form)
}

// sentence makes a sentence of an error.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// postLogout ends the session.
func (a *api) postLogout(w http.ResponseWriter, r *http.Request) {
	if who := identityOf(r); who.Via == access.BySession || who.Via == access.BySignOn {
		a.Door.SignOut(sessionCookie(r))
		a.note(r, access.SignedOut, "")
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
// it came by TLS, from this very host. Browsers send a cookie to every port of
// a host, the public listener's too; what begins as ours do is not passed on
// to the applications behind it.
const (
	ownCookies    = "ficus_"
	plainCookie   = ownCookies + "admin"
	securedCookie = "__Host-" + plainCookie
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
