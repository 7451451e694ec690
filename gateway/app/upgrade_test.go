package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
)

// A balancer knows which gateways are ready, as a load balancer does: it asks
// each of them every few milliseconds. It gives nothing new to one that is not.
type balancer struct {
	gateways []*binary
	ready    []atomic.Bool
}

func balance(ctx context.Context, wait *sync.WaitGroup, gateways ...*binary) *balancer {
	b := &balancer{gateways: gateways, ready: make([]atomic.Bool, len(gateways))}
	for i, g := range gateways {
		wait.Go(func() {
			for ctx.Err() == nil {
				c := g.client()
				r, err := c.Ready(ctx)
				c.Close()
				b.ready[i].Store(err == nil && r.Ready)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return b
}

// pick returns a gateway that is ready, n and those after it first.
func (b *balancer) pick(n int) int {
	for {
		for i := range b.gateways {
			if at := (n + i) % len(b.gateways); b.ready[at].Load() {
				return at
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// TestRollingRestartDropsNothing restarts three gateways one after the other,
// as a rolling upgrade does, while clients ask, operators shift and WebSockets
// are open. The clients do what those behind a load balancer do: they ask a
// gateway that is ready, keep their connections until one says "Connection:
// close" or its gateway is ready no more, and send nothing twice. WebSockets
// end when their own message under way is done, and open anew elsewhere.
func TestRollingRestartDropsNothing(t *testing.T) {
	t.Parallel()
	rounds := full(20, 1)
	redis := newRedis(t, durable...)
	upstream := serve(t, live())
	var gs []*binary
	for range 3 {
		g := install(t, fmt.Sprintf(`
listen: $LISTEN
admin: {address: none, socket: $DIR/ficus.sock}
state: {url: "%[1]s", checkpoint: $DIR/ficus.checkpoint}
log: {access: false}
shutdown: {delay: 500ms, timeout: 10s}
upstreams: {monolith: "%[2]s", service: "%[2]s"}
migrations: {orders: {from: monolith, to: service, key: url, data: shared, writes: follow}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, redis.url(), upstream))
		g.start()
		gs = append(gs, g)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asking, looking sync.WaitGroup
	lb := balance(ctx, &looking, gs...)
	var asked, told, said, moved, shifted atomic.Int64
	for n := range 24 {
		asking.Go(func() { // one that asks
			var kept [3]keeper
			for i := range kept {
				kept[i] = keeper{address: gs[i].listen, once: n%6 == 5}
			}
			for i := n; ctx.Err() == nil; i++ {
				at := lb.pick(i)
				k := &kept[at]
				k.path = fmt.Sprint("/orders/", rand.IntN(100))
				if n%8 == 7 {
					k.path += "?wait=300ms"
				}
				if err := k.ask(); err != nil {
					t.Errorf("client %d, gateway %d: %v", n, at, err)
					return
				}
				asked.Add(1)
				time.Sleep(rand.N(10 * time.Millisecond))
			}
			for i := range kept {
				told.Add(int64(kept[i].closed))
			}
		})
	}
	for n := range 12 {
		asking.Go(func() { // one with a WebSocket
			for ctx.Err() == nil {
				at := lb.pick(n)
				e := openEcho(t, "http://"+gs[at].listen)
				moved.Add(1)
				for ctx.Err() == nil && lb.ready[at].Load() {
					if err := e.say(fmt.Sprint("message ", said.Add(1))); err != nil {
						t.Errorf("WebSocket %d, gateway %d: %v", n, at, err)
						return
					}
					time.Sleep(rand.N(20 * time.Millisecond))
				}
				e.Close()
			}
		})
	}
	asking.Go(func() { // an operator
		last := uint64(0) // what was seen elsewhere; this gateway may be a moment behind
		for n := 0; ctx.Err() == nil; n++ {
			c := gs[lb.pick(n)].client()
			m, err := c.Migration(ctx, "orders")
			if err == nil {
				var done dashboard.Change
				if done, err = c.Shift(ctx, "orders", livePercent(n%100), "while it restarts", max(m.Seq, last)); err == nil {
					last = done.Seq
					shifted.Add(1)
				}
			}
			c.Close()
			if err != nil && ctx.Err() == nil {
				t.Errorf("a shift: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	eventually(t, "the load is on", func() bool { return asked.Load() > 100 && said.Load() > 100 })
	for range rounds {
		for i, g := range gs {
			g.signal(syscall.SIGTERM)
			if code := g.cmd.ProcessState.ExitCode(); code != exitOK {
				t.Errorf("gateway %d ends with code %d:\n%s", i, code, g.stderr.String())
			}
			g.start()
			eventually(t, "it gets requests again", func() bool { return lb.ready[i].Load() })
			time.Sleep(200 * time.Millisecond)
		}
	}
	cancel()
	asking.Wait()
	looking.Wait()
	t.Logf("%d restarts among %d requests, %d messages over %d WebSockets and %d shifts; %d answers said to close the connection",
		3*rounds, asked.Load(), said.Load(), moved.Load(), shifted.Load(), told.Load())
	if told.Load() == 0 || moved.Load() <= 12 {
		t.Error("nobody noticed a restart")
	}
}
