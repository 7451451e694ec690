package app

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// mayRollBack reports whether a gateway lets in whoever a client is.
func (r *running) mayRollBack(token string, c *http.Client) bool {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.admin+"/api/rollback", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode < 300
}

// elsewhere makes the cookies of one gateway those of another, as a load
// balancer does.
func elsewhere(t *testing.T, c *http.Client, from, to *running) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := url.Parse(from.admin)
	b, _ := url.Parse(to.admin)
	jar.SetCookies(b, c.Jar.Cookies(a))
	return &http.Client{Jar: jar, Timeout: 20 * time.Second}
}

func signedIn(t *testing.T, g *running, token string) *http.Client {
	t.Helper()
	c := visitor(t)
	res, err := c.PostForm(g.admin+"/login", url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return c
}

// Whoever is let in or thrown out at one gateway is at the others, a moment
// later, and while Redis is away each goes on with what it knows.
func TestGatewaysShareWhoComesIn(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	made, err := a.client.CreateToken(t.Context(), dashboard.TokenRequest{Name: "ci", Role: access.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Client{Timeout: 20 * time.Second}
	eventually(t, "the token opens the other gateway", func() bool { return b.mayRollBack(made.Token, plain) })

	// A browser that another gateway has let in, and that signs out there.
	atA := signedIn(t, a, made.Token)
	atB := elsewhere(t, atA, a, b)
	if !b.mayRollBack("", atB) {
		t.Error("the session is not known at the other gateway")
	}
	res, err := atB.Post(b.admin+"/logout", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	eventually(t, "the session is over at the first gateway", func() bool { return !a.mayRollBack("", atA) })

	// The token of ficus.token is each gateway's own, and so are its sessions; that
	// one does not know it ends nothing at the other.
	own := signedIn(t, a, a.Token().Reveal())
	if b.mayRollBack("", elsewhere(t, own, a, b)) || !a.mayRollBack("", own) {
		t.Error("a session of ficus.token opens a gateway that has another, or was ended there")
	}

	// Two that are made at once, of one name: one is refused.
	taken := make(chan error, 2)
	for _, g := range []*running{a, b} {
		go func() {
			_, err := g.client.CreateToken(t.Context(), dashboard.TokenRequest{Name: "twin", Role: access.Viewer})
			taken <- err
		}()
	}
	if one, other := <-taken, <-taken; (one == nil) == (other == nil) || !client.Is(cmp.Or(one, other), dashboard.Refused) {
		t.Errorf("%v, %v", one, other)
	}

	// Redis is away: what is known stands, a token can be revoked here, and none be made.
	atA = signedIn(t, a, made.Token)
	redis.kill()
	if !a.mayRollBack("", atA) || !b.mayRollBack(made.Token, plain) {
		t.Error("without Redis nobody comes in")
	}
	if _, err := a.client.CreateToken(t.Context(), dashboard.TokenRequest{Name: "more", Role: access.Viewer}); !client.Is(err, dashboard.LogUnavailable) {
		t.Errorf("%v", err)
	}
	gone, err := a.client.RevokeToken(t.Context(), made.Info.ID)
	if err != nil || !gone.Here {
		t.Errorf("%+v, %v", gone, err)
	}
	if a.mayRollBack(made.Token, plain) || a.mayRollBack("", atA) {
		t.Error("the token that was revoked opens the gateway where it was")
	}
	// It comes back without anything: the tokens are put there again, but for the revoked one.
	redis.start()
	eventually(t, "the other gateway knows that the token was revoked", func() bool { return !b.mayRollBack(made.Token, plain) })
	c := start(t, config)
	eventually(t, "a new gateway knows the tokens", func() bool {
		all, err := c.client.Tokens(t.Context())
		return err == nil && fmt.Sprint(names(all)) == "[ficus.token twin]"
	})
	if c.mayRollBack(made.Token, plain) {
		t.Error("the token that was revoked opens a new gateway")
	}
}

func names(all dashboard.Tokens) (list []string) {
	for _, one := range all.Tokens {
		list = append(list, one.Name)
	}
	return list
}
