//go:build linux

package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/redislog"
)

// A world is three gateways, a Redis, two applications and their clients, each
// a host of its own.
type world struct {
	t        *testing.T
	net      *network
	redis    *redisServer
	gateways [3]*replica
	load     *clients
	deeds    [3]*operator // one for each migration

	redisHurt atomic.Int64 // until when Redis was not what it is, Unix nanoseconds
	lossAfter atomic.Int64 // when Redis last lost its data
	schedule  atomic.Pointer[string]
}

// A replica is one of the gateways.
type replica struct {
	*binary
	n      int
	link   *link // to Redis
	line   *slowLine
	public string       // host:port, for clients
	up     atomic.Bool  // it is meant to answer
	deaths atomic.Int64 // how often it was killed
	hurt   atomic.Int64 // until when it was cut off, Unix nanoseconds
}

// forever is the end of what has not ended yet.
const forever = int64(1) << 62

// ids are the migrations of a world.
var ids = [...]string{"orders", "carts", "users"}

func newWorld(t *testing.T) *world {
	t.Helper()
	hosts := []string{"r", "w", "g0", "g1", "g2"}
	n := newNetwork(t, hosts...)
	w := &world{t: t, net: n}
	_, at := n.join("w", "g0", "g1", "g2")
	monolith := n.serve("w", at[0]+":3000", application("monolith"))
	service := n.serve("w", at[0]+":3001", application("service"))
	w.redis = &redisServer{
		t: t, dir: t.TempDir(), address: "127.0.0.1:6379", args: durable,
		where: func(do func() error) error { return n.in("r", do) }, dial: n.dialer("r"),
	}
	w.redis.start()
	for i := range w.gateways {
		g := &replica{n: i, public: at[i+1] + ":8080"}
		var ends []string
		g.link, ends = n.join("r", fmt.Sprint("g", i))
		g.line = &slowLine{to: func() (conn net.Conn, err error) {
			return n.dialer("r")(context.Background(), "tcp", w.redis.address)
		}}
		go g.line.serve(n.listen("r", ends[0]+":7000"))
		g.binary = install(t, fmt.Sprintf(`
listen: 0.0.0.0:8080
admin: {address: none, socket: $DIR/ficus.sock}
state: {url: "redis://%s:7000", checkpoint: $DIR/ficus.checkpoint}
log: {access: false}
upstreams: {monolith: "%s", service: "%s"}
migrations:
  orders: {from: monolith, to: service, key: cookie:uid}
  carts: {from: monolith, to: service, key: cookie:uid}
  users: {from: monolith, to: service, key: cookie:uid}
routes:
  - {path: /orders, migration: orders}
  - {path: /carts, migration: carts}
  - {path: /users, migration: users}
  - {path: /*, upstream: monolith}
`, ends[0], monolith, service))
		g.in = func(do func() error) error { return n.in(fmt.Sprint("g", i), do) }
		g.start()
		g.up.Store(true)
		w.gateways[i] = g
	}
	for i, id := range ids {
		w.deeds[i] = &operator{world: w, migration: id}
	}
	w.load = newClients(w)
	return w
}

// run lets things go wrong as a seed says, and returns what they were.
func (w *world) run(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	said := ""
	w.schedule.Store(&said)
	var under sync.WaitGroup
	busy := make(map[string]chan struct{}) // by what is hurt
	for range 2 + r.IntN(3) {
		f, g := faults[r.IntN(len(faults))], w.gateways[r.IntN(len(w.gateways))]
		lasts := 100*time.Millisecond + time.Duration(r.Int64N(int64(1500*time.Millisecond)))
		subject := fmt.Sprint("gateway ", g.n)
		if f.redis {
			subject = "redis"
		}
		if f.redis || f.name == "killed" { // a gateway that starts needs Redis or not; both is another schedule
			under.Wait()
		}
		if before := busy[subject]; before != nil {
			<-before
		}
		done := make(chan struct{})
		busy[subject] = done
		said += fmt.Sprintf("%s: %s for %s; ", subject, f.name, lasts.Round(time.Millisecond))
		text := said
		w.schedule.Store(&text)
		hurt := &g.hurt
		if f.redis {
			hurt = &w.redisHurt
		}
		hurt.Store(forever)
		under.Go(func() {
			defer close(done)
			f.does(w, g, lasts)
			hurt.Store(time.Now().UnixNano())
		})
		if pause := time.Duration(r.Int64N(int64(800 * time.Millisecond))); pause > 100*time.Millisecond {
			time.Sleep(pause)
		}
		if f.redis || f.name == "killed" {
			<-done
		}
	}
	under.Wait()
	return said
}

// whole reports since when nothing has been wrong for a gateway; false: it
// still is.
func (w *world) whole(g *replica) (since time.Time, ok bool) {
	hurt := max(g.hurt.Load(), w.redisHurt.Load())
	return time.Unix(0, hurt), hurt != forever
}

