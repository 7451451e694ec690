package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/notify"
)

// A pager takes what hooks are told.
type pager struct {
	url string
	mu  sync.Mutex // guards got
	got []notify.Notice
}

func newPager(t *testing.T) *pager {
	p := new(pager)
	p.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if err := notify.Verify([]byte("0123456789abcdef"), r.Header.Get("Ficus-Signature"), text, time.Now()); err != nil {
			t.Error(err)
		}
		var n notify.Notice
		if err := json.Unmarshal(text, &n); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got = append(p.got, n)
	}))
	return p
}

func (p *pager) config() string {
	return fmt.Sprintf("\nnotify: {url: %q, name: pager, secret: 0123456789abcdef}\n", p.url)
}

// heard lists what was told, as "orders created".
func (p *pager) heard() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.got {
		all = append(all, n.Migration+" "+n.Event)
	}
	return all
}

func (p *pager) has(what string) bool {
	for _, heard := range p.heard() {
		if heard == what {
			return true
		}
	}
	return false
}

func TestAHookHearsOfAMigrationFromItsBeginning(t *testing.T) {
	pager := newPager(t)
	r := start(t, anywhere+twoMigrations(t)+pager.config())
	r.shift("orders", 5)
	if _, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "complaints"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all of it is told", func() bool { return len(pager.heard()) >= 4 })
	if got := strings.Join(pager.heard(), ", "); got != "carts created, orders created, orders shifted, orders rolledback" && got != "orders created, carts created, orders shifted, orders rolledback" {
		t.Error(got)
	}
}

// Of several gateways one tells, and when it ends another goes on.
func TestOneOfSeveralGatewaysTells(t *testing.T) {
	server := newRedis(t)
	pager := newPager(t)
	config := server.together() + twoMigrations(t) + pager.config()
	first, second := start(t, config), start(t, config)
	first.shift("orders", 5)
	second.shift("orders", 10)
	eventually(t, "both shifts are told", func() bool { return len(pager.heard()) >= 4 })
	if err := first.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	second.shift("orders", 20)
	eventually(t, "the other one goes on", func() bool { return len(pager.heard()) >= 5 })
	if err := second.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	third := start(t, config)
	third.shift("orders", 30)
	eventually(t, "one that comes later goes on", func() bool { return len(pager.heard()) >= 6 })
	time.Sleep(50 * time.Millisecond)
	if got := strings.Join(pager.heard()[2:], ", "); got != "orders shifted, orders shifted, orders shifted, orders shifted" {
		t.Error(pager.heard())
	}
}

// What is in no log is told too: a rollback of one gateway alone.
func TestALocalRollbackIsTold(t *testing.T) {
	server := newRedis(t, durable...)
	pager := newPager(t)
	r := start(t, server.together()+twoMigrations(t)+pager.config())
	r.shift("orders", 5)
	eventually(t, "the shift is told", func() bool { return pager.has("orders shifted") })
	server.kill()
	done, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "complaints"})
	if err != nil || !done.LocalOnly {
		t.Fatalf("%+v, %v", done, err)
	}
	eventually(t, "the local rollback is told", func() bool { return pager.has("orders tripped") })
	server.start()
	eventually(t, "that it is over is told", func() bool { return pager.has("orders untripped") && pager.has("orders rolledback") })
}
