package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access/idptest"
	"github.com/ficus-gateway/ficus/gateway/dashboard/browsertest"
)

// visitor is a browser without a screen: it keeps cookies, and follows
// redirects also to the identity provider.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second}
}

func answered(t *testing.T, res *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func visit(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	res, err := c.Get(url)
	return answered(t, res, err)
}

// A person signs on by what the config says, acts under their own name, and is
// still signed in when the gateway has restarted.
func TestPeopleSignOnByTheConfig(t *testing.T) {
	t.Parallel()
	idp := idptest.Start(t)
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"team-orders"}}
	admin, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "client.secret"), []byte(idptest.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
listen: 127.0.0.1:0
admin:
  address: %[1]s
  socket: none
  url: http://%[1]s
  oidc: {issuer: "%[2]s", client_id: ficus, client_secret_file: client.secret, roles: {operator: team-orders}}
state: file:$DIR/ficus.events
upstreams: {monolith: "%[3]s", orders: "%[3]s"}
migrations:
  orders: {from: monolith, to: orders, key: cookie:uid, owner: team-orders}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, admin, idp.URL, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "cookies: %s", r.Header["Cookie"])
	})))
	g, err := tryStart(t, dir, config)
	if err != nil {
		t.Fatal(err)
	}
	c := visitor(t)
	if status, _ := visit(t, c, g.admin+"/api/state"); status != http.StatusUnauthorized {
		t.Errorf("nobody reads: %d", status)
	}
	if status, text := visit(t, c, g.admin+"/login/oidc?next=/api/state"); status != http.StatusOK || !strings.Contains(text, "You are ada@example.com") {
		t.Fatalf("%d: %s", status, text)
	}
	shift := func(shares string) (int, string) {
		state, err := g.client.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"shares": "%s", "reason": "try", "expect": %d}`, shares, state.Seq)
		res, err := c.Post(g.admin+"/api/migrations/orders/shift", "application/json", strings.NewReader(body))
		return answered(t, res, err)
	}
	if status, text := shift("shadow=5%"); status != http.StatusOK || !strings.Contains(text, `"actor": "ada@example.com"`) {
		t.Errorf("%d: %s", status, text)
	}
	if err := g.stop(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if g, err = tryStart(t, dir, config); err != nil {
		t.Fatal(err)
	}
	if status, text := shift("shadow=6%"); status != http.StatusOK {
		t.Errorf("after a restart: %d: %s", status, text)
	}
	// What the browser holds does not reach the monolith, which has the same host.
	if _, text := visit(t, c, g.url+"/"); text != "cookies: []" {
		t.Errorf("the application gets %s", text)
	}
}

// With a certificate the admin listener speaks TLS, and its cookies stay there.
func TestTheAdminListenerSpeaksTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "admin", "localhost")
	g, err := tryStart(t, dir, fmt.Sprintf(`
