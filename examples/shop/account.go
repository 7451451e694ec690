package shop

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Password is that of every seeded customer; [Email] gives their addresses.
const Password = "ficus carica"

// Email returns the address of the n-th seeded customer, from 1.
func Email(n int) string { return fmt.Sprintf("customer%d@shop.example", n) }

// A User is a customer with an account.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Salt  []byte `json:"salt"`
	Hash  []byte `json:"hash"`
}

// hashing is kept cheap, so that a hundred customers can log in at once on a
// laptop; a real shop takes a thousand times as many iterations.
const hashing = 512

func hashPassword(password string, salt []byte) []byte {
	hash, err := pbkdf2.Key(sha256.New, password, salt, hashing, 32)
	if err != nil {
		panic(err) // only for parameters that are constant here
	}
	return hash
}

// A Session is one browser. It has a user while someone is logged in.
type Session struct {
	Token   string    `json:"token"`
	CSRF    string    `json:"csrf"` // what its forms must carry
	User    string    `json:"user,omitempty"`
	Cart    []Line    `json:"cart,omitempty"`
	Expires time.Time `json:"expires"`
}

// SessionLife is how long a session lasts.
const SessionLife = 12 * time.Hour

// Begin opens a session without a user.
func (s *Store) Begin() (Session, error) { return s.begin("", nil) }

func (s *Store) begin(user string, cart []Line) (Session, error) {
	session := Session{Token: rand.Text(), CSRF: rand.Text(), User: user, Cart: cart, Expires: s.now().Add(SessionLife)}
	return session, s.update(func(d *data) error {
		const many = 10000
		if len(d.Sessions) >= many {
			d.forgetExpired(s.now())
		}
		d.Sessions[session.Token] = session
		return nil
	})
}

func (d *data) forgetExpired(now time.Time) {
	for token, session := range d.Sessions {
		if now.After(session.Expires) {
			delete(d.Sessions, token)
		}
	}
}

// Session returns the session of a token, if it has not ended.
func (s *Store) Session(token string) (session Session, ok bool) {
	s.view(func(d *data) { session, ok = d.Sessions[token] })
	return session, ok && s.now().Before(session.Expires)
}

// Login ends a session and opens one for the user in its place, cart
// included. A wrong address and a wrong password are the same [Error].
func (s *Store) Login(old Session, email, password string) (Session, error) {
	var user User
	s.view(func(d *data) {
		for _, u := range d.Users {
			if strings.EqualFold(u.Email, email) {
				user = u
			}
		}
	})
	if subtle.ConstantTimeCompare(hashPassword(password, user.Salt), user.Hash) != 1 {
		return Session{}, errorf(http.StatusUnauthorized, "no account with this address and password")
	}
	if err := s.Logout(old.Token); err != nil {
		return Session{}, err
	}
	return s.begin(user.ID, old.Cart)
}

// Logout ends a session.
func (s *Store) Logout(token string) error {
	return s.update(func(d *data) error {
		delete(d.Sessions, token)
		return nil
	})
}

// User returns a customer by id.
func (s *Store) User(id string) (user User, ok bool) {
	s.view(func(d *data) {
		for _, u := range d.Users {
			if u.ID == id {
				user, ok = u, true
			}
		}
	})
	return user, ok
}

// An Owner is whose orders a request is about: a customer, a guest, or, if
// empty, somebody who has none.
type Owner string

// Owner tells by a request's cookies who it is from.
func (s *Store) Owner(r *http.Request) Owner {
	if cookie, err := r.Cookie(SessionCookie); err == nil {
		if session, ok := s.Session(cookie.Value); ok && session.User != "" {
			return Owner("user:" + session.User)
		}
	}
	if cookie, err := r.Cookie(GuestCookie); err == nil && cookie.Value != "" {
		return Owner("guest:" + cookie.Value)
	}
	return ""
}

// Adopt returns the owner of a request that is about to create something. One
// that has none becomes a guest, and is told so by a cookie.
func (s *Store) Adopt(w http.ResponseWriter, r *http.Request) Owner {
	owner := s.Owner(r)
	if owner == "" {
		token := rand.Text()
		SetCookie(w, r, &http.Cookie{Name: GuestCookie, Value: token, MaxAge: int(30 * 24 * time.Hour / time.Second), HttpOnly: true})
		owner = Owner("guest:" + token)
	}
	return owner
}

// SetCookie sets a cookie for the whole shop, Secure if the client is on TLS.
func SetCookie(w http.ResponseWriter, r *http.Request, cookie *http.Cookie) {
	cookie.Path = "/"
	cookie.SameSite = http.SameSiteLaxMode
	cookie.Secure = r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
	http.SetCookie(w, cookie)
}
