package gateway

import (
	"cmp"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
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
	circle  int     // users whom the same befalls at the same time, an index into circles; 0: none
	pace    float64 // factor of the latency of its requests
	errors  float64 // chance that a request fails
	missing float64 // chance that it asks for what is not there
}

// A world is one migration between two applications that are alike, and all
// that happens to it: errors of users that come together, faults that both
// sides share, restarts of either side, and outages of the monolith.
type world struct {
	rng    *rand.Rand
	plan   *migrations.Plan
	search *route // GET /orders/search, a quarter of what is read
	read   *route // GET /orders/7
	write  *route // POST /orders, a tenth of all requests
	downs  bool   // the service is restarted, where fallback answers all that is read meanwhile

	book    *book
	scratch *book // takes in what an observation says, for the world to tell it in its time

	state    migrations.State
	standing standing
	now      time.Time
	users    []user
	last     *user
	failing  float64 // chance that any request fails, on either side
	worse    float64 // likewise, on the service alone
	shared   []span  // both sides fail
	restarts [2][]span
	outages  []span // of the monolith
	slow     []span // both sides are slow
	circles  [4][]span
	due      []lesson
	breakers [2]breaker
}

type span struct{ from, to time.Time }

func inSpan(spans []span, at time.Time) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return !at.Before(s.from) && at.Before(s.to) })
}

// A lesson is what the gateway learns when its time has come.
type lesson struct {
	at time.Time
	do func()
}

// later has something done in its time.
func (w *world) later(at time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(w.due, at, func(l lesson, at time.Time) int {
		if l.at.After(at) {
			return 1
		}
		return -1
	})
	w.due = slices.Insert(w.due, i, lesson{at, do})
}

// passes does what is due.
func (w *world) passes() {
	done := 0
	for done < len(w.due) && !w.due[done].at.After(w.now) {
		w.due[done].do()
		done++
	}
	w.due = slices.Delete(w.due, 0, done)
}

// A breaker is that of the shadow, in the time of the world: it asks a side that
// does not answer less and less often.
type breaker struct {
	failures int
	wait     time.Duration
	until    time.Time
}

func (b *breaker) allows(at time.Time) bool { return !at.Before(b.until) }

func (b *breaker) report(ok bool, at time.Time) {
	if ok {
		*b = breaker{}
		return
	}
	if b.failures++; b.failures >= 10 {
		b.wait = min(max(2*b.wait, 250*time.Millisecond), 5*time.Second)
		b.until = at.Add(b.wait)
	}
}

var epochOfWorlds = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, seed uint64, table *routes.Table, length time.Duration) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 10)), plan: table.Plans["orders"], now: epochOfWorlds, scratch: new(book)}
	w.scratch.ledger.init("a", nil)
	var all books
	all.init("a", 1)
	w.book = all.of(w.plan.ID)
	for i, r := range []**route{&w.write, &w.search, &w.read} {
		*r = &route{Route: table.Routes[i], plan: w.plan}
	}
	w.downs = w.search.Fallback != nil
	w.people()
	w.weather(length)
	w.append(t,
		migrations.Event{Migration: w.plan.ID, Kind: migrations.Created, Plan: w.plan.Hash(), Steps: len(w.plan.Steps)},
		migrations.Event{Migration: w.plan.ID, Kind: migrations.Resumed, Actor: "ada"})
	return w
}

// people makes the users. In a third of the worlds an office has nearly a third
// of them and all others come from small networks, in a third networks are of
// all sizes, and in a third everyone has one.
func (w *world) people() {
	rng, total := w.rng, 0.0
	kind, networks, small := rng.IntN(3), 20+rng.IntN(100), 0
	for i := range 200 + rng.IntN(1500) {
		total += math.Pow(1-rng.Float64(), -1/1.2) // a heavy tail
		u := user{until: total, key: rng.Uint64() | 1, bucket: rng.IntN(migrations.Buckets), pace: math.Exp(0.4 * rng.NormFloat64()), errors: 0.002, missing: 0.01}
		network := 0 // the office
		switch {
		case kind == 1:
			network = int(float64(networks) * math.Pow(rng.Float64(), 2))
		case kind == 2 || rng.Float64() >= 0.3:
			if kind == 2 || rng.IntN(2) == 0 {
				small++
			}
			network = 1 + small
		}
		u.address = netip.AddrFrom4([4]byte{10, byte(network >> 8), byte(network), 1})
		switch rng.IntN(50) {
		case 0:
			u.errors = 0.5 // has a broken cart
		case 1:
			u.missing = 0.9 // has a bookmark of old
		case 2, 3:
			u.circle = 1
		}
		if i%997 == 0 {
			u.errors = 1
		}
		w.users = append(w.users, u)
	}
	for circle := 2; circle < len(w.circles); circle++ { // all of a network
		address := w.users[rng.IntN(len(w.users))].address
		for i := range w.users {
			if w.users[i].address == address {
				w.users[i].circle = circle
			}
		}
	}
}

// weather makes what befalls the sides.
func (w *world) weather(length time.Duration) {
	rng := w.rng
	some := func(most int, least, longest time.Duration) (out []span) {
		for range rng.IntN(most + 1) {
			from := epochOfWorlds.Add(time.Duration(rng.Int64N(int64(length))))
			out = append(out, w.spell(from, least, longest))
		}
		return out
	}
	if rng.IntN(2) == 0 {
		w.failing = 0.03 * rng.Float64()
	}
	w.shared = some(4, 200*time.Millisecond, 5*time.Second)
	w.slow = some(4, time.Second, 20*time.Second)
	w.restarts[0] = some(2, 300*time.Millisecond, 4*time.Second)
	if w.downs {
		w.restarts[1] = some(2, 300*time.Millisecond, 4*time.Second)
	}
	if rng.IntN(3) == 0 {
		w.outages = some(2, time.Second, 30*time.Second)
	}
	for i := 1; i < len(w.circles); i++ {
		w.circles[i] = some(3, time.Second, 20*time.Second)
	}
}

func (w *world) spell(from time.Time, least, longest time.Duration) span {
	return span{from, from.Add(least + time.Duration(w.rng.Int64N(int64(longest-least))))}
}

// stepped makes what may befall the sides right after a step.
func (w *world) stepped() {
	from := w.now.Add(time.Duration(w.rng.Int64N(int64(2 * time.Second))))
	switch w.rng.IntN(8) {
	case 0, 1:
		w.shared = append(w.shared, w.spell(from, time.Second, 15*time.Second))
	case 2:
		w.slow = append(w.slow, w.spell(from, time.Second, 15*time.Second))
	case 3:
		w.restarts[0] = append(w.restarts[0], w.spell(from, 300*time.Millisecond, 4*time.Second))
	case 4:
		if w.downs && len(w.restarts[1]) < evidence.BlipsAnHour { // more in an hour than that are not borne
			w.restarts[1] = append(w.restarts[1], w.spell(from, 300*time.Millisecond, 4*time.Second))
		}
	}
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

// next draws who asks: often who has just asked.
func (w *world) next() *user {
	if w.last == nil || w.rng.IntN(4) > 0 {
		x := w.rng.Float64() * w.users[len(w.users)-1].until
		i, _ := slices.BinarySearchFunc(w.users, x, func(u user, x float64) int { return cmp.Compare(u.until, x) })
		w.last = &w.users[min(i, len(w.users)-1)]
	}
	return w.last
}
