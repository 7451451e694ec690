package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
)

// TestAFlagServiceDecides: a flag service that speaks OFREP, and what becomes of
// people when it is gone.
func TestAFlagServiceDecides(t *testing.T) {
	t.Parallel()
	var stage atomic.Value
	var static, down atomic.Bool
	stage.Store("live")
	service := serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var body struct{ Context map[string]any }
		if down.Load() || json.NewDecoder(q.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		reason := "SPLIT"
		if static.Load() {
			reason = "STATIC"
		}
		fmt.Fprintf(w, `{"key": "orders", "value": %q, "variant": "a", "reason": %q}`, stage.Load(), reason)
	}))
	r := start(t, fmt.Sprintf(byFlags, fmt.Sprintf("{source: ofrep+%s, interval: 1s, timeout: 1s}", service), named(t, "monolith"), named(t, "orders")))
	client := browser(t)
	eventually(t, "the log knows who decides", func() bool {
		f := r.orders().Flags
		return f.Source == "ofrep+"+service && f.Controls == dashboard.ControlsNone && f.Version != ""
	})
	if m := r.orders(); m.Split != "not known" || !m.Cells[0].Unknown {
		t.Errorf("%+v", m)
	}
	if got := r.sideOf(client, "alice") + r.sideOf(client, ""); got != "ordersmonolith" {
		t.Errorf("%s answer", got)
	}
	if _, err := r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Off, Buckets: 10}}, "why", r.orders().Seq); err == nil || !strings.Contains(err.Error(), "decides by its flag") {
		t.Errorf("shift: %v", err)
	}

	down.Store(true)
	for range 20 {
		if got := r.sideOf(client, "alice"); got != "orders" {
			t.Fatalf("alice was on the service, and without the flag service %s answers", got)
		}
		if got := r.sideOf(client, "bob"); got != "monolith" {
			t.Fatalf("nobody knows of bob, and %s answers", got)
		}
	}
	down.Store(false)
	eventually(t, "bob is where his flag says", func() bool { return r.sideOf(client, "bob") == "orders" })

	if _, err := r.client.Rollback(t.Context(), "orders", dashboard.RollbackRequest{Reason: "it fails"}); err != nil {
		t.Fatal(err)
	}
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("after a rollback %s answers", got)
	}
	if _, err := r.client.Resume(t.Context(), "orders", "fixed", r.orders().Seq); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flag counts again", func() bool { return r.sideOf(client, "alice") == "orders" && r.orders().Split == "not known" })

	stage.Store("complete")
	static.Store(true)
	r.flags.(*opaque).again() // in half a minute it would by itself
	eventually(t, "everybody is told complete", func() bool { return r.orders().Split == "complete=100%" })
	down.Store(true)
	if got := r.sideOf(client, "zoe") + r.sideOf(client, ""); got != "ordersorders" {
		t.Errorf("complete, and without the flag service %s answer", got)
	}
}
