package telemetry

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestFlowsTellWhatEachRouteHasSeenBySide(t *testing.T) {
	m := NewMetrics()
	orders, rest := m.Route("orders", "orders"), m.Route("rest", "")
	now := time.Now()
	observe := func(r *RouteMetrics, stage migrations.Stage, side migrations.Side, status int, fallback string, took time.Duration) {
		r.Observe(&Exchange{Stage: stage, Side: side, Status: status, Fallback: fallback, Start: now, Total: took})
	}
	observe(orders, migrations.Live, migrations.Modern, 200, "", 2*time.Millisecond)
	observe(orders, migrations.Live, migrations.Modern, 200, "status", 2*time.Millisecond) // the monolith answered
	observe(orders, migrations.Live, migrations.Modern, 499, "", time.Millisecond)         // the client went
	observe(orders, migrations.Shadow, migrations.Legacy, 502, "", time.Minute)
	observe(orders, migrations.Off, migrations.Legacy, 404, "", time.Millisecond)
	observe(rest, "", "", 0, "", time.Millisecond)
	got := map[string]Flow{}
	m.Flows(func(f Flow) { got[f.Route+" "+string(f.Side)] = f })
	for name, want := range map[string][2]uint64{"orders modern": {3, 1}, "orders legacy": {2, 1}, "rest ": {1, 1}} {
		if f := got[name]; f.Requests != want[0] || f.Broken != want[1] {
			t.Errorf("%s: %+v, want %v", name, f, want)
		}
	}
	if f := got["orders legacy"]; len(got) != 3 || f.Slow[0] != 1 || f.Slow[Latencies-1] != 1 || len(LatencyBounds()) != Latencies-1 {
		t.Errorf("%+v", got)
	}
}

// Whoever reads the counts may take as long as they like: no request, and no
// reload, waits for them.
func TestReadingFlowsHoldsNobodyUp(t *testing.T) {
	m := NewMetrics()
	r := m.Route("orders", "orders")
	r.Observe(&Exchange{Side: migrations.Modern, Status: 200})
	reading, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		m.Flows(func(Flow) { close(reading); <-done })
	}()
	<-reading
	counted := make(chan struct{})
	go func() {
		r.Observe(&Exchange{Side: migrations.Modern, Status: 200})
		m.Route("cart", "cart")
		close(counted)
	}()
	select {
	case <-counted:
	case <-time.After(10 * time.Second):
		t.Fatal("a request waits for who reads the counts")
	}
}
