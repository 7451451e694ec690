package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/routes"
)

// gateway begins an admin API with one migration, orders, and returns its
// addresses, on TCP and on a unix socket, and its token.
func gateway(t *testing.T, edits ...func(*dashboard.Deps)) (addresses []string, token access.Token) {
	t.Helper()
	dir := t.TempDir()
	log, err := filelog.Open(filepath.Join(dir, "ficus.events"), filelog.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	follower, ended := migrations.NewFollower(log, migrations.State{}), make(chan struct{})
	go func() { defer close(ended); _ = follower.Run(ctx, nil) }()
	t.Cleanup(func() { cancel(); <-ended; _ = log.Close() })
	seq, err := log.Append(ctx, 0, migrations.Event{Migration: "orders", Kind: migrations.Created, From: "monolith", To: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := follower.Wait(ctx, seq); err != nil {
		t.Fatal(err)
	}
	table := &routes.Table{Plans: map[string]*migrations.Plan{"orders": {ID: "orders"}}, Routes: []*routes.Route{{ID: "rest", Match: routes.Match{Path: "/*"}, Upstream: "monolith"}}}
	token = access.NewToken()
	door, err := access.Open(access.Options{Shared: token})
	if err != nil {
		t.Fatal(err)
	}
	deps := dashboard.Deps{
		Log: log, State: follower.State, Wait: follower.Wait, Table: func() *routes.Table { return table },
		Door: door, Version: "1.2.3",
		Reload: func(context.Context) dashboard.ReloadStatus { return dashboard.ReloadStatus{OK: true, Hash: "abc"} },
		Ready:  func() dashboard.Readiness { return dashboard.Readiness{Draining: true} },
		Explain: func(_ context.Context, r dashboard.ExplainRequest) (dashboard.Explanation, error) {
			return dashboard.Explanation{Method: r.Method, URL: r.URL, Why: r.Header["X-User"]}, nil
		},
	}
	for _, edit := range edits {
		edit(&deps)
	}
	h, err := dashboard.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	local := &http.Server{Handler: h}
	go func() { _ = local.Serve(l) }()
	t.Cleanup(func() { _ = local.Close() })
	return []string{strings.TrimPrefix(srv.URL, "http://"), srv.URL + "/", "unix:" + socket}, token
}

func dial(t *testing.T, address string, token access.Token, actor string) *client.Client {
	t.Helper()
	c, err := client.New(address, token, actor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v lacks %q", err, part)
		}
	}
}

func TestEveryCallOverTCPAndUnix(t *testing.T) {
	addresses, token := gateway(t)
	for _, address := range addresses {
		c, ctx := dial(t, address, token, "alice"), t.Context()
		check := func(what string, ok bool, err error) {
			t.Helper()
			if err != nil || !ok {
				t.Errorf("%s: %s: %v", address, what, err)
			}
		}
		m, err := c.Migration(ctx, "orders")
		check("migration", m.ID == "orders" && m.Seq > 0, err)
		if m.RolledBack { // by the address before
			settled, err := c.Resume(ctx, "orders", "settled", m.Seq)
			check("resume after a rollback", !settled.Migration.RolledBack, err)
			m.Seq = settled.Seq
		}
		done, err := c.Shift(ctx, "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 5000}}, "go", m.Seq)
		check("shift", done.Applied && done.Migration.Split == "live=5% off=95%" && done.Migration.Actor == "alice", err)
		done, err = c.Resume(ctx, "orders", "go", done.Seq)
		check("resume", done.Migration.Ramp == migrations.RampRunning, err)
		done, err = c.Hold(ctx, "orders", "wait", done.Seq)
		check("hold", done.Migration.Ramp == migrations.RampHeld, err)
		done, err = c.Freeze(ctx, "orders", "an audit")
		check("freeze", done.Migration.Frozen == "an audit", err)
		done, err = c.Thaw(ctx, "orders", "it is over", done.Seq)
		check("thaw", done.Migration.Frozen == "", err)
		frozen, err := c.FreezeAll(ctx, "an audit")
		check("freeze all", frozen.Frozen == "an audit", err)
		frozen, err = c.ThawAll(ctx, "it is over", frozen.Seq)
		check("thaw all", frozen.Frozen == "", err)
		decision, err := c.Decision(ctx, frozen.Seq)
		check("decision", decision.Event.Kind == migrations.Thawed && !decision.Tested, err)
		_, err = c.Ramp(ctx, "orders", dashboard.ApproveStep, dashboard.RampRequest{Reason: "go", Expect: &frozen.Seq})
		check("approve", client.Is(err, dashboard.Refused), nil)
		done, err = c.Rollback(ctx, "orders", dashboard.RollbackRequest{})
		check("rollback", done.Migration.RolledBack, err)
		all, err := c.RollbackAll(ctx, dashboard.RollbackRequest{Reason: "fire"})
		check("rollback all", all.Applied && len(all.Migrations) == 0, err)
		s, err := c.State(ctx)
		check("state", s.Seq == done.Seq && len(s.Migrations) == 1, err)
		s, err = c.StateAt(ctx, *s.Time)
		check("state at a moment", s.Seq == done.Seq, err)
		s, err = c.StateAtSeq(ctx, 1)
		check("state at an event", s.Past && s.Migrations[0].Split == "off=100%", err)
		h, err := c.History(ctx, dashboard.Filter{Kind: migrations.Shifted, Limit: 1})
		check("history", len(h.Events) == 1 && h.Events[0].Reason == "go", err)
		e, err := c.Event(ctx, 1)
		check("event", e.Kind == migrations.Created, err)
		r, err := c.Routes(ctx)
		check("routes", r.Routes[0].ID == "rest", err)
		x, err := c.Explain(ctx, dashboard.ExplainRequest{Method: "PUT", URL: "/a?b=c&d", Header: http.Header{"X-User": {"1", "2"}}})
		check("explain", x.Method == "PUT" && x.URL == "/a?b=c&d" && len(x.Why) == 2, err)
		re, err := c.Reload(ctx)
		check("reload", re.OK && re.Hash == "abc", err)
		re, err = c.LastReload(ctx)
		check("last reload", re.OK, err)
		ready, err := c.Ready(ctx)
		check("ready", ready.Draining && !ready.Ready, err)
		u, err := c.Upstreams(ctx)
		check("upstreams", len(u.Upstreams) == 0, err)
		f, err := c.Findings(ctx, dashboard.FindingsFilter{State: "all", Limit: 5})
		check("findings", f.Total == 0 && f.Findings != nil, err)
		cs, err := c.Comparisons(ctx, "")
		check("comparisons", cs.Comparisons != nil, err)
		gone, err := c.EraseKey(ctx, "ada")
		check("erase", gone.Erased == 0, err)
		v, err := c.Version(ctx)
		check("version", v.Version == "1.2.3", err)
	}
}

func TestConflictSaysWhoAndWhatToDo(t *testing.T) {
	addresses, token := gateway(t)
	alice, bob := dial(t, addresses[0], token, "alice"), dial(t, addresses[0], token, "bob")
	if _, err := alice.Hold(t.Context(), "orders", "lunch", 1); err != nil {
		t.Fatal(err)
	}
	_, err := bob.Hold(t.Context(), "orders", "lunch", 1)
	says(t, err, "orders has moved on: now at 2 (alice held it just now): look at `ficus status orders` and try again")
	var p *dashboard.Problem
	if !client.Is(err, dashboard.MovedOn) || !errors.As(err, &p) || *p.CurrentSeq != 2 || p.By != "alice" || p.Reason != "lunch" {
		t.Errorf("%+v", p)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	addresses, token := gateway(t)
	none := dial(t, addresses[0], access.Token{}, "")
	_, err := none.RollbackAll(t.Context(), dashboard.RollbackRequest{})
	says(t, err, "needs the token", "--token-file", "FICUS_TOKEN")
	_, err = dial(t, addresses[2], access.NewToken(), "").RollbackAll(t.Context(), dashboard.RollbackRequest{})
	says(t, err, "is not one of this gateway")
	_, err = none.Migration(t.Context(), "or ders/../?#")
	says(t, err, `no migration "or ders/../?#"; there are orders: `+"`ficus status` lists them")
	_, err = none.Finding(t.Context(), "a/../b")
	says(t, err, `no finding "a/../b"`, "`ficus findings` lists them")
	for _, change := range []func(*client.Client) (dashboard.Finding, error){
		func(c *client.Client) (dashboard.Finding, error) { return c.Acknowledge(t.Context(), "x", "why") },
		func(c *client.Client) (dashboard.Finding, error) { return c.Fix(t.Context(), "x", "why") },
		func(c *client.Client) (dashboard.Finding, error) {
			return c.Mute(t.Context(), "x", dashboard.MuteRequest{Reason: "why", For: "1h"})
		},
	} {
		_, err = change(none)
		says(t, err, "needs the token")
		_, err = change(dial(t, addresses[0], token, ""))
		says(t, err, `no finding "x"`)
	}
	_, err = dial(t, addresses[0], token, "al\r\nice").Hold(t.Context(), "orders", "", 1)
	says(t, err, "reason: say why")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, err = dial(t, l.Addr().String(), token, "").State(t.Context())
	says(t, err, "no gateway listens at "+l.Addr().String(), "`ficus run`", "--admin")
	_, err = dial(t, "unix:"+filepath.Join(t.TempDir(), "none"), token, "").State(t.Context())
	says(t, err, "no gateway listens at unix:", "`ficus run`")
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = none.State(ctx)
	says(t, err, "did not answer in time")
	for _, address := range []string{"", "unix:", "ftp://localhost", "http://", "a b"} {
		if _, err := client.New(address, token, ""); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

// The token goes nowhere else, and another server's page is not taken for an answer.
func TestOtherServersAreToldApart(t *testing.T) {
	var leaked string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/state":
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		case "/api/routes":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{}`)
		default:
			_, _ = io.WriteString(w, `<html>`)
		}
	}))
	t.Cleanup(other.Close)
	c := dial(t, other.URL, access.NewToken(), "")
	_, err := c.State(t.Context())
	says(t, err, "307", "is it a gateway that listens at")
	_, err = c.Routes(t.Context())
	says(t, err, "503")
	_, err = c.Ready(t.Context())
	says(t, err, "the answer is not what a gateway says")
	if leaked != "" {
		t.Error("the token was sent to another server")
	}
}
