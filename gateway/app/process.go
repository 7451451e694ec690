package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/web"
	"github.com/ficus-gateway/ficus/gateway/notify"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// Config says what a process runs.
type Config struct {
	Load   func() (*routes.Table, error) // reads the config; called again at every reload
	Path   string                        // config file to watch; empty: none
	Access io.Writer                     // the access log; nil: none
	Logger *slog.Logger                  // required
	Certs  time.Duration                 // how often certificate files are looked at; 0: every 5 s

	// Provider evaluates flags in place of the event log; nil: what the config
	// names does. See [WithProvider].
	Provider openfeature.FeatureProvider

	// Takeover has the process take over from one that uses the same state, if
	// one runs; see [Process.TakenOver] for the other end.
	Takeover bool
	// Successor is the command line of a process that is to take over from this
	// one; empty: nobody can.
	Successor []string
}

// A Process is a running gateway with its log, its listeners and its admin API.
type Process struct {
	config   Config
	log      *slog.Logger
	source   *routes.Source
	started  *routes.Table // the first table, whose Server is in force until the end
	events   eventLog
	shared   *shared // nil: the log is a file of this gateway alone
	follower *migrations.Follower
	gateway  *gateway.Gateway
	assigner *flags.Assigner
	flags    flagSource
	rulings  *rulings
	tools    *instruments
	access   *telemetry.AccessLog
	certs    *certificates
	shadow   *shadow.Shadow
	trips    *trips
	lags     *lags
	polls    *polls
	teller   *notify.Teller
	peaks    peaks
	holding  holding
	measures measures
	counted  string // file that keeps what was counted
	found    string // file that keeps what the shadow has found
	token    access.Token
	pages    *web.Pages
	door     *access.Door // of the admin listeners
	signs    []byte       // the secret that cookies are signed with

	public  []net.Listener
	sockets []*socket // below TLS: of the public ones, of the admin's, and for takeovers
	admin   []net.Listener
	server  []*http.Server // public ones, then the admin's
	kept    []*kept        // their connections

	came      []*socket           // from the incumbent, or from the supervisor
	succeeds  *succession         // until this process serves; nil: it takes over from nobody
	incumbent *takeover.Incumbent // nil: nobody can take over
	tenure    *tenure             // of the log in a file; nil: it is in Redis
	desk      desk
	duties    duties
	handed    *handed

	accepting []chan struct{} // by server, closed when it accepts no more

	stop      context.CancelFunc // ends the background
	tasks     sync.WaitGroup     // of the background and the servers
	failed    chan error         // what makes the process end by itself; buffered
	draining  atomic.Bool
	unsettled atomic.Bool // the log may lack what the config says
	reloads   reloads
}

// Start opens everything and serves. What can fail fails here, before the
// first request.
func Start(ctx context.Context, c Config) (_ *Process, err error) {
	p := &Process{config: c, log: c.Logger, failed: make(chan error, 8)}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.handed = newHanded()
	defer func() {
		if err != nil {
			p.abandon()
			p.succeeds.abandon(err)
		}
	}()
	if p.source, err = routes.Open(c.Path, c.Load); err != nil {
		return nil, err
	}
	table := p.source.Table()
	p.started = table
	if err := p.supervised(); err != nil {
		return nil, err
	}
	if err := p.succeed(ctx, table); err != nil {
		return nil, err
	}
	if err := p.openState(ctx, table); err != nil {
		return nil, err
	}
	if err := p.openGateway(ctx, table); err != nil {
		return nil, err
	}
	if err := p.openListeners(table); err != nil {
		return nil, err
	}
	if err := p.openOwn(table); err != nil {
		return nil, err
	}
	p.openTakeover(table)
	if err := p.strangers(); err != nil {
		return nil, err
	}
	taken, err := p.succeeds.serving()
	if err != nil {
		return nil, err
	}
	p.ours()
	p.background(background)
	if p.shared != nil || taken {
		p.align(ctx, table)
	} else if err := p.reconcile(ctx, table); err != nil {
		return nil, err
	}
	p.serve(table)
	p.offer(background)
	return p, nil
}

