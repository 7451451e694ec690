package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

// twoMigrations is the rest of a config with two migrations.
func twoMigrations(t testing.TB) string {
	return fmt.Sprintf(`
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  orders: {from: monolith, to: orders, key: cookie:uid}
  carts: {from: monolith, to: orders, key: cookie:uid}
routes:
  - {path: /api/orders, migration: orders}
  - {path: /api/carts, migration: carts}
  - {path: /*, upstream: monolith}
`, named(t, "monolith"), named(t, "orders"))
}

func livePercent(percent int) []migrations.Share {
	return []migrations.Share{{Stage: migrations.Live, Buckets: percent * migrations.Buckets / 100}}
}

// shadowAll compares every request.
var shadowAll = []migrations.Share{{Stage: migrations.Shadow, Buckets: migrations.Buckets}}

// shift shifts a migration and returns the event.
func (r *running) shift(id string, percent int) uint64 {
	r.t.Helper()
	m, err := r.client.Migration(r.t.Context(), id)
	if err == nil {
		var done, err = r.client.Shift(r.t.Context(), id, livePercent(percent), "because", m.Seq)
		if err != nil {
			r.t.Fatal(err)
		}
		return done.Seq
	}
	r.t.Fatal(err)
	return 0
}

// stands waits until a gateway serves a migration by a share.
func (r *running) stands(id string, percent int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%s is at %d %%", id, percent), func() bool {
		return r.follower.State().Migrations[id].Split.Share(migrations.Live) == percent*migrations.Buckets/100
	})
}

// check returns the detail of a readiness check that is not well, or "".
func (r *running) unwell(name string) string {
	for _, c := range r.ready().Checks {
		if c.Name == name && !c.OK {
			return c.Detail
		}
	}
	return ""
}

// again stops a gateway and starts another in its directory.
func (r *running) again(config string) *running {
	r.t.Helper()
	if err := r.stop(5 * time.Second); err != nil {
		r.t.Fatal(err)
	}
	next, err := tryStart(r.t, filepath.Dir(r.config), config)
	if err != nil {
		r.t.Fatal(err)
	}
	return next
}

func TestGatewaysShareOneLog(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	a.shift("orders", 100)
	b.stands("orders", 100)
	cookie := "Cookie: uid=7"
	for _, g := range []*running{a, b} {
		if answer := fetch(g.url+"/api/orders", cookie); !strings.Contains(answer, "orders GET") {
			t.Errorf("the answer is %q", answer)
		}
	}
	if _, err := b.client.Rollback(t.Context(), "orders", rollback("no")); err != nil {
		t.Fatal(err)
	}
	a.stands("orders", 0)
	if diff := cmp.Diff(a.follower.State(), b.follower.State()); diff != "" {
		t.Error(diff)
	}
}

// TestRestartWhileRedisIsDown serves by the last state, says so, and goes on
// when Redis is there again.
func TestRestartWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	redis := newRedis(t, durable...)
	config := redis.together() + twoMigrations(t)
	g := start(t, config)
	g.shift("orders", 100)
	redis.kill()
	g = g.again(config)
	if answer := fetch(g.url+"/api/orders", "Cookie: uid=7"); !strings.Contains(answer, "orders GET") {
		t.Errorf("the answer is %q", answer)
	}
	eventually(t, "readiness says what is the matter", func() bool { return strings.Contains(g.unwell("log"), "redis cannot be reached") })
	if ready := g.ready(); !ready.Ready {
		t.Error("it takes no traffic")
	}
	m, err := g.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	var refused *client.Error
	if _, err := g.client.Shift(t.Context(), "orders", livePercent(50), "because", m.Seq); !errors.As(err, &refused) {
		t.Errorf("a shift without the log: %v", err)
	}
	redis.start()
	eventually(t, "the log is read again", func() bool { return g.unwell("log") == "" })
	g.shift("orders", 30)
	g.stands("orders", 30)
}