listen: 127.0.0.1:0
admin: {address: 127.0.0.1:0, socket: none, tls: {cert: admin.pem, key: admin.key}}
state: file:$DIR/ficus.events
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, named(t, "any")))
	if err != nil {
		t.Fatal(err)
	}
	c := visitor(t)
	at := "https://" + g.AdminAddrs()[0].String()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := c.PostForm(at+"/login", url.Values{"token": {g.Token().Reveal()}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	set := res.Header.Get("Set-Cookie")
	if res.StatusCode != http.StatusSeeOther || res.ProtoMajor != 2 || !strings.HasPrefix(set, "__Host-ficus_admin=") || !strings.Contains(set, "Secure") {
		t.Errorf("%s %s, %s", res.Proto, res.Status, set)
	}
	res, err = c.Post(at+"/api/rollback", "application/json", nil)
	if status, text := answered(t, res, err); status != http.StatusOK {
		t.Errorf("%d: %s", status, text)
	}
	if status, _ := visit(t, c, g.admin+"/healthz"); status != http.StatusBadRequest {
		t.Errorf("plain text is answered with %d", status)
	}
}

// What can't work is said at the start.
func TestADoorThatCanNotBeOpened(t *testing.T) {
	t.Parallel()
	oidc := `, url: "http://127.0.0.1:1", oidc: {issuer: "http://127.0.0.1:1", client_id: ficus, %s: FICUS_TEST_NOWHERE, roles: {viewer: "*"}}`
	for extra, want := range map[string]string{
		fmt.Sprintf(oidc, "client_secret_env"):  "FICUS_TEST_NOWHERE",
		fmt.Sprintf(oidc, "client_secret_file"): "FICUS_TEST_NOWHERE",
		`, tls: {cert: no.pem, key: no.key}`:    "no.pem",
	} {
		_, err := tryStart(t, t.TempDir(), `
listen: 127.0.0.1:0
admin: {address: 127.0.0.1:0, socket: none`+extra+`}
state: file:$DIR/ficus.events
upstreams: {monolith: http://127.0.0.1:1}
routes: [{path: /*, upstream: monolith}]
`)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", extra, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, access.TokensFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryStart(t, dir, anywhere+"upstreams: {monolith: http://127.0.0.1:1}\nroutes: [{path: /*, upstream: monolith}]\n"); err == nil || !strings.Contains(err.Error(), access.TokensFile) {
		t.Errorf("%v", err)
	}
}

// A page that is open is told when its session is over, and shows nothing more.
func TestARevokedTokenEndsTheStreamsOfItsSessions(t *testing.T) {
	t.Parallel()
	g := start(t, anywhere+fmt.Sprintf("upstreams: {monolith: %q}\nroutes: [{path: /*, upstream: monolith}]\n", named(t, "any")))
	made, err := g.client.CreateToken(t.Context(), dashboard.TokenRequest{Name: "eve", Role: access.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	c := visitor(t)
	if res, err := c.PostForm(g.admin+"/login", url.Values{"token": {made.Token}}); err != nil {
		t.Fatal(err)
	} else {
		res.Body.Close()
	}
	req, err := http.NewRequest(http.MethodGet, g.admin+"/live?page=frame", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	revoked := false
	for lines.Scan() {
		switch {
		case lines.Text() == "event: hello":
			if _, err := g.client.RevokeToken(t.Context(), made.Info.ID); err != nil {
				t.Fatal(err)
			}
			revoked = true
		case lines.Text() == "event: out":
			if !revoked {
				t.Error("it is told too early")
			}
			return
		}
	}
	t.Errorf("the stream ends without a word: %v, %s", lines.Err(), res.Status)
}

// A browser does not send a strict cookie on a way that leads through another
// site; with the page in between it does, and the person arrives signed in.
func TestABrowserArrivesSignedInFromAnotherSite(t *testing.T) {
	browser, end, err := browsertest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	idp := idptest.Start(t)
	idp.Elsewhere()
	idp.Person = map[string]any{"sub": "1", "email": "ada@example.com", "groups": []string{"staff"}}
	admin, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FICUS_TEST_CLIENT", idptest.ClientSecret)
	g := start(t, fmt.Sprintf(`
listen: 127.0.0.1:0
admin:
  address: %[1]s
  socket: none
  url: http://%[1]s
  oidc: {issuer: "%[2]s", client_id: ficus, client_secret_env: FICUS_TEST_CLIENT, roles: {viewer: staff}}
state: file:$DIR/ficus.events
upstreams: {monolith: "http://127.0.0.1:1"}
routes: [{path: /*, upstream: monolith}]
`, admin, idp.URL))
	ctx, cancel := context.WithTimeout(browser, time.Minute)
	defer cancel()
	arrived := g.admin + "/api/state" // which nobody gets who is not signed in
	if err := chromedp.Do(ctx, chromedp.Navigate(g.admin+"/login/oidc?next=/api/state")); err != nil {
		t.Fatal(err)
	}
	var at, text string
	for ; (at != arrived || text == "") && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) { // by the pages in between, which lead on by themselves
		at, _ = chromedp.Run(ctx, chromedp.Evaluate[string]("location.href"))
		text, _ = chromedp.Run(ctx, chromedp.Evaluate[string]("document.body ? document.body.innerText : ''"))
	}
	if at != arrived || !strings.Contains(text, "migrations") || strings.Contains(text, "problem") {
		t.Errorf("the browser ends at %s with %s", at, text)
	}
	entries, _ := g.door.Audit(access.AuditFilter{})
	if len(entries) != 1 || entries[0].What != access.SignedIn {
		t.Errorf("%+v", entries)
	}
}