// watch holds the gateways to this: none stands behind another for longer than
// whatever is wrong, and a second.
func (w *world) watch(ctx context.Context, worst *atomic.Int64) {
	var behind [3]time.Time // since when; zero: it is not
	last := time.Now()
	for ctx.Err() == nil {
		var seqs [3]uint64
		top := uint64(0)
		for i, g := range w.gateways {
			seqs[i] = g.seq()
			top = max(top, seqs[i])
		}
		now := time.Now()
		hiccup := now.Sub(last) // the machine is busy
		last = now
		for i, g := range w.gateways {
			since, whole := w.whole(g)
			switch {
			case seqs[i] == 0 || !whole || seqs[i] == top:
				behind[i] = time.Time{}
				continue
			case behind[i].IsZero():
				behind[i] = now
			}
			if behind[i].After(since) {
				since = behind[i]
			}
			late := now.Sub(since)
			worst.Store(max(worst.Load(), int64(late)))
			if late > time.Second+4*hiccup {
				w.t.Errorf("gateway %d has stood at event %d for %s, others at %d (%s)", i, seqs[i], late, top, *w.schedule.Load())
				behind[i] = now
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// seq returns the last event that a gateway has applied, 0 if it does not say.
func (g *replica) seq() uint64 {
	if !g.up.Load() {
		return 0
	}
	c := g.client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := c.State(ctx)
	if err != nil {
		return 0
	}
	return s.Seq
}

// kept returns what a gateway has on its disk.
func (g *replica) kept() migrations.State {
	k, err := redislog.ReadKept(filepath.Join(g.dir, "ficus.checkpoint"))
	if err != nil || k == nil {
		return migrations.State{}
	}
	return k.State
}

// settled waits until no rollback is local only and all gateways hold the same
// state, which is that of the log in Redis, and returns it.
func (w *world) settled() migrations.State {
	w.t.Helper()
	var states [3]migrations.State
	same := func() bool {
		var hashes [3][32]byte
		for i, g := range w.gateways {
			states[i] = g.kept()
			text, err := json.Marshal(states[i])
			if err != nil || states[i].Seq != g.seq() {
				return false
			}
			if _, err := os.Stat(filepath.Join(g.dir, "ficus.trips")); err == nil {
				return false
			}
			hashes[i] = sha256.Sum256(text)
		}
		return hashes[0] == hashes[1] && hashes[1] == hashes[2] && w.head() == states[0].Seq
	}
	for end := time.Now().Add(10 * time.Second); !same(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("they hold different states (%s): events %d, %d and %d", *w.schedule.Load(), states[0].Seq, states[1].Seq, states[2].Seq)
		}
	}
	return states[0]
}

// head returns the number of the last event that Redis has, 0 if it has none.
func (w *world) head() (seq uint64) {
	c := w.redis.client()
	defer c.Close()
	last, err := c.XRevRangeN(context.Background(), "ficus:{ficus}:events", "+", "-", 1).Result()
	if err != nil || len(last) == 0 {
		return 0
	}
	number, _, _ := strings.Cut(last[0].ID, "-")
	seq, _ = strconv.ParseUint(number, 10, 64)
	return seq
}

// logged returns the events that Redis has, by number.
func (w *world) logged() map[uint64]migrations.Event {
	w.t.Helper()
	c := w.redis.client()
	defer c.Close()
	entries, err := c.XRange(context.Background(), "ficus:{ficus}:events", "-", "+").Result()
	if err != nil {
		w.t.Fatal(err)
	}
	out := make(map[uint64]migrations.Event, len(entries))
	for _, entry := range entries {
		var e migrations.Event
		if err := json.Unmarshal([]byte(entry.Values["line"].(string)), &e); err != nil {
			w.t.Fatal(err)
		}
		out[e.Seq] = e
	}
	return out
}

// TestChaos lets the network, Redis and the gateways fail by seeded schedules,
// under load and while operators shift and roll back. No request fails because
// of it; no gateway stands behind the others for longer than whatever is wrong
// and a second; nothing that was acknowledged is lost while Redis keeps its
// data; the last word on each migration stands, a rollback above all; and in
// the end all hold the same state. FICUS_SEED=N runs one schedule.
func TestChaos(t *testing.T) {
	seeds := make([]uint64, full(200, 3))
	for i := range seeds {
		seeds[i] = uint64(i) + 1
	}
	if one, err := strconv.ParseUint(os.Getenv("FICUS_SEED"), 10, 64); err == nil {
		seeds = []uint64{one}
	}
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.load.begin(ctx)
	var worst atomic.Int64
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, &worst) })
	for _, seed := range seeds {
		act, rest := context.WithCancel(ctx)
		var acting sync.WaitGroup
		for _, o := range w.deeds {
			acting.Go(func() { o.act(act, rand.New(rand.NewPCG(seed, uint64(len(o.migration))))) })
		}
		said := w.run(seed)
		time.Sleep(200 * time.Millisecond)
		rest()
		acting.Wait()
		state := w.settled()
		w.judge(state, said)
		w.load.judge(seed, said)
		if t.Failed() {
			for i, g := range w.gateways {
				t.Logf("gateway %d:\n%s", i, tail(g.stderr.String(), 4000))
			}
			t.Fatalf("FICUS_SEED=%d: %s", seed, said)
		}
	}
	cancel()
	watching.Wait()
	w.load.wait.Wait()
	done, lost := 0, 0
	for _, o := range w.deeds {
		done, lost = done+o.acknowledged, lost+o.uncertain
	}
	t.Logf("%d schedules, %d requests, %d of which went to another gateway since theirs was killed; %d changes acknowledged, %d not; the longest that a gateway stood behind after all was well: %s",
		len(seeds), w.load.answered.Load(), w.load.retried.Load(), done, lost, time.Duration(worst.Load()).Round(time.Millisecond))
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }
