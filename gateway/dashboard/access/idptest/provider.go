// Package idptest is a small identity provider for tests: a real server on the
// loopback that speaks OpenID Connect with real keys, and lies where it is
// told to.
//
//	idp := idptest.Start(t)
//	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"team-orders"}}
//
// It knows the client "ficus" with the secret "hush", and lets everybody in who asks.
package idptest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the provider knows of its one client.
const (
	ClientID     = "ficus"
	ClientSecret = "hush"
)

// A Provider is an identity provider. Its fields may be set before it is asked.
type Provider struct {
	URL string

	Person   map[string]any                                  // the claims of whoever signs in
	UserInfo map[string]any                                  // what userinfo says; nil: there is no such endpoint
	Edit     func(claims map[string]any)                     // changes the claims of an ID token
	Sign     func(p *Provider, claims map[string]any) string // makes the ID token; nil: [Provider.RS256]
	Deny     string                                          // the error that it sends people back with
	Wait     time.Duration                                   // before the token endpoint answers
	Long     int                                             // bytes of white space before the discovery document

	page   bool // people see one of the provider's before they are sent back
	key    *rsa.PrivateKey
	server *httptest.Server

	mu    sync.Mutex // guards what follows
	codes map[string]url.Values
}

// ours is the key of all providers of a test run; making one takes a while.
var ours = sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// Start starts a provider that ends with the test.
func Start(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{key: ours(), codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.server = httptest.NewServer(mux)
	p.URL = p.server.URL
	t.Cleanup(p.server.Close)
	return p
}

// Elsewhere gives the provider another host name than that of the loopback
// address, so that browsers take it for another site, and has it lead people
// back from a page of its own, as after a login there.
func (p *Provider) Elsewhere() {
	p.URL, p.page = strings.Replace(p.URL, "127.0.0.1", "localhost", 1), true
}

// Stop makes the provider unreachable.
func (p *Provider) Stop() { p.server.Close() }

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	}
	if p.UserInfo != nil {
		doc["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	_, _ = w.Write(bytes.Repeat([]byte(" "), p.Long))
	answer(w, doc)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
		"n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// authorize sends the browser back at once, as if somebody had signed in.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}}
	switch {
	case p.Deny != "":
		back.Set("error", p.Deny)
	case q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "":
		back.Set("error", "invalid_request")
	default:
		code := rand.Text()
		back.Set("code", code)
		p.mu.Lock()
		p.codes[code] = q
		p.mu.Unlock()
	}
	to := q.Get("redirect_uri") + "?" + back.Encode()
	if p.page {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<meta http-equiv="refresh" content="0;url=%s">`, html.EscapeString(to))
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// token takes each code once, from the client that it was given to, with the
// verifier of the challenge.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // what is read whole lets the server see that a client goes away
	select {
	case <-time.After(p.Wait):
	case <-r.Context().Done():
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	p.mu.Lock()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || id != ClientID || secret != ClientSecret || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]any{"error": "invalid_grant", "error_description": "the code " + r.PostFormValue("code") + " of " + secret + " is not good"})
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce")}
	for name, v := range p.Person {
		claims[name] = v
	}
	if p.Edit != nil {
		p.Edit(claims)
	}
	sign := p.Sign
	if sign == nil {
		sign = (*Provider).RS256
	}
	answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": sign(p, claims)})
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer(w, p.UserInfo)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
