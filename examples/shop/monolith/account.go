package monolith

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// session returns the session of a request, and opens one if it has none.
func (a *App) session(w http.ResponseWriter, r *http.Request) (shop.Session, error) {
	if session, ok := a.current(r); ok {
		return session, nil
	}
	session, err := a.store.Begin()
	if err == nil {
		remember(w, r, session)
	}
	return session, err
}

func (a *App) current(r *http.Request) (shop.Session, bool) {
	cookie, err := r.Cookie(shop.SessionCookie)
	if err != nil {
		return shop.Session{}, false
	}
	return a.store.Session(cookie.Value)
}

// posted returns the session of a form, which must carry its CSRF token.
func (a *App) posted(w http.ResponseWriter, r *http.Request) (shop.Session, error) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	session, ok := a.current(r)
	if !ok || subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(session.CSRF)) != 1 {
		return session, &shop.Error{Status: http.StatusForbidden, Text: "this form is not of your session; load the page again"}
	}
	return session, nil
}

func remember(w http.ResponseWriter, r *http.Request, session shop.Session) {
	age := int(shop.SessionLife.Seconds())
	shop.SetCookie(w, r, &http.Cookie{Name: shop.SessionCookie, Value: session.Token, MaxAge: age, HttpOnly: true})
	if session.User != "" {
		shop.SetCookie(w, r, &http.Cookie{Name: shop.UserCookie, Value: session.User, MaxAge: age})
	}
}

// personal returns the page of a session, to be filled.
func (a *App) personal(title string, session shop.Session) page {
	user, _ := a.store.User(session.User)
	return page{Title: title, User: user.Name, CSRF: session.CSRF}
}

func (a *App) loginForm(w http.ResponseWriter, r *http.Request) {
	session, err := a.session(w, r)
	if err != nil {
		a.problem(w, err)
		return
	}
	a.render(w, http.StatusOK, "login.html", a.personal("Log in", session))
}

func (a *App) login(w http.ResponseWriter, r *http.Request) {
	old, err := a.posted(w, r)
	if err != nil {
		a.problem(w, err)
		return
	}
	session, err := a.store.Login(old, r.PostFormValue("email"), r.PostFormValue("password"))
	if err != nil {
		p := a.personal("Log in", old)
		p.Problem = shop.AsError(err).Text
		a.render(w, shop.AsError(err).Status, "login.html", p)
		return
	}
	remember(w, r, session)
	http.Redirect(w, r, within(r.PostFormValue("next")), http.StatusSeeOther)
}

// within returns where to go after a login: a path of the shop, or the account.
func within(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return "/account"
	}
	return next
}

func (a *App) logout(w http.ResponseWriter, r *http.Request) {
	session, err := a.posted(w, r)
	if err == nil {
		err = a.store.Logout(session.Token)
	}
	if err != nil {
		a.problem(w, err)
		return
	}
	for _, name := range []string{shop.SessionCookie, shop.UserCookie} {
		shop.SetCookie(w, r, &http.Cookie{Name: name, MaxAge: -1})
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) account(w http.ResponseWriter, r *http.Request) {
	session, ok := a.current(r)
	if !ok || session.User == "" {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	p := a.personal("Your account", session)
	_, p.Count = a.store.Orders(a.store.Owner(r), shop.Filter{})
	a.render(w, http.StatusOK, "account.html", p)
}
