package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/load"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

type demoCommand struct {
	For      time.Duration `help:"End after so long. Default: run until interrupted." placeholder:"DURATION"`
	ExitCode bool          `help:"Exit with 1 if a request was lost, or a user changed sides against the ramp."`
	Listen   string        `help:"Address of the gateway; another port if it is taken. Default: ${default}." default:"127.0.0.1:8080" placeholder:"ADDR"`
	Admin    string        `help:"Address of the admin listener; another port if it is taken. Default: ${default}." default:"127.0.0.1:9900" placeholder:"ADDR"`
	Rate     float64       `help:"Requests per second of the load. Default: ${default}." default:"150" placeholder:"N"`
	Users    int           `help:"Customers with an account; half as many again have none. Default: ${default}." default:"40" placeholder:"N"`
}

// Help says what is seen.
func (demoCommand) Help() string {
	return `A shop's monolith, its extracted orders service, the gateway in front of both and customers who
buy things all run in this one process, on the loopback. The orders migration then moves by steps,
and the terminal shows who answers. The addresses and the config file are printed first: open the
shop in a browser, edit the config, or roll back from another terminal.`
}

// demoConfig is what the demo's gateway runs; %s are the addresses.
const demoConfig = `# The demo's config. Edits are live in a moment.
listen: %s
admin: {address: %s, socket: none}
state: file:%s
log: {level: warn}

upstreams:
  monolith: %s
  orders:
    url: %s
    health: {path: /healthz, every: 2s}

migrations:
  orders:
    from: monolith
    to: orders
    key: [cookie:uid, cookie:guest, anonymous]
    data: shared        # both sides see one database
    writes: follow      # so writes may go along

routes:
  - {path: /api/orders/*, migration: orders, repeatable: true}
  - {path: /*, upstream: monolith}
`

// A demoStep is one move of the demo's migration.
type demoStep struct {
	at    float64 // of the demo's time, 0 to 1
	share migrations.Share
	why   string
}

var demoSteps = []demoStep{
	{0.10, migrations.Share{Stage: migrations.Shadow, Buckets: migrations.Buckets}, "the service is ready to be looked at"},
	{0.22, migrations.Share{Stage: migrations.Live, Buckets: 5_000}, "the first users"},
	{0.38, migrations.Share{Stage: migrations.Live, Buckets: 25_000}, "no complaints"},
	{0.54, migrations.Share{Stage: migrations.Live, Buckets: 50_000}, "half of them"},
	{0.70, migrations.Share{Stage: migrations.Live, Buckets: 95_000}, "nearly all, a control remains"},
	{0.85, migrations.Share{Stage: migrations.Complete, Buckets: migrations.Buckets}, "orders has left the monolith"},
}

// Run shows a migration moving.
func (d demoCommand) Run(c *call) error {
	dir, err := os.MkdirTemp("", "ficus-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	stage, err := d.set(c.ctx, dir)
	if err != nil {
		return err
	}
	defer stage.strike()
	stage.announce(c)

	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	span := d.For
	if span == 0 {
		span = time.Minute // of the moves; the load goes on
	} else {
		ctx, cancel = context.WithTimeout(ctx, d.For)
		defer cancel()
	}
	customers, err := load.New(load.Config{Target: stage.shop, Users: d.Users, Guests: d.Users / 2, Rate: d.Rate, Timeout: 10 * time.Second, Seed: 1})
	if err != nil {
		return err
	}
	done := make(chan *load.Report, 1)
	go func() { done <- customers.Run(ctx) }()
	moved := make(chan error, 1)
	go func() { moved <- stage.move(ctx, span, c) }()
	stage.watch(ctx, c, customers)
	report := <-done
	if err := <-moved; err != nil && ctx.Err() == nil {
		return err
	}
	return d.verdict(c, stage, report)
}

// A demoStage is what the demo plays on.
type demoStage struct {
	dir     string
	config  string
	shop    string // URL of the gateway
	admin   string
	process *Process
	client  *client.Client
	servers []*http.Server
}

// set starts the two applications and the gateway.
func (d demoCommand) set(ctx context.Context, dir string) (_ *demoStage, err error) {
	s := &demoStage{dir: dir, config: filepath.Join(dir, "ficus.yaml")}
	defer func() {
		if err != nil {
			s.strike()
		}
	}()
	store, err := shop.Open(shop.Options{Seed: 1})
	if err != nil {
		return nil, err
	}
	old, err := s.play(monolith.New(store))
	if err != nil {
		return nil, err
	}
	extracted, err := s.play(orders.New(store))
	if err != nil {
		return nil, err
	}
	listen, admin := freeAddress(d.Listen), freeAddress(d.Admin)
	text := fmt.Sprintf(demoConfig, listen, admin, filepath.Join(dir, "ficus.events"), old, extracted)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	log, err := telemetry.NewLogger(os.Stderr, "warn", "")
	if err != nil {
		return nil, err
	}
	s.process, err = Start(ctx, Config{
		Path:   s.config,
		Load:   func() (*routes.Table, error) { return routes.Load(s.config) },
		Logger: log,
	})
	if err != nil {
		return nil, err
	}
	s.shop, s.admin = "http://"+s.process.Addrs()[0].String(), s.process.AdminAddrs()[0].String()
	s.client, err = client.New(s.admin, s.process.Token(), "demo")
	return s, err
}

// play serves an application on a free port and returns its URL.
func (s *demoStage) play(app http.Handler) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(ln) }() // ends with strike
	return "http://" + ln.Addr().String(), nil
}

