package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Options say what a [Gateway] is made of.
type Options struct {
	Table    *routes.Table        // required
	State    migrations.State     // of the log, as far as it is known
	Assigner *flags.Assigner      // required
	Tracer   *telemetry.Tracer    // nil: ids only
	Metrics  *telemetry.Metrics   // nil: counted, but shown to nobody
	Access   *telemetry.AccessLog // nil: none is written
	Shadow   *shadow.Shadow       // compares; nil: nothing is compared
	Logger   *slog.Logger         // nil: slog.Default()
	Name     string               // of this gateway among those of one log; empty: "gateway"
}

// A Gateway serves requests by its current [Snapshot]. All methods may be
// called at once.
type Gateway struct {
	snapshot atomic.Pointer[Snapshot]
	assigner *flags.Assigner
	tracer   *telemetry.Tracer
	metrics  *telemetry.Metrics
	access   *telemetry.AccessLog
	shadow   *shadow.Shadow
	log      *slog.Logger

	swap     sync.Mutex // held while the snapshot is replaced
	draining atomic.Bool
	tunnels  tunnels
	inflight counters
	books    books
	reserve  reserve
	recovery recoveryMetrics

	served func(*Snapshot, *record) // told of every request by tests; nil otherwise
	ended  func(*record)            // and of its end
}

// New returns a gateway that serves at once.
func New(o Options) (*Gateway, error) {
	g := &Gateway{assigner: o.Assigner, tracer: o.Tracer, metrics: o.Metrics, access: o.Access, shadow: o.Shadow, log: o.Logger}
	if g.tracer == nil {
		g.tracer = telemetry.NewTracer(telemetry.TracerOptions{})
	}
	if g.metrics == nil {
		g.metrics = telemetry.NewMetrics()
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	g.books.init(cmp.Or(o.Name, "gateway"), o.Assigner.Salt("networks"))
	g.recovery = newRecoveryMetrics(g.metrics)
	g.reserve.bytes = shadow.NewBudget(fallbackBytes)
	p, _, err := g.compile(o.Table, nil)
	if err != nil {
		return nil, err
	}
	g.snapshot.Store(p.at(o.Table, o.State, 1))
	g.assigner.Publish(o.State, o.Table.Plans)
	g.metrics.Gauge("ficus_in_flight_requests", "Requests being served.", func() float64 { return float64(g.InFlight()) })
	g.metrics.Gauge("ficus_open_tunnels", "Upgraded connections, WebSockets among them.", func() float64 { return float64(g.tunnels.count()) })
	return g, nil
}

// Snapshot returns the current snapshot.
func (g *Gateway) Snapshot() *Snapshot { return g.snapshot.Load() }

// InFlight returns the number of requests being served, upgraded connections included.
func (g *Gateway) InFlight() int64 { return g.inflight.sum() }

// Install replaces the table. Everything that can fail happens before the
// swap: after an error the gateway serves as before. Requests under way keep
// the table that they began with, and upstreams that did not change keep
// their connections.
func (g *Gateway) Install(t *routes.Table) error {
	g.swap.Lock()
	defer g.swap.Unlock()
	old := g.snapshot.Load()
	p, _, err := g.compile(t, old.plan.upstreams)
	if err != nil {
		return err
	}
	g.assigner.Publish(old.State, t.Plans)
	g.snapshot.Store(p.at(t, old.State, old.Number+1))
	for name, u := range old.plan.upstreams {
		if p.upstreams[name] != u {
			go u.Close() // waits for its health checks; exchanges under way run to their end
		}
	}
	keep := make(map[string]string, len(t.Routes))
	for _, r := range t.Routes {
		keep[r.ID] = r.Migration
	}
	g.metrics.Forget(func(id, migration string) bool {
		m, ok := keep[id]
		return !ok || m != migration
	})
	return nil
}

// Apply replaces the state. States must come in the order of the log.
func (g *Gateway) Apply(s migrations.State) {
	g.swap.Lock()
	defer g.swap.Unlock()
	old := g.snapshot.Load()
	if s.Seq < old.State.Seq {
		return
	}
	g.assigner.Publish(s, old.Table.Plans)
	next := old.plan.at(old.Table, s, old.Number+1)
	g.snapshot.Store(next)
	g.leave(old, next)
}

// leave closes the upgraded connections of services that nobody is on any
// more after a rollback, where the plan says so.
func (g *Gateway) leave(before, now *Snapshot) {
	for i, mp := range now.plan.migrations {
		if !mp.Rollback.Close {
			continue
		}
		for j := range now.standings[i].cells {
			was, is := &before.standings[i].cells[j], &now.standings[i].cells[j]
			if was.share > 0 && is.share == 0 && is.state != nil && is.state.RolledBack {
				g.tunnels.leave(is.book, is.name)
			}
		}
	}
}

// Upstreams returns the upstreams of the current table, by name.
func (g *Gateway) Upstreams() map[string]*upstream.Upstream { return g.snapshot.Load().plan.upstreams }

// Drain tells clients to close their connections after the answer under way;
// it does not wait.
func (g *Gateway) Drain() { g.draining.Store(true) }

// Close ends what the gateway keeps open: first it waits until ctx ends for
// upgraded connections to be closed by their users, then it closes them.
func (g *Gateway) Close(ctx context.Context) {
	g.draining.Store(true)
	g.tunnels.drain(ctx)
	for _, u := range g.snapshot.Load().plan.upstreams {
		u.Close()
	}
}
