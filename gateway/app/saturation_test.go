package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestAMomentOfRestIsNoRoom(t *testing.T) {
	var p peaks
	now := time.Unix(1000, 0)
	if got := p.see("orders", 0.95, now); got != 0.95 {
		t.Error(got)
	}
	if got := p.see("orders", 0.1, now.Add(3*time.Second)); got != 0.95 {
		t.Error(got)
	}
	if got := p.see("carts", 0.2, now.Add(3*time.Second)); got != 0.2 {
		t.Error(got)
	}
	if got := p.see("orders", 0.1, now.Add(peakSeconds*time.Second)); got != 0.1 {
		t.Error(got)
	}
}

// A service whose connections are all in use has no room for more people.
func TestARampWaitsForRoomOnTheService(t *testing.T) {
	busy := make(chan struct{})
	service := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-busy:
		case <-r.Context().Done():
		}
	}))
	r := start(t, strings.NewReplacer("$MONOLITH", named(t, "monolith"), "$SERVICE", service).Replace(anywhere+`
upstreams: {monolith: $MONOLITH, orders: {url: $SERVICE, max_conns: 4}}
migrations:
  orders: {from: monolith, to: orders, key: "header:X-User", ramp: [{stage: live, share: 95%}, {stage: complete}], guard: {saturation: 75%}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`))
	m, err := r.client.Migration(t.Context(), "orders")
	if err == nil {
		_, err = r.client.Resume(t.Context(), "orders", "go", m.Seq)
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ramp begins", func() bool { return r.follower.State().Migrations["orders"].Step == 1 })
	var asking sync.WaitGroup
	for i := range 6 { // at most four are with the service at a time
		asking.Go(func() { fetch(r.url+"/orders/1", fmt.Sprintf("X-User: %d", i)) })
	}
	eventually(t, "it waits for room", func() bool {
		m, err := r.client.Migration(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range m.WaitsFor {
			if w.For == migrations.WaitSaturation && m.InUse >= 0.75 {
				return true
			}
		}
		return false
	})
	close(busy)
	asking.Wait()
}
