package app

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// TestAnAcknowledgedChangeCountsForTheNextRequest: whoever was told that a
// shift or a rollback is applied never sees the other side again, while others
// ask as well. The waits are logged.
func TestAnAcknowledgedChangeCountsForTheNextRequest(t *testing.T) {
	t.Parallel()
	changes := full(1000, 100)
	g := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  orders: {from: monolith, to: orders, key: url}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`, named(t, "monolith"), named(t, "orders")))

	// Change n puts everybody on the service if n is odd, and back if it is even.
	var begun, acknowledged atomic.Int64
	var stop atomic.Bool
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop.Store(true)
	for range 8 {
		client := browser(t)
		clients.Go(func() {
			for !stop.Load() {
				before := acknowledged.Load()
				text, err := read(client, g.url+"/orders/7")
				after := begun.Load()
				if err != nil {
					t.Errorf("a request fails: %v", err)
					return
				}
				if after == before && strings.HasPrefix(text, "orders ") != (before%2 == 1) {
					t.Errorf("after change %d: %s", before, text)
				}
			}
		})
	}

	var acks, firsts []time.Duration
	client := browser(t)
	m, err := g.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	seq := m.Seq
	for n := range int64(changes) {
		asked := time.Now()
		begun.Store(n + 1)
		var done dashboard.Change
		if n%2 == 0 {
			done, err = g.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Complete, Buckets: migrations.Buckets}}, "forward", seq)
		} else {
			done, err = g.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "back"})
		}
		acked := time.Now()
		if err != nil || !done.Applied {
			t.Fatalf("change %d: %+v, %v", n, done, err)
		}
		acknowledged.Store(n + 1)
		if seq = done.Seq; done.Migration.RolledBack { // or nobody could move again
			settled, err := g.client.Resume(t.Context(), "orders", "settled", seq)
			if err != nil {
				t.Fatal(err)
			}
			seq = settled.Seq
		}
		text, err := read(client, g.url+"/orders/7")
		if err != nil || strings.HasPrefix(text, "orders ") != (n%2 == 0) {
			t.Fatalf("after change %d: %s, %v", n+1, text, err)
		}
		acks, firsts = append(acks, acked.Sub(asked)), append(firsts, time.Since(acked))
	}
	t.Logf("from asking for a change to its acknowledgement: %s", quantiles(acks))
	t.Logf("from the acknowledgement to an answer of the new side: %s", quantiles(firsts))
}

func quantiles(d []time.Duration) string {
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(int(q*float64(len(d))), len(d)-1)].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, most %v", at(0.5), at(0.99), at(1))
}
