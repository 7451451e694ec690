package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/routes"
)

// A gateway is an admin listener with a real log and a real follower behind it.
type gateway struct {
	t        *testing.T
	log      *filelog.Log
	follower *migrations.Follower
	token    access.Token
	logged   *safeBuffer
	deps     Deps
	url      string
	stopRead context.CancelFunc // stops the follower
}

// start begins a gateway with two migrations, orders and cart, at off, seq 1 and 2.
func start(t *testing.T, edits ...func(*Deps)) *gateway {
	t.Helper()
	log, err := filelog.Open(filepath.Join(t.TempDir(), "ficus.events"), filelog.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &gateway{t: t, log: log, follower: migrations.NewFollower(log, migrations.State{}), token: access.NewToken(), logged: new(safeBuffer), stopRead: cancel}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = g.follower.Run(ctx, nil) }()
	t.Cleanup(func() { cancel(); <-ended; _ = log.Close() })
	table := &routes.Table{
		File: "ficus.yaml", Files: []string{"ficus.yaml"}, Hash: "0123456789abcdef",
		Plans: map[string]*migrations.Plan{
			"orders": {ID: "orders", Flag: "orders", From: "monolith", To: "orders", Data: migrations.DataShared, Writes: migrations.WritesFollow, Owner: "team-orders", Steps: []migrations.Step{
				{Stage: migrations.Shadow, Share: migrations.Buckets, Observations: 1000},
				{Stage: migrations.Live, Share: 1000, Requests: 300, Hold: time.Hour},
				{Stage: migrations.Complete, Share: migrations.Buckets, Approve: true},
			}},
			"cart": {ID: "cart", Flag: "cart", From: "monolith", To: "cart", Data: migrations.DataMoved},
		},
		Routes: []*routes.Route{
			{ID: "orders", Match: routes.Match{Path: "/api/orders/*", Headers: []routes.Pair{{Name: "X-Beta", Value: "1"}, {Name: "Authorization", Value: "Basic secret"}}}, Migration: "orders", Repeatable: true,
				Request: &routes.HeaderEdit{Set: []routes.Field{{Name: "X-Upstream-Key", Value: "secret"}}, Remove: []string{"X-Debug"}},
				Rewrite: &routes.Rewrite{Strip: "/api"}, Timeout: 5 * time.Second, At: routes.Position{File: "ficus.yaml", Line: 42, Col: 3}},
			{ID: "rest", Index: 1, Match: routes.Match{Path: "/*"}, Upstream: "monolith", At: routes.Position{File: "ficus.yaml", Line: 44, Col: 3}},
		},
	}
	g.append(
		migrations.Event{Migration: "orders", Kind: migrations.Created, From: "monolith", To: "orders", Key: "cookie:uid", Plan: table.Plans["orders"].Hash(), Actor: "ficus"},
		migrations.Event{Migration: "cart", Kind: migrations.Created, From: "monolith", To: "cart", Plan: table.Plans["cart"].Hash(), Actor: "ficus"},
	)
	g.deps = Deps{
		Log: log, State: g.follower.State, Wait: g.follower.Wait, Table: func() *routes.Table { return table },
		Door:   door(t, access.Options{Shared: g.token, Dir: t.TempDir(), Logger: slog.New(slog.NewJSONHandler(g.logged, nil))}),
		Logger: slog.New(slog.NewJSONHandler(g.logged, nil)), Version: "1.2.3",
	}
	for _, edit := range edits {
		edit(&g.deps)
	}
	g.url = g.serve(g.deps)
	return g
}

func door(t *testing.T, o access.Options) *access.Door {
	t.Helper()
	d, err := access.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// issue makes a token.
func (g *gateway) issue(name string, role access.Role, groups ...string) access.Token {
	g.t.Helper()
	token, _, err := g.deps.Door.Issue(g.t.Context(), access.Order{Name: name, Role: role, Groups: groups})
	if err != nil {
		g.t.Fatal(err)
	}
	return token
}

// presents sends a token with a request.
func presents(token access.Token) func(*http.Request) {
	return with("Authorization", "Bearer "+token.Reveal())
}

// serve begins another listener with the same log.
func (g *gateway) serve(d Deps) string {
	h, err := New(d)
	if err != nil {
		g.t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	g.t.Cleanup(srv.Close)
	return srv.URL
}

// append puts events into the log and waits until they are read.
func (g *gateway) append(events ...migrations.Event) uint64 {
	g.t.Helper()
	seq, err := g.log.Append(g.t.Context(), migrations.Unconditional, events...)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.follower.Wait(g.t.Context(), seq); err != nil {
		g.t.Fatal(err)
	}
	return seq
}

// A reply is an answer whose body has been read and held against the OpenAPI document.
type reply struct {
	*http.Response
	body []byte
}

// ask sends a request, with what the edits add to it.
func (g *gateway) ask(method, path, body string, edits ...func(*http.Request)) reply {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, edit := range edits {
		edit(req)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if method != http.MethodHead {
		described(g.t, method, req.URL.EscapedPath(), res, text)
	}
	return reply{res, text}
}

// get reads without a token.
func (g *gateway) get(path string) reply { g.t.Helper(); return g.ask(http.MethodGet, path, "") }

// post writes with the token, as alice.
func (g *gateway) post(path, body string) reply {
	g.t.Helper()
	return g.ask(http.MethodPost, path, body, g.bearing, as("alice"))
}

func (g *gateway) bearing(r *http.Request) { r.Header.Set("Authorization", "Bearer "+g.token.Reveal()) }

func as(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Ficus-Actor", name) }
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// got checks the status and decodes the body.
func got[T any](t *testing.T, r reply, status int) (out T) {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, r.body)
	}
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return out
}

// refusedAs checks that the reply is a problem of that kind, and returns it.
func refusedAs(t *testing.T, r reply, status int, kind ProblemType) Problem {
	t.Helper()
	p := got[Problem](t, r, status)
	if p.Type != kind || p.Status != status || p.Title == "" || p.Detail == "" || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("problem %+v, want %s", p, kind)
	}
	return p
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}

// A safeBuffer is a buffer that several goroutines write to.
type safeBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// overUnix returns a client of the handler of d on a unix socket.
func overUnix(t *testing.T, d Deps) *http.Client {
	t.Helper()
	h, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
}
