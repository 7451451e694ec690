package dashboard

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

// A page of evil.example that points its name at the loopback still asks for evil.example.
func TestRebindingIsRefused(t *testing.T) {
	g := start(t, func(d *Deps) { d.Hosts = []string{"Ficus.Example.", "admin.internal:9900"} })
	for _, name := range []string{"evil.example", "evil.example:9900", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1", "[::]", "169.254.1.1", "xlocalhost"} {
		p := refusedAs(t, g.ask(http.MethodGet, "/api/state", "", host(name)), http.StatusMisdirectedRequest, HostNotListed)
		contains(t, p.Detail, "ask for localhost")
		r := g.ask(http.MethodPost, "/api/rollback", "", host(name), g.bearing)
		refusedAs(t, r, http.StatusMisdirectedRequest, HostNotListed)
	}
	for _, name := range []string{"localhost", "LOCALHOST:1", "localhost.", "127.0.0.1:80", "127.1.2.3", "[::1]", "[::1]:9900", "[::ffff:127.0.0.1]", "ficus.example", "admin.internal"} {
		got[State](t, g.ask(http.MethodGet, "/api/state", "", host(name)), http.StatusOK)
	}
	if head, _ := g.log.Head(t.Context()); head != 2 {
		t.Errorf("the head is %d", head)
	}
}

func TestProbesMayAskForAnyHostButSeeNoDetail(t *testing.T) {
	g := start(t, func(d *Deps) {
		d.Ready = func() Readiness { return Readiness{Ready: true, Checks: []Check{{Name: "log", OK: true}}} }
	})
	got[Health](t, g.ask(http.MethodGet, "/healthz", "", host("10.1.2.3:9900")), http.StatusOK)
	if r := got[Readiness](t, g.ask(http.MethodGet, "/readyz", "", host("evil.example")), http.StatusOK); !r.Ready || r.Checks != nil {
		t.Errorf("%+v", r)
	}
	if r := got[Readiness](t, g.get("/readyz"), http.StatusOK); len(r.Checks) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestForgedRequestsAreRefused(t *testing.T) {
	g := start(t)
	forged := []func(*http.Request){
		with("Sec-Fetch-Site", "cross-site"), with("Sec-Fetch-Site", "same-site"), with("Origin", "https://evil.example"), with("Origin", "null"),
	}
	for _, forge := range forged {
		refusedAs(t, g.ask(http.MethodPost, "/api/rollback", "", g.bearing, forge), http.StatusForbidden, CrossOrigin)
	}
	own := []func(*http.Request){with("Sec-Fetch-Site", "same-origin"), with("Sec-Fetch-Site", "none"), with("Origin", g.url)}
	for _, edit := range own {
		got[RollbackAll](t, g.ask(http.MethodPost, "/api/rollback", "", g.bearing, edit), http.StatusOK)
	}
	// A preflight gets no permission.
	r := g.ask(http.MethodOptions, "/api/rollback", "", with("Origin", "https://evil.example"), with("Access-Control-Request-Method", "POST"))
	refusedAs(t, r, http.StatusMethodNotAllowed, NoSuchMethod)
	for name := range r.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s is sent", name)
		}
	}
}

