package evidencetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

var (
	database common
	bursts   common
	busy     common
)

// spared are troubles that are not the service's fault.
var spared = []fault{
	{name: "none, and the ramp goes forward", live: 25, verdict: goesForward, need: step, quick: true},
	{name: "none in shadow, and the ramp goes forward", verdict: goesForward, need: step},
	{name: "none at 50 %", live: 50, verdict: untouched, requests: 2000, quick: true},
	{name: "none at 5 % of a repeatable route", live: 5, settings: settings{route: "repeatable: true", fallback: true}, verdict: untouched},
	{name: "none at 95 %", live: 95, settings: settings{fallback: true}, verdict: untouched},
	{name: "500 of one in fifty on both sides", live: 50, monolith: sometimes("monolith", 0.02, status(500)), service: sometimes("service", 0.02, status(500)), verdict: innocent},
	{name: "500 for every request on both sides", live: 50, monolith: status(500), service: status(500), verdict: innocent, quick: true},
	{name: "users whose carts are broken on both sides", live: 50, monolith: brokenCarts, service: brokenCarts, verdict: innocent},
	{name: "the monolith answers 500", live: 50, monolith: status(500), verdict: innocent, quick: true},
	{name: "the monolith answers 500 at 5 % with a limit of mismatches", live: 5, settings: settings{guard: "mismatches: {at_most: 1%}"}, monolith: status(500), verdict: innocent},
	{name: "the monolith answers 500 at 50 % with a limit of mismatches", live: 50, settings: settings{guard: "mismatches: {at_most: 1%}"}, monolith: status(500), verdict: innocent, quick: true},
	{name: "the monolith hangs", live: 50, settings: settings{upstream: "timeout: {response: 300ms}"}, visits: visits{workers: 16},
		monolith: sometimes("monolith", 0.3, hang()), requests: 600, verdict: innocent},
	{name: "the monolith cuts its answers", live: 50, monolith: cut(false), verdict: innocent},
	{name: "the monolith is slow", live: 25, warm: measured, both: late(2 * time.Millisecond), visits: visits{workers: 24}, requests: 800, monolith: late(80 * time.Millisecond), verdict: innocent},
	{name: "both are slow", live: 25, warm: measured, both: late(2 * time.Millisecond), monolith: late(80 * time.Millisecond), service: late(80 * time.Millisecond), visits: visits{workers: 24}, requests: 800, verdict: innocent},
	{name: "both are slow now and then", live: 50, warm: measured, both: late(2 * time.Millisecond), monolith: busy.with(late(80 * time.Millisecond)),
		service: busy.with(late(80 * time.Millisecond)), during: busy.comesAndGoes(4, 300*time.Millisecond, 200*time.Millisecond), verdict: innocent},
	{name: "a database of both fails", live: 50, monolith: database.with(status(500)), service: database.with(status(500)),
		during: database.comesAndGoes(4, 250*time.Millisecond, 250*time.Millisecond), verdict: innocent, quick: true},
	{name: "a database of both fails at 5 %", live: 5, settings: settings{fallback: true}, monolith: bursts.with(status(503)), service: bursts.with(status(503)),
		during: bursts.comesAndGoes(4, 250*time.Millisecond, 250*time.Millisecond), verdict: innocent},
	{name: "both are deployed", live: 50, during: deploys(true), verdict: innocent},
	{name: "the service restarts behind fallback at 50 %", live: 50, settings: settings{fallback: true}, during: deploys(false), requests: 3000, verdict: innocent, says: "failed the last", quick: true},
	{name: "the service restarts behind fallback at 5 %", live: 5, settings: settings{fallback: true}, during: deploys(false), requests: 3000, verdict: innocent, says: "failed the last"},
	{name: "the service restarts behind fallback while the others are compared", live: 50, settings: settings{fallback: true, ramp: afterShadow}, step: 2, during: deploys(false),
		requests: 3000, verdict: innocent, says: "failed the last"},
	{name: "the service restarts in shadow", settings: settings{ramp: "{stage: shadow, hold: 1h}, {stage: live, share: 10%}"}, during: deploys(false), requests: 3000,
		verdict: innocent, says: "failed the last"},
	{name: "one user alone", live: 50, visits: visits{users: 1, networks: 1}, service: status(500), requests: 300, verdict: innocent, quick: true},
	{name: "one user has every error", live: 50, service: when(onHeader("X-User", "user 7"), status(500)), visits: visits{call: often(7)}, verdict: innocent},
	{name: "404 scans on both sides", live: 50, visits: visits{call: scans(0.3)}, verdict: untouched},
	{name: "500 on both sides at one endpoint", live: 50, visits: visits{call: poisons(0.1)}, verdict: innocent},
	{name: "429 on both sides", live: 50, monolith: sometimes("monolith", 0.1, status(429)), service: sometimes("service", 0.1, status(429)), verdict: innocent},
	{name: "the login of those who are not logged in", live: 50, monolith: logins, service: logins, verdict: untouched},
	{name: "gRPC 5 of one in three on both sides", live: 50, settings: follows, visits: rung, monolith: sometimes("monolith", 0.3, grpc("trailer", "5")),
		service: sometimes("service", 0.3, grpc("trailer", "5")), verdict: innocent},
	{name: "answers that are different each time", live: 50, settings: settings{route: "repeatable: true"}, monolith: noisy(), service: noisy(), requests: 3000, verdict: innocent},
	{name: "clients that go away", live: 50, both: late(40 * time.Millisecond), visits: visits{call: leaves, workers: 32}, verdict: untouched, quick: true},
	{name: "clients that go away after a second", live: 50, both: late(1200 * time.Millisecond), visits: visits{call: leavesLate, workers: 100}, requests: 400, verdict: innocent},
	{name: "bodies that end half way", live: 50, settings: follows, visits: visits{call: halves}, verdict: untouched},
	{name: "clients that read slowly", live: 50, visits: visits{call: readsSlowly, workers: 60}, requests: 800, verdict: untouched},
	{name: "uploads that are slow", live: 50, settings: settings{migration: follows.migration, fallback: true, route: "fallback: {after: 300ms}"},
		visits: visits{call: uploads, workers: 100}, requests: 400, verdict: untouched, quick: true},
	{name: "a crawler without keys", live: 50, guests: []visits{{seed: 77, workers: 4, call: crawls}}, verdict: untouched},
}

