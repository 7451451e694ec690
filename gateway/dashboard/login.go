package dashboard

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
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
	SignOn  string // path of the single sign-on; empty: there is none
}

// loginPath is where somebody signs in who asked for r.
func loginPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/" && r.URL.RawQuery == "" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(r.URL.RequestURI())
}

// maxNext bounds the page to go to, which a cookie carries meanwhile.
const maxNext = 1500

// nextPage returns a page of ours to go to: a link that somebody sends must
// not lead from our login to theirs.
func nextPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
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
	try := a.attempt(r)
	try.Token, try.Name = strings.TrimSpace(r.PostForm.Get("token")), form.Name
	id, who, err := a.Door.SignIn(try)
	if err != nil {
		a.loginRefused(w, r, form, err)
		return
	}
	a.note(r, who, access.Entry{What: access.SignedIn})
	http.SetCookie(w, a.cookie(r, sessionCookie, id))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

func (a *api) loginRefused(w http.ResponseWriter, r *http.Request, form loginForm, err error) {
	status, kind := http.StatusUnauthorized, Unauthorized
	entry := access.Entry{What: access.LoginRefused, Detail: err.Error()}
	if form.Name != "" {
		entry.Detail += fmt.Sprintf("; they say that they are %q", form.Name)
	}
	var refusal *access.Refusal
	switch {
	case errors.Is(err, access.ErrTooMany):
		status, kind = http.StatusTooManyRequests, TooMany
		w.Header().Set("Retry-After", "10")
	case errors.Is(err, access.ErrNoRole):
		status, kind = http.StatusForbidden, Forbidden
	case errors.Is(err, access.ErrProvider):
		status, kind = http.StatusBadGateway, NoProvider
	}
	if errors.As(err, &refusal) {
		entry.Actor, entry.Detail = refusal.Actor, plain(entry.Detail+": "+refusal.Detail, 500)
	}
	entry.Type = string(kind)
	a.note(r, access.Identity{}, entry)
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
		a.Door.SignOut(a.cookieOf(r, sessionCookie))
		a.note(r, who, access.Entry{What: access.SignedOut})
	}
	http.SetCookie(w, a.cookie(r, sessionCookie, ""))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (a *api) sendLogin(w http.ResponseWriter, r *http.Request, status int, form loginForm) {
	if form.Form && a.Door.SignOn() != nil {
		form.SignOn = signOnPath(form.Next)
	}
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

// Our cookies. With TLS a prefix makes the browser see to it that one came by
// TLS, from this very host. Browsers send a cookie to every port of a host, the
// public listener's too; what begins as ours do is not passed on to the
// applications behind it.
const (
	ownCookies    = "ficus_"
	sessionCookie = ownCookies + "admin"   // a session
	signOnCookie  = ownCookies + "sign_on" // a sign-on that is under way
	hostPrefix    = "__Host-"
)

// secure reports whether cookies are for TLS only: that of this connection, or
// that of a proxy in front by which people come.
func (a *api) secure(r *http.Request) bool { return r.TLS != nil || strings.HasPrefix(a.URL, "https:") }

// cookie returns a cookie that no script can read and that goes to nobody else.
func (a *api) cookie(r *http.Request, name, value string) *http.Cookie {
	c := &http.Cookie{Name: a.cookieName(r, name), Value: value, Path: "/", HttpOnly: true, Secure: a.secure(r), SameSite: http.SameSiteStrictMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *api) cookieName(r *http.Request, name string) string {
	if a.secure(r) {
		return hostPrefix + name
	}
	return name
}

// cookieOf returns the value of a cookie of ours.
func (a *api) cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(a.cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}
