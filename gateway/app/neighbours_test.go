package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/transfer"
	"github.com/ficus-gateway/ficus/routes"
)

// previous has a log that the version before this one has written, and the
// state that it made of it.
const previous = "testdata/previous"

// TestLogOfThePreviousVersionGoesOn: gateways of this version make the same of
// it, go on with it, and change no byte of what there is, so that those of the
// version before, which are still running, read on.
func TestLogOfThePreviousVersionGoesOn(t *testing.T) {
	t.Parallel()
	recorded, err := os.ReadFile(filepath.Join(previous, "recorded.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(previous, "recorded.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	var then struct{ State migrations.State }
	if err := json.Unmarshal(text, &then); err != nil {
		t.Fatal(err)
	}
	server := newRedis(t)
	log, err := openPlain(t.Context(), serverOf(t, server.url()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, err := transfer.Import(t.Context(), bytes.NewReader(recorded), log); err != nil {
		t.Fatal(err)
	}
	config := server.together() + strings.ReplaceAll(`
upstreams: {monolith: "$UP", orders: "$UP"}
migrations:
  orders:
    from: monolith
    to: orders
    key: [cookie:uid, anonymous]
    ramp:
      - {stage: shadow, share: 100%, observations: 1000, hold: 30m}
      - {stage: live, share: 1%, hold: 20m}
      - {stage: live, share: 50%, hold: 30m, approve: true}
      - {stage: complete}
  carts: {from: monolith, to: orders, key: cookie:uid}
  users: {from: monolith, to: orders, key: cookie:uid, cells: [{name: eu, when: {header: X-Region, is: eu}}]}
  basket: {from: monolith, to: orders, key: cookie:uid, renamed_from: old}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /carts/*, migration: carts}
  - {path: /users/*, migration: users}
  - {path: /basket/*, migration: basket}
  - {path: /*, upstream: monolith}
`, "$UP", named(t, "monolith"))
	a, b := start(t, config), start(t, config)
	for id, was := range then.State.Migrations {
		is := a.follower.State().Migrations[id]
		if !is.Split.Equal(was.Split) || is.Ramp != was.Ramp || is.RolledBack != was.RolledBack || is.Step != was.Step || is.Flag != was.Flag || is.Epoch != was.Epoch || len(is.Cells) != len(was.Cells) {
			t.Errorf("%s was %+v and is %+v", id, was, is)
		}
	}
	b.shift("basket", 30)
	a.stands("basket", 30)
	var now bytes.Buffer
	if _, err := transfer.Export(t.Context(), log, &now); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(now.Bytes(), recorded) {
		t.Error("what was there has changed")
	}
}

// TestEventsOfTheNextVersionStopNobody: a gateway that meets an event it does
// not know serves by the last state, says that it must be upgraded, and never
// skips it.
func TestEventsOfTheNextVersionStopNobody(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	config := server.together() + twoMigrations(t)
	g := start(t, config)
	g.shift("orders", 100)
	s := g.follower.State()
	c := server.client()
	defer c.Close()
	last, err := c.XRevRangeN(t.Context(), g.shared.key("events"), "+", "-", 1).Result()
	if err != nil {
		t.Fatal(err)
	}
	before, err := migrations.LineHash([]byte(last[0].Values["line"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	line, _, err := migrations.EncodeLine(before, migrations.Event{Seq: s.Seq + 1, Time: s.Time, Migration: "orders", Kind: "transmuted", Actor: "eve"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.XAdd(t.Context(), &redis.XAddArgs{
		Stream: g.shared.key("events"), ID: fmt.Sprintf("%d-0", s.Seq+1), Values: []any{"line", line, "append", "another"},
	}).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is refused, aloud", func() bool { return strings.Contains(g.unwell("log"), "it may be older than the log") })
	if answer := fetch(g.url+"/api/orders", "Cookie: uid=7"); !strings.Contains(answer, "orders GET") || !g.ready().Ready {
		t.Errorf("the answer is %q", answer)
	}
	// So does one that starts, by the state on its disk; one that has none does not guess.
	g = g.again(config)
	g.stands("orders", 100)
	if _, err := tryStart(t, t.TempDir(), config); err == nil || !strings.Contains(err.Error(), "it may be older than the log") {
		t.Errorf("a new gateway starts: %v", err)
	}
}

// serverOf is the config of a log in Redis.
func serverOf(t *testing.T, url string) routes.Server {
	t.Helper()
	s, err := place{State: url}.server()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