// afterShadow is a ramp at whose second step those who are not on the service
// are compared with it.
const afterShadow = "{stage: shadow}, {stage: live, share: 50%, hold: 1h}, {stage: complete}"

// brokenCarts fails half of the requests of one user in fifty.
func brokenCarts(good http.Handler) http.Handler {
	return when(func(r *http.Request) bool {
		var user int
		_, _ = fmt.Sscanf(r.Header.Get("X-User"), "user %d", &user)
		return user%50 == 3 && chance(r, "cart") < 0.5
	}, status(500))(good)
}

func logins(good http.Handler) http.Handler {
	return when(func(r *http.Request) bool { return !onCookie("session")(r) }, redirects(func(*http.Request) string { return "/login" }))(good)
}

// deploys restarts the service, or both, after half a second, for as long as a
// restart takes.
func deploys(both bool) func(context.Context, *trial) {
	return func(ctx context.Context, tr *trial) {
		if !pause(ctx, 500*time.Millisecond) {
			return
		}
		tr.service.close()
		down := 1500 * time.Millisecond
		if both {
			tr.monolith.close()
			down = 400 * time.Millisecond
		}
		pause(ctx, down)
		tr.service.listen()
		if both {
			tr.monolith.listen()
		}
	}
}

// often has one user make every second request.
func often(one int) func(*rand.Rand, int, int) call {
	return func(r *rand.Rand, n, user int) call {
		if r.IntN(2) == 0 {
			user = one
		}
		c := reads(r, n, user)
		c.network = 1 + user%60
		return c
	}
}

func scans(share float64) func(*rand.Rand, int, int) call {
	return func(r *rand.Rand, n, user int) call {
		c := reads(r, n, user)
		if r.Float64() < share {
			c.path = fmt.Sprintf("/shop/missing/%d.php", r.IntN(1000))
		}
		return c
	}
}

func poisons(share float64) func(*rand.Rand, int, int) call {
	return func(r *rand.Rand, n, user int) call {
		c := reads(r, n, user)
		if r.Float64() < share {
			c.path = "/shop/poison"
		}
		return c
	}
}

func crawls(r *rand.Rand, n, user int) call {
	c := scans(0.5)(r, n, user)
	c.key, c.network = "", 201
	return c
}
