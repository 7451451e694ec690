package app

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// TestTrafficNeedsNoRedis: whatever is the matter with Redis, every request is
// answered by the last state, people are told what it is, nothing moves
// forward, a rollback is in force here at once, and the log has it in the end.
func TestTrafficNeedsNoRedis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		trouble    string // as readiness names it
		hurt, heal func(*redisServer)
	}{
		{"down", "redis cannot be reached", (*redisServer).kill, (*redisServer).start},
		{"slow", "redis does not answer in time", func(r *redisServer) { r.signal(syscall.SIGSTOP) }, func(r *redisServer) { r.signal(syscall.SIGCONT) }},
		{"read-only", "READONLY", func(r *redisServer) { r.do("REPLICAOF", "127.0.0.1", "1") }, func(r *redisServer) { r.do("REPLICAOF", "NO", "ONE") }},
		{"out of memory", "OOM", func(r *redisServer) { r.do("CONFIG", "SET", "maxmemory", "1") }, func(r *redisServer) { r.do("CONFIG", "SET", "maxmemory", "0") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := newRedis(t, durable...)
			config := redis.together() + twoMigrations(t)
			a, b := start(t, config), start(t, config)
			a.shift("orders", 100)
			b.stands("orders", 100)
			c.hurt(redis)
			for _, g := range []*running{a, b} {
				eventually(t, "readiness says what is the matter", func() bool { return strings.Contains(g.unwell("log"), c.trouble) })
				if !g.ready().Ready {
					t.Error("it takes no traffic")
				}
				if answer := fetch(g.url+"/api/orders", "Cookie: uid=7"); !strings.Contains(answer, "orders GET") {
					t.Errorf("the answer is %q", answer)
				}
			}
			m, err := a.client.Migration(t.Context(), "carts")
			if err != nil {
				t.Fatal(err)
			}
			var refused *client.Error
			if _, err := a.client.Shift(t.Context(), "carts", livePercent(50), "because", m.Seq); !errors.As(err, &refused) {
				t.Errorf("a shift without the log: %v", err)
			}
			if _, err := a.client.Rollback(t.Context(), "orders", rollback("it is bad")); err != nil {
				t.Errorf("a rollback without the log: %v", err)
			}
			if answer := fetch(a.url+"/api/orders", "Cookie: uid=7"); !strings.Contains(answer, "monolith GET") {
				t.Errorf("after the rollback the answer is %q", answer)
			}
			c.heal(redis)
			for _, g := range []*running{a, b} {
				g.stands("orders", 0)
				eventually(t, "all is well again", func() bool { return g.unwell("log") == "" })
			}
			if m := b.follower.State().Migrations["orders"]; !m.RolledBack || m.Reason != "it is bad" {
				t.Errorf("it stands at %s, %q", m.Split, m.Reason)
			}
		})
	}
}

// TestTripOutlivesAFlush: a rollback that was made while Redis was away is in
// the log that begins again.
func TestTripOutlivesAFlush(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	a.shift("orders", 100)
	a.shift("carts", 50)
	b.stands("carts", 50)
	redis.kill()
	if _, err := a.client.Rollback(t.Context(), "orders", rollback("it is bad")); err != nil {
		t.Errorf("a rollback without the log: %v", err)
	}
	redis.start()
	for _, g := range []*running{a, b} {
		g.stands("orders", 0)
		g.stands("carts", 50)
		if s := g.follower.State(); s.Frozen == "" || !s.Migrations["orders"].RolledBack {
			t.Errorf("frozen: %q; orders: %+v", s.Frozen, s.Migrations["orders"])
		}
	}
}

// wrongClock is a library that puts the clock of a program two hours ahead.
const wrongClock = `
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

int gettimeofday(struct timeval *tv, void *tz) {
	int r = syscall(SYS_gettimeofday, tv, 0);
	tv->tv_sec += 2 * 60 * 60;
	return r;
}
`

// TestClockOfRedisStampsEvents, however wrong it is, and people are told.
func TestClockOfRedisStampsEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	library, source := filepath.Join(dir, "clock.so"), filepath.Join(dir, "clock.c")
	if err := os.WriteFile(source, []byte(wrongClock), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Skipf("A WRONG CLOCK OF REDIS IS NOT TESTED: gcc: %v: %s", err, out)
	}
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	redis := &redisServer{t: t, dir: t.TempDir(), address: address, env: []string{"LD_PRELOAD=" + library}}
	redis.start()
	config := redis.together() + twoMigrations(t)
	a, b := start(t, config), start(t, config)
	a.shift("orders", 100)
	b.stands("orders", 100)
	since := b.follower.State().Migrations["orders"].Since
	if ahead := time.Until(since); ahead < 119*time.Minute || ahead > 2*time.Hour {
		t.Errorf("the shift was stamped %s ahead of this machine's clock", ahead)
	}
	if by := b.now().Sub(since); by < 0 || by > time.Minute {
		t.Errorf("the gateway's now is %s after the shift", by)
	}
	var told string
	for _, check := range b.ready().Checks {
		if check.Name == "log" {
			told = check.Detail
		}
	}
	if !strings.Contains(told, "differs from this machine's by 2h0m0s") {
		t.Errorf("people are told: %s", told)
	}
	// It is set right, and events never run backwards.
	redis.kill()
	redis.env = nil
	redis.start()
	a.stands("orders", 100)
	eventually(t, "the log is mended", func() bool { return a.follower.State().Frozen != "" })
	a.shift("orders", 50)
	b.stands("orders", 50)
	if s := b.follower.State(); s.Time.Before(since) {
		t.Errorf("the last event is of %s, an earlier one of %s", s.Time, since)
	}
}