// openGateway makes the data plane.
func (p *Process) openGateway(ctx context.Context, t *routes.Table) (err error) {
	secret := []byte(t.Server.Secret)
	if len(secret) == 0 {
		if secret, err = p.secret(ctx, filepath.Join(t.Server.Beside(), "ficus.secret")); err != nil {
			return err
		}
	}
	p.signs = secret
	if p.flags, err = p.openFlags(ctx, t); err != nil {
		return err
	}
	p.rulings = newRulings(p.flags)
	if p.assigner, err = p.assign(t, secret); err != nil {
		return err
	}
	if p.tools, err = newInstruments(ctx, t.Server.Telemetry, providerName(p.flags)); err != nil {
		return err
	}
	if p.config.Access != nil {
		p.access = telemetry.NewAccessLog(p.config.Access, telemetry.AccessOptions{})
	}
	if err := p.openShadow(t, secret); err != nil {
		return err
	}
	p.shareFindings()
	p.gateway, err = gateway.New(gateway.Options{
		Name: p.name(), Table: t, State: p.follower.State(), Assigner: p.assigner,
		Tracer: p.tools.tracer, Metrics: p.tools.metrics, Access: p.access, Shadow: p.shadow, Logger: p.log,
	})
	if err != nil {
		return err
	}
	p.lags = newLags(func() map[string]*migrations.Plan { return p.source.Table().Plans }, p.gateway.Lags, p.log)
	p.lags.news = p.tellOfLag
	p.polls = newPolls(func() map[string]*migrations.Plan { return p.source.Table().Plans }, p.gateway.Testing, p.gateway.Polled, p.log)
	p.recall(filepath.Join(t.Server.Beside(), "ficus.counts"))
	if p.shared != nil {
		p.shared.count(p.owns)
	}
	if err := p.openTeller(t); err != nil {
		return err
	}
	p.openTrips(filepath.Join(t.Server.Beside(), "ficus.trips"))
	p.startedWith(p.follower.State())
	p.gauges()
	p.measure(p.tools.metrics)
	p.flags.measure(p.tools.metrics)
	return nil
}

// openListeners binds all addresses, so that a taken port is known before
// anything is served.
func (p *Process) openListeners(t *routes.Table) (err error) {
	p.certs = newCertificates(p.log)
	for _, l := range t.Server.Listen {
		if err := p.certs.load(l.TLS); err != nil {
			return err
		}
		socket, err := p.socket(l.Network, l.Address, 0o666)
		if err != nil {
			return err
		}
		p.sockets = append(p.sockets, socket)
		p.public = append(p.public, listen(socket.Listener, l, p.certs))
		server := p.gateway.Server(l)
		p.server = append(p.server, server)
		p.kept = append(p.kept, watch(server))
	}
	a := t.Server.Admin
	if a.Address == "" && a.Socket == "" {
		return nil
	}
	if p.token, err = access.LoadOrCreateToken(a.Token); err != nil {
		return err
	}
	if err := p.openDoor(t.Server); err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	if err := p.openPages(); err != nil {
		return err
	}
	for _, at := range [...]struct {
		network, address string
		mode             os.FileMode
	}{{"tcp", a.Address, 0}, {"unix", a.Socket, 0o600}} {
		if at.address == "" {
			continue
		}
		socket, err := p.socket(at.network, at.address, at.mode)
		if err != nil {
			return fmt.Errorf("admin: %w", err)
		}
		ln := socket.Listener
		if at.network == "tcp" {
			ln = listen(ln, routes.Listener{TLS: a.TLS}, p.certs)
		}
		p.sockets = append(p.sockets, socket)
		p.admin = append(p.admin, ln)
		handler, err := p.adminHandler(t, ln)
		if err != nil {
			return err
		}
		server := &http.Server{
			Handler:           p.desk.before(handler, socket.Addr(), at.network == "tcp" && len(a.TLS) > 0),
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		}
		p.server = append(p.server, server)
		p.kept = append(p.kept, watch(server))
	}
	return nil
}