// freeAddress returns address, or one of the same host with a free port if it is taken.
func freeAddress(address string) string {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		host, _, _ := net.SplitHostPort(address)
		if ln, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return address // and let the gateway say why not
		}
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (s *demoStage) announce(c *call) {
	c.printf("the shop     %s   (log in as %s, password %q)", s.shop, shop.Email(1), shop.Password)
	c.printf("the gateway  http://%s   (admin)", s.admin)
	c.printf("its config   %s", s.config)
	c.printf("roll back    ficus rollback orders --why test --admin %s --token-file %s\n", s.admin, filepath.Join(s.dir, "ficus.token"))
}

// move makes the moves, as an operator would: by the admin API.
func (s *demoStage) move(ctx context.Context, span time.Duration, c *call) error {
	start := time.Now()
	for _, step := range demoSteps {
		select {
		case <-time.After(time.Until(start.Add(time.Duration(step.at * float64(span))))):
		case <-ctx.Done():
			return nil
		}
		m, err := s.client.Migration(ctx, "orders")
		if err != nil {
			return err
		}
		if m.RolledBack {
			c.printf("orders was rolled back: the demo moves it no further")
			return nil
		}
		done, err := s.client.Shift(ctx, "orders", []migrations.Share{step.share}, step.why, m.Seq)
		if err != nil {
			return err
		}
		c.printf("── event %d: orders to %s (%s)", done.Seq, done.Migration.Split, step.why)
	}
	return nil
}

// watch prints a line a second.
func (s *demoStage) watch(ctx context.Context, c *call, customers *load.Load) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var before side
	start := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r := customers.Snapshot()
		now := sides(r)
		split := "unknown"
		if m, ok := s.process.follower.State().Migrations["orders"]; ok {
			split = m.Split.String()
		}
		c.printf("%4.0fs  %s  %-22s  %6d requests, %d failed, p99 %v", time.Since(start).Seconds(),
			bar(now.legacy-before.legacy, now.modern-before.modern), split, r.Requests, r.Failed(), r.Latency.P99.Round(100*time.Microsecond))
		before = now
	}
}

// A side counts who answered the requests of the migration.
type side struct{ legacy, modern int }

func sides(r *load.Report) (s side) {
	for name, route := range r.Routes {
		if len(name) >= len("/api/orders") && name[:len("/api/orders")] == "/api/orders" {
			s.legacy += route.Sides[monolith.Name]
			s.modern += route.Sides[orders.Name]
		}
	}
	return s
}

// bar draws how the last second's orders were shared out.
func bar(legacy, modern int) string {
	const width = 20
	filled := 0
	if sum := legacy + modern; sum > 0 {
		filled = (modern*width + sum/2) / sum
	}
	cells := make([]rune, width)
	for i := range cells {
		cells[i] = '░'
		if i < filled {
			cells[i] = '█'
		}
	}
	return fmt.Sprintf("monolith %3d %s %-3d orders", legacy, string(cells), modern)
}

// verdict says how it went.
func (d demoCommand) verdict(c *call, s *demoStage, r *load.Report) error {
	c.printf("\n%s", r)
	turned := r.TurnedBack(time.Time{}, time.Time{})
	state := s.process.follower.State().Migrations["orders"]
	if state.RolledBack {
		turned = nil // then they were meant to turn
	}
	for _, f := range r.Examples {
		c.printf("failed: %s %s (%s): %s", f.Customer, f.Route, f.Side, f.Text)
	}
	for _, t := range turned {
		c.printf("against the ramp: %s", t)
	}
	switch {
	case r.Failed() > 0 || len(turned) > 0:
		c.printf("%d requests failed, %d users changed sides against the ramp", r.Failed(), len(turned))
		if d.ExitCode {
			return exitCode{code: exitFailed}
		}
	case d.ExitCode && r.Requests == 0:
		return errors.New("the load made no request")
	default:
		c.printf("no request was lost, and nobody changed sides against the ramp; orders is at %s", state.Split)
	}
	return nil
}

// strike ends everything.
func (s *demoStage) strike() {
	if s.client != nil {
		s.client.Close()
	}
	if s.process != nil {
		_ = s.process.Shutdown(context.Background())
	}
	for _, server := range s.servers {
		_ = server.Close()
	}
}
