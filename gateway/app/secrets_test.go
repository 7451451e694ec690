package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// planted are words that nothing the gateway writes may hold, by what they are.
type planted map[string]string

func plant(names ...string) planted {
	p := make(planted)
	for i, name := range names {
		p[name] = fmt.Sprintf("hush%02d%s", i, strings.Repeat("x", 24))
	}
	return p
}

// hold reports the secrets that a text holds.
func (p planted) hold(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range p {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s: %s is written in ...%.300s", where, name, text[max(0, i-200):])
		}
	}
}

// leaky is an application that sends a secret in whatever it does: in answers
// that are fine, and in ones that are not HTTP at all.
func leaky(t *testing.T, p planted) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	answers := map[string]string{
		"/fine":    "HTTP/1.1 200 OK\r\nSet-Cookie: session=" + p["set-cookie"] + "\r\nContent-Length: 28\r\n\r\n" + p["answer"],
		"/line":    p["answer"] + "\r\n\r\n",
		"/status":  "HTTP/1.1 2" + p["answer"] + " OK\r\n\r\n",
		"/header":  "HTTP/1.1 200 OK\r\nSet-Cookie " + p["set-cookie"] + "\r\n\r\n",
		"/name":    "HTTP/1.1 200 OK\r\n" + p["answer"] + " : x\r\n\r\n",
		"/length":  "HTTP/1.1 200 OK\r\nContent-Length: " + p["answer"] + "\r\n\r\n",
		"/coding":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + p["answer"] + "\r\n\r\n",
		"/chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + p["answer"] + "\r\n",
		"/trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + p["answer"] + "\r\n\r\n",
		"/switch":  "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: another\r\nX-Session: " + p["answer"] + "\r\n\r\n",
		"/nothing": "",
		"/silent":  "wait",
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 8<<10)
				n, _ := c.Read(buf)
				_, target, _ := strings.Cut(string(buf[:n]), " ")
				path, _, _ := strings.Cut(target, "?")
				answer := answers[path]
				if answer == "wait" {
					time.Sleep(700 * time.Millisecond)
				}
				_, _ = io.WriteString(c, answer)
			}()
		}
	}()
	return ln.Addr().String()
}

// collector takes OTLP exports and keeps them, refusing every other one.
func collector(t *testing.T, kept *buffer, header *sync.Map) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			in, _ = gzip.NewReader(r.Body)
		}
		var text bytes.Buffer
		_, _ = io.Copy(&text, in)
		_, _ = kept.Write(text.Bytes())
		header.Store(r.Header.Get("X-Collector-Token"), true)
	}))
}

