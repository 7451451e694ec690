package gateway

import (
	"cmp"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// A user of the simulation. What happens to a user happens whatever side it is
// on, so that all requests of one are correlated.
type user struct {
	until   float64 // activity of all users up to this one
	key     uint64
	bucket  int
	address netip.Addr
	pace    float64 // factor of the latency of its requests
	errors  float64 // chance that a request fails
	missing float64 // chance that it asks for what is not there
}

// A world is one migration between two applications that are alike, and all
// that happens to it: errors of users that come together, faults that both
// sides share, restarts of the service, and outages of the monolith.
type world struct {
	rng   *rand.Rand
	plan  *migrations.Plan
	route *route
	book  *book

	state    migrations.State
	standing standing
	now      time.Time
	users    []user
	shared   []span // both sides fail
	restarts []span // of the service
	outages  []span // of the monolith
	slow     []span // both sides are slow
	due      []line // comparisons that are not decided yet
	decided  int    // requests at the last decision

	failures int           // of comparisons with the service, in a row
	wait     time.Duration // of the breaker of the shadow
	until    time.Time
}

// compares reports whether the service is asked for a comparison at a time: the
// shadow asks one that does not answer less and less often.
func (w *world) compares(at time.Time, answers bool) bool {
	if at.Before(w.until) {
		return false
	}
	if answers {
		w.failures, w.wait = 0, 0
		return true
	}
	if w.failures++; w.failures >= 10 {
		w.wait = min(max(2*w.wait, 250*time.Millisecond), 5*time.Second)
		w.until = at.Add(w.wait)
	}
	return true
}

type span struct{ from, to time.Time }

func inSpan(spans []span, at time.Time) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return !at.Before(s.from) && at.Before(s.to) })
}

var epochOfWorlds = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, seed uint64, plan *migrations.Plan, r *routes.Route, length time.Duration) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 10)), plan: plan, now: epochOfWorlds}
	var all books
	all.init("a", 1)
	w.book = all.of(plan.ID)
	w.route = &route{Route: r, plan: plan}
	rng := w.rng
	total := 0.0
	networks := 20 + rng.IntN(100)
	for i := range 200 + rng.IntN(1500) {
		total += math.Pow(1-rng.Float64(), -1/1.2) // a heavy tail
		u := user{
			until: total, key: rng.Uint64() | 1, bucket: rng.IntN(migrations.Buckets), pace: math.Exp(0.4 * rng.NormFloat64()), errors: 0.002, missing: 0.01,
			address: netip.AddrFrom4([4]byte{10, 0, byte(int(float64(networks) * math.Pow(rng.Float64(), 2))), 1}),
		}
		switch rng.IntN(50) {
		case 0:
			u.errors = 0.5 // has a broken cart
		case 1:
			u.missing = 0.9 // has a bookmark of old
		}
		if i%997 == 0 {
			u.errors = 1
		}
		w.users = append(w.users, u)
	}
	some := func(most int, least, longest time.Duration) (out []span) {
		for range rng.IntN(most + 1) {
			from := epochOfWorlds.Add(time.Duration(rng.Int64N(int64(length))))
			out = append(out, span{from, from.Add(least + time.Duration(rng.Int64N(int64(longest-least))))})
		}
		return out
	}
	w.shared = some(4, 200*time.Millisecond, 5*time.Second)
	w.restarts = some(2, 300*time.Millisecond, 4*time.Second)
	w.slow = some(4, time.Second, 20*time.Second)
	if rng.IntN(3) == 0 {
		w.outages = some(2, time.Second, 30*time.Second)
	}
	w.append(t,
		migrations.Event{Migration: plan.ID, Kind: migrations.Created, Plan: plan.Hash(), Steps: len(plan.Steps)},
		migrations.Event{Migration: plan.ID, Kind: migrations.Resumed, Actor: "ada"})
	return w
}

// append puts events into the log of the world.
func (w *world) append(t *testing.T, events ...migrations.Event) {
	_, next, err := migrations.Admit(w.state, migrations.Unconditional, w.now, events...)
	if err != nil {
		t.Fatal(err)
	}
	w.state = next
	m := w.state.Migrations[w.plan.ID]
	w.standing = standingOf(w.plan, &m, w.book)
}

// next draws who asks.
func (w *world) next() *user {
	x := w.rng.Float64() * w.users[len(w.users)-1].until
	i, _ := slices.BinarySearchFunc(w.users, x, func(u user, x float64) int { return cmp.Compare(u.until, x) })
	return &w.users[min(i, len(w.users)-1)]
}

// An asked is a request as both sides would meet it.
type asked struct {
	user    *user
	path    string
	missing bool // on either side
	hangs   bool // likewise, while both sides fail
}

// A madeOf is what one side makes of a request.
type madeOf struct {
	class  evidence.Class
	status int
	err    upstream.Kind
	took   time.Duration
}

