package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
	"github.com/ficus-gateway/ficus/examples/shop/monolith"
	"github.com/ficus-gateway/ficus/examples/shop/orders"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// demoConfig is what the demo's gateway runs. The steps are a thousand times
// shorter than usual; the mathematics is the usual one.
const demoConfig = `# The demo's config. Edits are live in a moment.
listen: %[1]s
admin: {address: %[2]s, socket: none}
state: file:%[3]s
log: {level: error}
trusted_proxies: [127.0.0.1/32]      # so that the customers here are told when the monolith answered in place of the service

upstreams:
  monolith: %[4]s
  orders:
    url: %[5]s
    health: {path: /healthz, every: 2s}

migrations:
  orders:
    from: monolith
    to: orders
    key: [cookie:uid, cookie:guest, anonymous]
    data: shared                     # both sides see one database
    writes: follow                   # so writes may go along
    auto: true                       # the ramp begins without a person
    ramp:
      - {stage: shadow, observations: 60, hold: %[6]s}
      - {stage: live, share: 10%%, hold: 3s}
      - {stage: live, share: 25%%, hold: 3s}
      - {stage: live, share: 50%%, hold: %[6]s}
      - {stage: live, share: 95%%, hold: %[6]s}
      - {stage: complete}
    guard:
      false_alarm: 1%%                # chance of ever rolling back a service that is as good as the monolith
      latency: {quantile: p90, worse_by: 100%%}   # a p99 takes a thousand requests to know
      mismatches: {at_most: 5%%}      # fewer are not told by the customers that come in a minute
      blip: 0s                        # no service is restarted here
      objective: 80%%                 # three bugs within a minute would use up the error budget of a month
    rollback: {to: shadow, retry: %[7]s, retries: 5}

routes:
  - {path: /api/orders/*, migration: orders, repeatable: true, fallback: {unsafe: true}}
  - {path: /*, upstream: monolith}
`

// A demoStage is what the demo plays on.
type demoStage struct {
	dir     string
	config  string
	shop    string // URL of the gateway
	admin   string
	process *Process
	service *orders.Service
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
	store, err := shop.Open(shop.Options{Seed: 1, Customers: max(d.Users, 100)})
	if err != nil {
		return nil, err
	}
	s.service = orders.New(store)
	old, err := s.play(monolith.New(store))
	if err != nil {
		return nil, err
	}
	extracted, err := s.play(s.service)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(demoConfig, freeAddress(d.Listen), freeAddress(d.Admin), filepath.Join(dir, "ficus.events"), old, extracted, d.pace(), d.pace())
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	log, err := telemetry.NewLogger(os.Stderr, "error", "")
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
	return s, nil
}

// working has an application take as long as one does that asks a database, from
// 5 to 25 ms. Answers in microseconds would be slow whenever this machine has
// something else to do.
func working(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(5*time.Millisecond + rand.N(20*time.Millisecond))
		app.ServeHTTP(w, r)
	})
}

// play serves an application on a free port and returns its URL.
func (s *demoStage) play(app http.Handler) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: working(app), ReadHeaderTimeout: 10 * time.Second}
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

func (s *demoStage) announce(out *screen, d demoCommand) {
	out.line("A shop's monolith, its extracted orders service, Ficus in front of both and %d customers.", d.Users+d.Users/2)
	out.line("")
	out.line("  the shop    %s   log in as %s, password %q", out.bold(s.shop), shop.Email(1), shop.Password)
	out.line("  the admin   http://%s", s.admin)
	out.line("  the config  %s   edits are live in a moment", s.config)
	out.line("  ask it      cd %s && export FICUS_ADMIN=%s", s.dir, s.admin)
	out.line("              ficus status | ficus history | ficus rollback orders --why test")
	out.line("")
	out.line("The ramp goes from shadow by 10, 25, 50 and 95 %% to complete. Three bugs will be planted in the")
	out.line("service on the way. From here on nobody touches anything.")
	out.line("")
}

// standing returns where the migration stands.
func (s *demoStage) standing() migrations.Migration {
	return s.process.follower.State().Migrations["orders"]
}

// waits says what the ramp waits for.
func (s *demoStage) waits() string {
	plan := s.process.source.Table().Plans["orders"]
	if plan == nil {
		return ""
	}
	reasons := migrations.Waiting(s.process.follower.State(), *plan, s.process.counts("orders"), time.Now())
	if len(reasons) == 0 {
		return ""
	}
	return reasons[0].Text
}

// strike ends everything.
func (s *demoStage) strike() {
	if s.process != nil {
		_ = s.process.Shutdown(context.Background())
	}
	for _, server := range s.servers {
		_ = server.Close()
	}
}
