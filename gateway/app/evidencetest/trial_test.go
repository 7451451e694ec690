package evidencetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/app"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// patience bounds every wait of a trial for something that must come.
const patience = 60 * time.Second

// Settings are what a case adds to the config.
type settings struct {
	ramp      string // of the migration; empty: one step of the case's share that holds for an hour
	guard     string // of the migration, as in "latency: off"
	migration string // more of it, as in "data: shared, writes: follow"
	route     string // more of it, as in "repeatable: true"
	fallback  bool   // the monolith answers what the service does not; else every failure is the user's
	upstream  string // more of both upstreams, as in "timeout: {response: 300ms}"
}

// A trial is a gateway between two applications, and the users before it.
type trial struct {
	*app.Process
	t                 *testing.T
	dir               string
	plan              migrations.Plan
	client            *client.Client
	street            *street
	monolith, service *side
	log               buffer
	ctx               context.Context
	stop              context.CancelFunc
	seen              *events
}

type buffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// prepare opens both sides of a case and the gateway between them, whose ramp
// has begun.
func prepare(t *testing.T, f *fault) *trial {
	t.Helper()
	tr := &trial{t: t, dir: t.TempDir()}
	well := http.Handler(http.HandlerFunc(shop))
	if f.both != nil {
		well = f.both(well)
	}
	tr.monolith, tr.service = open(t, well, f.monolith), open(t, well, f.service)
	others := make([]*side, 0, f.replicas)
	for range f.replicas {
		others = append(others, open(t, well, nil))
	}
	tr.write(f, others)
	if f.warm > 0 {
		tr.start()
		tr.wait("the warm-up", tr.street.send(tr.ctx, f.visits, 1<<40, f.warm).over())
		tr.end()
		tr.age()
	}
	tr.start()
	t.Cleanup(tr.end)
	table, err := routes.Load(filepath.Join(tr.dir, "ficus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tr.plan = *table.Plans["shop"]
	m, err := tr.client.Migration(tr.ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.client.Resume(tr.ctx, "shop", "the trial begins", m.Seq); err != nil {
		t.Fatal(err)
	}
	tr.until("the first step", func() bool { return tr.seen.course().Step == 1 })
	return tr
}

// write writes the config.
func (tr *trial) write(f *fault, others []*side) {
	ramp := f.ramp
	if ramp == "" {
		ramp = fmt.Sprintf("{stage: live, share: %g%%, hold: 1h}, {stage: complete}", f.live)
	}
	route, fallback := "", "fallback: {off: true}"
	if f.route != "" {
		route = ", " + f.route
	}
	if !f.fallback {
		route += ", " + fallback
	}
	migration := f.migration
	if migration != "" {
		migration = ", " + migration
	}
	if f.guard != "" {
		migration += ", guard: {" + f.guard + "}"
	}
	upstream := f.upstream
	if f.visits.grpc {
		upstream = strings.TrimPrefix(upstream+", protocol: http2", ", ")
	}
	if upstream != "" {
		upstream = ", " + upstream
	}
	urls := []string{`"http://` + tr.service.address + `"`}
	for _, o := range others {
		urls = append(urls, `"http://`+o.address+`"`)
	}
	config := fmt.Sprintf(`
listen: {address: 127.0.0.1:0, h2c: %[1]t}
admin: {address: 127.0.0.1:0, socket: none}
state: file:%[2]s/ficus.events
secret: the same in every run of it
upstreams:
  monolith: {url: "http://%[3]s"%[5]s}
  shop: {url: [%[4]s]%[5]s}
migrations:
  shop: {from: monolith, to: shop, key: header:X-User, ramp: [%[6]s]%[7]s}
routes:
  - {path: /*, migration: shop%[8]s}
`, f.visits.grpc, tr.dir, tr.monolith.address, strings.Join(urls, ", "), upstream, ramp, migration, route)
	if err := os.WriteFile(filepath.Join(tr.dir, "ficus.yaml"), []byte(config), 0o600); err != nil {
		tr.t.Fatal(err)
	}
	tr.street = &street{grpc: f.visits.grpc}
}

// start runs the gateway.
func (tr *trial) start() {
	tr.t.Helper()
	path := filepath.Join(tr.dir, "ficus.yaml")
	tr.ctx, tr.stop = context.WithCancel(tr.t.Context())
	var err error
	tr.Process, err = app.Start(tr.ctx, app.Config{
		Path: path, Load: func() (*routes.Table, error) { return routes.Load(path) }, Logger: slog.New(slog.NewJSONHandler(&tr.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	if tr.client, err = client.New("http://"+tr.AdminAddrs()[0].String(), tr.Token(), "ada"); err != nil {
		tr.t.Fatal(err)
	}
	tr.street.close()
	tr.street = &street{gateway: tr.Addrs()[0].String(), grpc: tr.street.grpc}
	tr.seen = &events{news: make(chan struct{}, 1), ended: make(chan struct{})}
	go tr.seen.follow(tr.ctx, tr.Events()) // ends with stop
}

// end ends the gateway. A second time does nothing.
func (tr *trial) end() {
	if tr.Process == nil {
		return
	}
	tr.stop()
	<-tr.seen.ended
	tr.street.close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = tr.Shutdown(ctx) // requests that hang are cut off
	tr.client.Close()
	tr.Process = nil
}

// age makes the latencies that were measured in the warm-up five minutes older:
// a guard believes those of the past alone, and a test can't wait for it.
func (tr *trial) age() {
	path := filepath.Join(tr.dir, "ficus.counts")
	text, err := os.ReadFile(path)
	if err != nil {
		tr.t.Fatal(err)
	}
	var all any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		tr.t.Fatal(err)
	}
	older(all)
	if text, err = json.Marshal(all); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

// older takes five minutes from the slots of every window in a text of JSON:
// one of the slots of an hour, thirty of the recent ones.
func older(v any) {
	by := map[string]int64{"hour": 1, "recent": 30}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			older(x)
		}
	case map[string]any:
		for name, x := range v {
			spans, ok := x.([]any)
			if slots := by[name]; ok && slots > 0 {
				for _, s := range spans {
					if span, ok := s.(map[string]any); ok {
						if at, err := span["at"].(json.Number).Int64(); err == nil {
							span["at"] = at - slots
						}
					}
				}
				continue
			}
			older(x)
		}
	}
}

// wait waits for something that must come.
func (tr *trial) wait(what string, over <-chan struct{}) {
	tr.t.Helper()
	select {
	case <-over:
	case <-time.After(patience):
		tr.t.Fatalf("in vain: %s", what)
	}
}

// until waits for something that the log must say.
func (tr *trial) until(what string, holds func() bool) {
	tr.t.Helper()
	end := time.After(patience)
	for !holds() {
		select {
		case <-tr.seen.news:
		case <-end:
			tr.t.Fatalf("in vain: %s", what)
		}
	}
}