// background starts what runs beside the servers: the follower, the ramps and
// guards, the config watch and the certificate watch.
func (p *Process) background(ctx context.Context) {
	p.tasks.Go(func() {
		err := p.follower.Run(ctx, func(s migrations.State, e migrations.Event) {
			p.apply(ctx, s, e)
			p.applied(e)
			p.rulings.look()
			p.log.Info("event applied", "seq", e.Seq, "migration", e.Migration, "kind", e.Kind,
				"split", splitText(e), "actor", e.Actor, "reason", e.Reason)
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, migrations.ErrClosed) {
			// Law 4: the last state serves on. Nothing moves any more, and readiness says so.
			p.log.Error("the event log is no longer followed; serving by the last state", "error", err)
		}
	})
	p.begin(ctx)
	if p.door != nil {
		p.tasks.Go(func() { p.pages.Run(ctx) })
	}
	p.tasks.Go(func() { p.lags.run(ctx) })
	p.tasks.Go(func() { p.polls.run(ctx) })
	p.tasks.Go(func() { p.certs.watch(ctx, cmp.Or(p.config.Certs, 5*time.Second)) })
	if p.config.Path != "" {
		p.tasks.Go(func() {
			ctx := p.handed.until(ctx)
			if err := p.source.Run(ctx, p.check, p.swapped, p.reported); err != nil && ctx.Err() == nil {
				p.log.Error("the config is no longer watched", "error", err)
			}
		})
	}
}

// begin begins what only one process may do at a time.
func (p *Process) begin(ctx context.Context) {
	all := []func(context.Context){
		func(ctx context.Context) { _ = p.decide(ctx) }, // ends with ctx
		p.settle, p.rule, p.trips.run, p.remember, p.teller.Run,
		func(ctx context.Context) { p.shadow.Keep(ctx, p.found, saveEvery, retention) },
	}
	if p.door != nil {
		all = append(all, p.door.Run)
	}
	if p.shared != nil {
		all = append(all, p.shared.keep, p.shared.tend, p.shared.tally.Run, p.shared.findings.run)
	}
	p.duties.begin(ctx, all...)
}

func splitText(e migrations.Event) string {
	if e.Split == nil {
		return ""
	}
	return e.Split.String()
}

// serve starts the servers.
func (p *Process) serve(t *routes.Table) {
	for i, ln := range append(append([]net.Listener(nil), p.public...), p.admin...) {
		server, accepting := p.server[i], make(chan struct{})
		p.accepting = append(p.accepting, accepting)
		p.tasks.Go(func() {
			defer close(accepting)
			if err := server.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) && !p.draining.Load() {
				p.failed <- fmt.Errorf("serve %s: %w", ln.Addr(), err)
			}
		})
	}
	for _, w := range t.Warnings {
		p.log.Warn("config", "warning", w.Error())
	}
	p.log.Info("serving", "version", Version(), "listen", addrs(p.public), "admin", addrs(p.admin),
		"config", t.File, "hash", t.Hash, "routes", len(t.Routes), "migrations", len(t.Plans), "seq", p.follower.State().Seq)
}

func addrs(lns []net.Listener) []string {
	var out []string
	for _, ln := range lns {
		out = append(out, ln.Addr().String())
	}
	return out
}

// Addrs returns the addresses of the public listeners.
func (p *Process) Addrs() []net.Addr { return addrsOf(p.public) }

// AdminAddrs returns the addresses of the admin listeners.
func (p *Process) AdminAddrs() []net.Addr { return addrsOf(p.admin) }

// Token returns the token that changes need.
func (p *Process) Token() access.Token { return p.token }

// Gateway returns the data plane.
func (p *Process) Gateway() *gateway.Gateway { return p.gateway }

// Events returns the event log.
func (p *Process) Events() migrations.Log { return p.events }

// Failed yields what makes the process useless: a listener that broke.
func (p *Process) Failed() <-chan error { return p.failed }

func addrsOf(lns []net.Listener) []net.Addr {
	var out []net.Addr
	for _, ln := range lns {
		out = append(out, ln.Addr())
	}
	return out
}