func TestWritesNeedTheToken(t *testing.T) {
	g := start(t)
	paths := []string{
		"/api/rollback", "/api/reload", "/api/explain", "/api/migrations/orders/shift", "/api/migrations/orders/hold",
		"/api/migrations/orders/resume", "/api/migrations/orders/rollback", "/api/nothing", "/",
	}
	wrong := []string{"", "Bearer", "Bearer ", "Bearer " + access.NewToken().Reveal(), "Bearer " + g.token.Reveal() + "x", "Bearer " + g.token.Reveal()[:20], "Basic " + g.token.Reveal(), g.token.Reveal()}
	for _, path := range paths {
		for _, value := range wrong {
			r := g.ask(http.MethodPost, path, `{}`, with("Authorization", value))
			refusedAs(t, r, http.StatusUnauthorized, Unauthorized)
			if r.Header.Get("WWW-Authenticate") != `Bearer realm="ficus"` {
				t.Error("no challenge")
			}
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		refusedAs(t, g.get(path), http.StatusUnauthorized, Unauthorized)
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		refusedAs(t, g.ask(method, "/api/state", ""), http.StatusUnauthorized, Unauthorized)
	}
	got[RollbackAll](t, g.ask(http.MethodPost, "/api/rollback", "", with("Authorization", "bearer "+g.token.Reveal())), http.StatusOK)
}

func TestATokenWithANameNamesTheActor(t *testing.T) {
	g := start(t)
	g.issue("ann", access.Viewer)
	bob := g.issue("bob", access.Viewer)
	done := got[Change](t, g.ask(http.MethodPost, "/api/migrations/orders/rollback", "", with("Authorization", "Bearer "+bob.Reveal()), as("alice")), http.StatusOK)
	if done.Migration.Actor != "bob" {
		t.Errorf("by %s", done.Migration.Actor)
	}
}

func TestFailedTokensAreLoggedWithoutThem(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	g := start(t, func(d *Deps) {
		d.Door = door(t, access.Options{Logger: d.Logger, Now: func() time.Time { return at }})
	})
	presented := access.NewToken().Reveal()
	for range 50 {
		g.ask(http.MethodPost, "/api/rollback", "", with("Authorization", "Bearer "+presented))
	}
	at = at.Add(time.Second)
	g.ask(http.MethodPost, "/api/rollback?token="+presented, "", with("Authorization", "Bearer "+presented))
	logged := g.logged.String()
	if n := strings.Count(logged, "admin: request refused"); n != 11 {
		t.Errorf("%d lines", n)
	}
	contains(t, logged, `"peer":"127.0.0.1:`, `"not_logged_before":40`, `the token is not one of this gateway`)
	if strings.Contains(logged, presented) || strings.Contains(logged, g.token.Reveal()) {
		t.Error("a token is in the log")
	}
}

func TestReadsNeedTheTokenAwayFromTheLoopback(t *testing.T) {
	g := start(t)
	a, err := newAPI(g.deps)
	if err != nil {
		t.Fatal(err)
	}
	// The address that was connected to is what counts, and in doubt it is a public one.
	for _, test := range []struct {
		local net.Addr
		path  string
		want  int
	}{
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900}, "/api/state", 401},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900}, "/metrics", 401},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900}, "/api/nothing", 401},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900}, "/healthz", 200},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900}, "/readyz", 200},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 9900}, "/api/state", 200},
		{nil, "/api/state", 401},
		{&net.UnixAddr{Name: "/s", Net: "unix"}, "/api/state", 200},
	} {
		for _, token := range []bool{false, true} {
			r := httptest.NewRequest(http.MethodGet, "http://localhost"+test.path, nil)
			if test.local != nil {
				r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, test.local))
			}
			want := test.want
			if token {
				g.bearing(r)
				if want == 401 {
					want = map[string]int{"/api/state": 200, "/metrics": 404, "/api/nothing": 404}[test.path]
				}
			}
			w := httptest.NewRecorder()
			a.router().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%v %s, token %v: %d, want %d", test.local, test.path, token, w.Code, want)
			}
		}
	}
	// The very address that was connected to may be asked for: nobody can point it elsewhere.
	r := httptest.NewRequest(http.MethodGet, "http://10.0.0.5:9900/api/state", nil)
	g.bearing(r)
	w := httptest.NewRecorder()
	a.router().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 9900})))
	if w.Code != http.StatusOK {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

func TestReadsNeedTheTokenWhereConfigured(t *testing.T) {
	g := start(t, func(d *Deps) { d.ReadsNeedToken = true })
	refusedAs(t, g.get("/api/state"), http.StatusUnauthorized, Unauthorized)
	got[State](t, g.ask(http.MethodGet, "/api/state", "", g.bearing), http.StatusOK)
	got[Health](t, g.get("/healthz"), http.StatusOK)
}

func TestUnixSocketAsksForNoHostButForTheToken(t *testing.T) {
	g := start(t, func(d *Deps) { d.ReadsNeedToken = true })
	c := overUnix(t, g.deps)
	for _, test := range []struct {
		method, path string
		token        bool
		want         int
	}{
		{http.MethodGet, "/api/state", false, 200},
		{http.MethodPost, "/api/rollback", false, 401},
		{http.MethodPost, "/api/rollback", true, 200},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), test.method, "http://anything.example"+test.path, nil)
		if test.token {
			g.bearing(r)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != test.want {
			t.Errorf("%s %s: %d", test.method, test.path, res.StatusCode)
		}
	}
}

func TestEveryAnswerIsClosedToBrowsers(t *testing.T) {
	g := start(t)
	for _, r := range []reply{
		g.get("/"), g.get("/api/state"), g.get("/nothing"), g.get("/debug/pprof/"), g.get("/healthz"),
		g.ask(http.MethodGet, "/debug/pprof/", "", g.bearing), g.ask(http.MethodGet, "/", "", host("evil.example")),
	} {
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"} {
			if r.Header.Get(name) != want {
				t.Errorf("%s: %s is %q", r.Request.URL, name, r.Header.Get(name))
			}
		}
		contains(t, r.Header.Get("Content-Security-Policy"), "default-src 'none'", "frame-ancestors 'none'")
	}
}

func TestPanicIsAProblemAndTheServerLives(t *testing.T) {
	g := start(t, func(d *Deps) { d.Ready = func() Readiness { panic("secret") } })
	r := g.get("/readyz")
	refusedAs(t, r, http.StatusInternalServerError, InternalProblem)
	if strings.Contains(string(r.body), "secret") {
		t.Error("the panic is shown")
	}
	contains(t, g.logged.String(), "admin request panicked", "secret", "guard_test.go")
	got[Health](t, g.get("/healthz"), http.StatusOK)
}

func TestNothingIsServedElsewhere(t *testing.T) {
	g := start(t)
	for _, path := range []string{"/api/", "/api/state/", "//", "/healthz/", "/api/migrations/", "/debug/pprof", "/favicon.ico"} {
		r := g.ask(http.MethodGet, path, "", g.bearing)
		contains(t, refusedAs(t, r, http.StatusNotFound, NotFound).Detail, "GET /api lists what is")
	}
	r := g.ask(http.MethodDelete, "/api/explain", "", g.bearing)
	refusedAs(t, r, http.StatusMethodNotAllowed, NoSuchMethod)
	if allow := r.Header.Values("Allow"); len(allow) != 2 || allow[0] != "GET" || allow[1] != "POST" {
		t.Errorf("Allow: %q", allow)
	}
	r = g.get("/api/rollback")
	refusedAs(t, r, http.StatusMethodNotAllowed, NoSuchMethod)
	if allow := r.Header.Values("Allow"); len(allow) != 1 || allow[0] != "POST" {
		t.Errorf("Allow: %q", allow)
	}
}