// answer is what a side makes of a request at a time.
func (w *world) answer(a asked, side migrations.Side, at time.Time) madeOf {
	took := time.Duration(40 * a.user.pace * math.Exp(0.7*w.rng.NormFloat64()) * float64(time.Millisecond))
	if inSpan(w.slow, at) {
		took *= 4
	}
	failing := a.user.errors
	switch {
	case side == migrations.Modern && inSpan(w.restarts, at):
		return madeOf{class: evidence.ClassBroken, err: upstream.KindConnect}
	case side == migrations.Legacy && inSpan(w.outages, at):
		failing = 0.9
	case inSpan(w.shared, at):
		failing = max(failing, 0.6)
		if a.hangs {
			return madeOf{class: evidence.ClassTimeout, err: upstream.KindTimeout}
		}
	}
	switch {
	case w.rng.Float64() < failing:
		return madeOf{class: evidence.ClassFailed, status: 500, took: took}
	case a.missing:
		return madeOf{class: evidence.ClassMissing, status: 404, took: took}
	}
	return madeOf{class: evidence.ClassOK, status: 200, took: took}
}

// request makes one request, and the comparison that follows it.
func (w *world) request(n int) {
	w.now = w.now.Add(time.Duration(w.rng.ExpFloat64() * float64(50*time.Millisecond)))
	a := asked{user: w.next(), path: "/orders/" + strconv.Itoa(w.rng.IntN(40))}
	if w.rng.IntN(4) == 0 {
		a.path = "/orders/search"
	}
	a.hangs = w.rng.IntN(10) == 0
	a.missing = w.rng.Float64() < a.user.missing
	cell := &w.standing.cells[0]
	side, other := migrations.Legacy, migrations.Modern
	if a.user.bucket < cell.share {
		side, other = other, side
	}
	rec := record{cell: cell, route: w.route, asked: true}
	rec.Side, rec.Method, rec.Target, rec.Pattern, rec.KeySource = side, "GET", a.path, "/*", "header:X-User"
	rec.assignment = flags.Assignment{Key: "user", KeyHash: a.user.key, Placed: true, Verified: true}
	rec.input.Safe = true
	rec.peer.client = a.user.address
	paired := cell.state.Split.At(a.user.bucket).Rank() >= migrations.Shadow.Rank()
	if paired {
		rec.pair = uint64(n) + 1
	}
	if f := rec.standsFor(); cell.test != 0 && f&placed != 0 && w.book.ledger.arrivals.fresh(rec.evidenceKey(), cell.test, f) {
		w.book.ledger.write(&line{cell: cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), at: w.now.UnixNano(), facts: arrived | f | rec.sideFact()})
	}
	first := w.answer(a, side, w.now)
	rec.class, rec.firstStatus, rec.firstErr, rec.took, rec.whole = first.class, first.status, first.err, first.took, first.took+first.took/10
	if first.took == 0 {
		rec.whole = 0
	}
	rec.Start, rec.Total = w.now, first.took
	v := pairing{cell: cell, key: rec.evidenceKey(), network: evidence.Network(rec.network()), control: side, pair: rec.pair, method: "GET", target: a.path, pattern: "/*"}
	decided := line{cell: cell, key: v.key, network: v.network, facts: compared, method: v.method, target: v.target, pattern: v.pattern, pair: v.pair}
	if side == migrations.Modern {
		decided.facts |= onModern
	}
	at := w.now.Add(first.took + time.Duration(5+w.rng.IntN(100))*time.Millisecond)
	service, monolith := false, false
	if side == migrations.Modern && first.class.Failure() { // fallback
		rec.Fallback = "failed"
		second := w.answer(a, other, w.now.Add(first.took))
		rec.bothFailed, rec.healed = second.class.Failure(), !second.class.Failure()
		service, monolith = true, rec.bothFailed
		decided.outcome = compare.Failed
		decided.facts |= fellBack
	} else {
		second := w.answer(a, other, at)
		bad := second.class.Failure()
		service, monolith = bad, first.class.Failure()
		if side == migrations.Modern {
			service, monolith = false, bad
		}
		switch {
		case side == migrations.Legacy && !w.compares(at, second.status != 0):
			decided.outcome = compare.Dropped
		case second.class == evidence.ClassTimeout:
			decided.outcome = compare.TimedOut
		case bad && second.status == 0:
			decided.outcome = compare.Failed
		case first.class == second.class:
			decided.outcome = compare.Match
		default:
			decided.outcome = compare.Mismatch
		}
		if side == migrations.Modern && (decided.outcome == compare.Failed || decided.outcome == compare.TimedOut) {
			decided.facts |= blameless
		}
	}
	if service {
		decided.facts |= serviceBad
	}
	if monolith {
		decided.facts |= monolithBad | blameless
	}
	rec.account()
	if paired {
		decided.at = at.UnixNano()
		w.due = append(w.due, decided)
	}
	w.due = slices.DeleteFunc(w.due, func(n line) bool {
		if n.at > w.now.UnixNano() {
			return false
		}
		w.book.ledger.write(&n)
		return true
	})
}