// TestFlushedRedisIsNotTakenForAllOff: the gateways begin the log again with
// what they know, and freeze.
func TestFlushedRedisIsNotTakenForAllOff(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	a.shift("orders", 100)
	b.stands("orders", 100)
	redis.kill()
	redis.start()
	for _, g := range []*running{a, b} {
		eventually(t, "ramps are frozen", func() bool { return g.follower.State().Frozen != "" })
		g.stands("orders", 100)
	}
	b.stands("orders", int(a.follower.State().Migrations["orders"].Split.Share(migrations.Live))*100/migrations.Buckets)
	if diff := cmp.Diff(a.follower.State(), b.follower.State()); diff != "" {
		t.Error(diff)
	}
	b.shift("orders", 40)
	a.stands("orders", 40)
	// So does a gateway that was away meanwhile.
	redis.kill()
	redis.start()
	config = strings.Replace(config, "carts: {from", "baskets: {renamed_from: carts, from", 1)
	a = a.again(strings.Replace(config, "migration: carts", "migration: baskets", 1))
	a.stands("orders", 40)
	eventually(t, "the log knows the new config", func() bool { return a.follower.State().Migrations["baskets"].ID != "" })
	b.stands("orders", 40)
}

// TestStateOfAnotherLogIsNotTaken: who changes the address without moving the
// log is told so.
func TestStateOfAnotherLogIsNotTaken(t *testing.T) {
	t.Parallel()
	first, second := newRedis(t), newRedis(t)
	rest := twoMigrations(t)
	g := start(t, first.together()+rest)
	g.shift("orders", 100)
	if err := g.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	_, err := tryStart(t, filepath.Dir(g.config), second.together()+rest)
	if err == nil || !strings.Contains(err.Error(), "move the log there first") {
		t.Errorf("it starts: %v", err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(g.config), "ficus.checkpoint")); err != nil {
		t.Fatal(err)
	}
	if g, err = tryStart(t, filepath.Dir(g.config), second.together()+rest); err != nil {
		t.Fatal(err)
	}
	g.stands("orders", 0)
}

// TestNothingIsServedByNothing: without Redis and without a state on disk a
// gateway waits.
func TestNothingIsServedByNothing(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	g := start(t, config)
	g.shift("orders", 100)
	redis.kill()
	began := make(chan *running)
	go func() {
		late, err := tryStart(t, t.TempDir(), config)
		if err != nil {
			t.Error(err)
		}
		began <- late
	}()
	select {
	case <-began:
		t.Fatal("it serves")
	case <-time.After(700 * time.Millisecond):
	}
	redis.start()
	g.stands("orders", 100)
	late := <-began
	if late == nil {
		return
	}
	late.stands("orders", 100)
}

// TestGatewaysSignAlike: a cookie of one gateway is good at the other, and
// after a restart too.
func TestGatewaysSignAlike(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	secrets := make(map[string]bool)
	for range 3 {
		g := start(t, config)
		secret, err := os.ReadFile(filepath.Join(filepath.Dir(g.config), "ficus.secret"))
		if err != nil {
			t.Fatal(err)
		}
		secrets[string(secret)] = true
	}
	if len(secrets) != 1 {
		t.Errorf("%d gateways have %d secrets", 3, len(secrets))
	}
}

func rollback(why string) dashboard.RollbackRequest { return dashboard.RollbackRequest{Reason: why} }

// TestLongLogIsMadeShort by one of the gateways, and all go on; a Redis that
// has lost the secret gets it back.
func TestLongLogIsMadeShort(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	for n := range 10 {
		a.shift("orders", n+1)
	}
	b.stands("orders", 10)
	a.shared.trim(t.Context(), 100)
	b.shared.trim(t.Context(), 5)
	a.shared.trim(t.Context(), 5)
	c := redis.client()
	defer c.Close()
	if n, err := c.XLen(t.Context(), a.shared.key("events")).Result(); n != 1 || err != nil {
		t.Errorf("the log has %d events, %v", n, err)
	}
	eventually(t, "everybody has read that it is short", func() bool { return a.follower.State().EverySeq > 0 && b.follower.State().EverySeq > 0 })
	a.shift("orders", 20)
	b.stands("orders", 20)
	late := start(t, config)
	late.stands("orders", 20)
	if diff := cmp.Diff(a.follower.State(), late.follower.State()); diff != "" {
		t.Error(diff)
	}
	redis.do("DEL", a.shared.key("secret"))
	b.shared.keepSecret(t.Context())
	if secret, err := c.Get(t.Context(), a.shared.key("secret")).Bytes(); err != nil || string(secret) != string(a.shared.signs) {
		t.Errorf("the secret is lost: %v", err)
	}
}