// TestSecretsAreWrittenNowhere plants secrets in the config, in requests, in
// answers, and in what goes wrong, and looks for them in all that the gateway
// writes: both logs, metrics, traces, the event log and the admin API.
func TestSecretsAreWrittenNowhere(t *testing.T) {
	p := plant("the cookie secret", "a key for the upstream", "the collector's token", "a cookie", "an authorization", "a password",
		"a query string", "a targeting key", "a body", "an answer", "set-cookie", "answer", "a wrong token", "a referer", "a baggage", "a header of its own", "a value in a match", "a hook's URL", "a hook's secret")
	delete(p, "an answer")
	for name, variable := range map[string]string{"the cookie secret": "FICUS_TEST_SECRET", "a key for the upstream": "FICUS_TEST_KEY", "the collector's token": "FICUS_TEST_COLLECTOR", "a value in a match": "FICUS_TEST_MATCH", "a hook's URL": "FICUS_TEST_HOOK", "a hook's secret": "FICUS_TEST_HOOK_SECRET"} {
		t.Setenv(variable, p[name])
	}
	var traces buffer
	var tokens sync.Map
	config := fmt.Sprintf(`
listen: 127.0.0.1:0
admin: {address: 127.0.0.1:0, socket: none}
state: file:$DIR/ficus.events
secret: ${FICUS_TEST_SECRET}
telemetry: {otlp: "%s", sample: 100%%, headers: {X-Collector-Token: "${FICUS_TEST_COLLECTOR}"}}
limits: {body_bytes: 64KiB}
log: {level: debug}
notify: {url: "http://127.0.0.1:1/${FICUS_TEST_HOOK}", secret: "${FICUS_TEST_HOOK_SECRET}", timeout: 1s}
upstreams:
  monolith: {url: "http://%s", timeout: {response: 300ms}}
  orders: "%s"
  gone: http://127.0.0.1:1
migrations:
  orders: {from: monolith, to: orders, key: [cookie:session, "header:X-User", "jwt:sub", "query:token", anonymous], journeys: true}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /gone/*, upstream: gone}
  - {path: /matched, upstream: orders, headers: {X-Api-Key: "${FICUS_TEST_MATCH}"}}
  - {path: /*, upstream: monolith, request: {set: {X-Upstream-Key: "${FICUS_TEST_KEY}"}}}
`, collector(t, &traces, &tokens), leaky(t, p), named(t, "orders"))

	dir := t.TempDir()
	r := &running{t: t, config: filepath.Join(dir, "ficus.yaml")}
	r.edit(config)
	var err error
	r.Process, err = Start(t.Context(), Config{
		Path: r.config, Load: func() (*routes.Table, error) { return routes.Load(r.config) },
		Access: &r.access, Logger: slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = r.Shutdown(t.Context())
		}
	}()
	p["the admin token"] = r.Token().Reveal()
	r.url, r.admin = "http://"+r.Addrs()[0].String(), "http://"+r.AdminAddrs()[0].String()

	// Requests that succeed and requests that fail, each full of secrets.
	client := from(t, "127.0.0.1")
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/fine", "/line", "/status", "/header", "/name", "/length", "/coding", "/chunk", "/trailer", "/switch", "/nothing", "/silent", "/gone/away", "/orders/7", "/matched"} {
			var body io.Reader
			if method == "POST" {
				body = strings.NewReader(p["a body"])
			}
			req, err := http.NewRequest(method, r.url+path+"?token="+p["a query string"], body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Cookie", "session="+p["a cookie"])
			req.Header.Set("Authorization", "Bearer "+p["an authorization"])
			req.Header.Set("Referer", "https://shop.example/?token="+p["a referer"])
			req.Header.Set("Baggage", "user="+p["a baggage"])
			req.Header.Set("X-User", p["a targeting key"])
			req.Header.Set("X-Csrf-Token", p["a header of its own"])
			req.Header.Set("X-Api-Key", p["a value in a match"])
			if path == "/switch" {
				req.Header.Set("Connection", "Upgrade")
				req.Header.Set("Upgrade", "websocket")
			}
			if res, err := client.Do(req); err == nil {
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode >= 500 {
					p.hold(t, "the answer to "+method+" "+path, string(text))
				}
			}
		}
	}
	for _, raw := range []string{
		"GET /x?token=" + p["a query string"] + " HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET /" + p["a query string"] + "%zz HTTP/1.1\r\nHost: shop\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: shop\r\nCookie " + p["a cookie"] + "\r\n\r\n",
		"GET /x?" + p["a query string"] + " HTTP/9.9\r\n\r\n",
		"POST /fine HTTP/1.1\r\nHost: shop\r\nContent-Length: " + p["a body"] + "\r\n\r\n",
		"POST /fine HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999\r\nAuthorization: Basic " + p["a password"] + "\r\n\r\n",
		"POST /fine HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n" + p["a body"] + "\r\n",
		"POST /fine HTTP/1.1\r\nHost: shop\r\nContent-Length: 9999\r\n\r\n" + p["a body"],
	} {
		c := dial(t, r.url)
		_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = io.WriteString(c, raw)
		_ = c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		c.Close()
		p.hold(t, "the answer to "+raw[:12], string(answer))
	}

	// The admin API, with the token, with a wrong one, and with one in the query.
	ask := func(method, path, token, body string) string {
		t.Helper()
		req, err := http.NewRequest(method, r.admin+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		p.hold(t, method+" "+path, string(text))
		return string(text)
	}
	token := r.Token().Reveal()
	ask("POST", "/api/rollback", p["a wrong token"], `{"reason":"x"}`)
	p["a session"], p["an issued token"] = credentials(t, r, token)
	ask("POST", "/api/rollback", p["an issued token"], `{"reason":"x"}`)
	ask("POST", "/api/migrations/orders/shift", token, fmt.Sprintf(`{"reason":"x","expect":1,"shares":[{"stage":"%s","share":"50%%"}]}`, migrations.Live))
	ask("GET", "/api/state?token="+token, "", "")
	ask("GET", "/api/nowhere?token="+token, "", "")

	// Edits that are wrong where a secret stands.
	for _, wrong := range [][2]string{
		{"body_bytes: 64KiB", "body_bytes: ${FICUS_TEST_KEY}"},
		{"listen: 127.0.0.1:0", "listen: ${FICUS_TEST_SECRET}"},
		{"upstream: gone", "upstream: ${FICUS_TEST_KEY}"},
		{"response: 300ms", "response: \"${FICUS_TEST_MATCH}\""},
		{"secret: ${", "secrett: ${"},
		{"key: [cookie:session", "key: [\"${FICUS_TEST_SECRET}\""},
	} {
		if !strings.Contains(config, wrong[0]) {
			t.Fatalf("the config lacks %q", wrong[0])
		}
		r.edit(strings.Replace(config, wrong[0], wrong[1], 1))
		if text := ask("POST", "/api/reload", token, "{}"); !strings.Contains(text, "refused") {
			t.Errorf("an edit to %s is taken: %s", wrong[1], text)
		}
		ask("GET", "/readyz", "", "")
		ask("GET", "/api/config/reload", "", "")
	}
	r.edit(config)
	ask("POST", "/api/reload", token, "{}")
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/api/openapi.json", "/api/version", "/api/state", "/api/migrations/orders", "/api/history", "/api/history/1",
		"/api/routes", "/api/upstreams", "/api/config/reload", "/api/tokens", "/api/audit", "/login", "/api/explain?url=/orders/7", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2"} {
		ask("GET", path, token, "")
	}
	ended = true
	if err := r.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}

	p.hold(t, "the access log", r.access.String())
	p.hold(t, "the log", r.log.String())
	p.hold(t, "the traces", traces.String())
	for _, name := range []string{"ficus.events", "ficus.events.checkpoint", "ficus.events.lock", "ficus.secret", "ficus.tokens", "ficus.sessions", "ficus.audit"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			p.hold(t, name, string(text))
		}
	}
	// It is no proof if nothing was written.
	for what, text := range map[string]string{`"path":"/silent"`: r.access.String(), `"status":504`: r.access.String(), "not reloaded": r.log.String(), "GET": traces.String()} {
		if !strings.Contains(text, what) {
			t.Errorf("nothing is said of %s in %.2000s", what, text)
		}
	}
	if _, sent := tokens.Load(p["the collector's token"]); !sent {
		t.Error("the collector was not shown its token")
	}
}

// credentials signs in with a token and makes another. It returns the session's
// cookie and the token.
func credentials(t *testing.T, r *running, token string) (session, issued string) {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(r.admin+"/login", url.Values{"token": {token}, "name": {"ada"}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	cookies := res.Cookies()
	if res, err = http.Post(r.admin+"/api/"+token, "application/json", nil); err != nil { // pasted into a path
		t.Fatal(err)
	}
	res.Body.Close()
	admin, err := client.New(r.admin, r.Token(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	made, err := admin.CreateToken(t.Context(), dashboard.TokenRequest{Name: "ci", Role: "operator"})
	if err != nil || len(cookies) != 1 {
		t.Fatal(err, cookies)
	}
	return cookies[0].Value, made.Token
}
