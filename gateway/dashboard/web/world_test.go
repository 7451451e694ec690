package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/app"
	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// A world is a monolith, a service, a gateway in front of them, and people.
type world struct {
	*app.Process
	t      testing.TB
	dir    string
	config string // path of the config file
	public string // URL of the gateway
	admin  string // URL of its admin listener
	client *client.Client
	log    buffer
	ends   bool
}

// A buffer is written by one goroutine and read by another.
type buffer struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// usual is the config of most tests; $MONOLITH and $SERVICE are URLs, $LISTEN
// and $ADMIN addresses.
const usual = `listen: $LISTEN
admin: {address: $ADMIN, socket: none}
state: file:$DIR/ficus.events
upstreams:
  monolith: $MONOLITH
  orders: $SERVICE
migrations:
  orders:
    from: monolith
    to: orders
    key: ["cookie:uid"]
    owner: team-orders
    compare: {keep: ["$.total"]}
    ramp:
      - {stage: shadow, share: 100%, hold: 1h}
      - {stage: live, share: 25%, requests: 300, hold: 1h}
      - {stage: live, share: 50%, hold: 1h, approve: true}
      - {stage: complete}
  cart: {from: monolith, to: orders, key: ["cookie:uid"]}
routes:
  - {path: /api/orders/*, migration: orders, repeatable: true}
  - {path: /api/cart/*, migration: cart, repeatable: true}
  - {path: /*, upstream: monolith}
`

// begin runs a world by a config.
func begin(t testing.TB, config string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.config = filepath.Join(w.dir, "ficus.yaml")
	apps := map[string]string{"$MONOLITH": "12.50", "$SERVICE": "12.05"}
	for name, total := range apps {
		s := httptest.NewServer(shop(name == "$SERVICE", total))
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		config = strings.ReplaceAll(config, name, s.URL)
	}
	config = strings.NewReplacer("$LISTEN", free(t), "$ADMIN", free(t), "$DIR", w.dir).Replace(config)
	w.edit(config)
	w.start()
	t.Cleanup(w.end)
	return w
}

// shop answers as a side does: the service's total is another, and it lacks a note.
func shop(service bool, total string) http.Handler {
	side, note := "legacy", `,"note":"thank you"`
	if service {
		side, note = "modern", ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Side", side)
		if strings.HasSuffix(r.URL.Path, "/missing") {
			http.NotFound(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/hostile") { // names and values that no people would choose
			name, _ := json.Marshal(evil + strings.Repeat("k", 20_000))
			value, _ := json.Marshal(evil + side)
			fmt.Fprintf(w, `{%s:%s,"total":%s}`, name, value, value)
			return
		}
		fmt.Fprintf(w, `{"items":[{"sku":"A-1","quantity":2}],"total":"%s"%s}`, total, note)
	})
}

// start starts the gateway, for the first time or again.
func (w *world) start() {
	w.t.Helper()
	var err error
	for range 50 { // the ports may not be free again at once
		w.Process, err = app.Start(w.t.Context(), app.Config{
			Path: w.config, Load: func() (*routes.Table, error) { return routes.Load(w.config) },
			Logger: slog.New(slog.NewJSONHandler(&w.log, nil)),
		})
		if err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.ends = true
	w.public, w.admin = "http://"+w.Addrs()[0].String(), "http://"+w.AdminAddrs()[0].String()
	if w.client, err = client.New(w.admin, w.Token(), "ada"); err != nil {
		w.t.Fatal(err)
	}
}

// end ends the gateway.
func (w *world) end() {
	if !w.ends {
		return
	}
	w.ends = false
	w.client.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.Shutdown(ctx)
}

// edit writes the config as an editor does.
func (w *world) edit(config string) {
	w.t.Helper()
	if err := os.WriteFile(w.config+"~", []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.config+"~", w.config); err != nil {
		w.t.Fatal(err)
	}
}

// free returns an address that was free a moment ago.
func free(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// visit sends requests of so many people and returns how many the service answered.
func (w *world) visit(path string, people int) (modern int) {
	w.t.Helper()
	for i := range people {
		if w.side(path, fmt.Sprint("u", i)) == "modern" {
			modern++
		}
	}
	return modern
}

// side returns who answers one person.
func (w *world) side(path, uid string) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.public+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "uid", Value: uid})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.Header.Get("X-Side")
}

// shift moves a migration, as ada does by the command.
func (w *world) shift(id, shares, why string) {
	w.t.Helper()
	list, err := migrations.ParseShares(strings.Fields(shares)...)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.client.Shift(w.t.Context(), id, list, why, w.one(id).Seq); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) one(id string) dashboard.Migration {
	w.t.Helper()
	m, err := w.client.Migration(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// last returns the newest event.
func (w *world) last() dashboard.Event {
	w.t.Helper()
	h, err := w.client.History(w.t.Context(), dashboard.Filter{Limit: 1})
	if err != nil || len(h.Events) == 0 {
		w.t.Fatalf("%v, %v", h, err)
	}
	return h.Events[0]
}

// session signs somebody in and returns the cookie.
func (w *world) session(name string) *http.Cookie {
	w.t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.PostForm(w.admin+"/login", url.Values{"token": {w.Token().Reveal()}, "name": {name}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if len(res.Cookies()) == 0 {
		w.t.Fatalf("no session: %s", res.Status)
	}
	return res.Cookies()[0]
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// read returns the body of an answer.
func read(t testing.TB, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
