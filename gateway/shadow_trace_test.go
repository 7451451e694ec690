package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// The trace of a shadow request is its own, linked to the one of the request
// that it repeats, and what the service is sent belongs to it.
func TestShadowRequestsAreLinkedToTheirOriginals(t *testing.T) {
	legacy := httptest.NewServer(order(""))
	defer legacy.Close()
	sent := make(chan string, 10)
	modern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent <- r.Header.Get("Traceparent")
		order("")(w, r)
	}))
	defer modern.Close()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(append(telemetry.SDKOptions(), sdktrace.WithSyncer(spans))...)
	defer func() { _ = provider.Shutdown(t.Context()) }()
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer assigner.Close()
	s := shadow.New(shadow.Options{})
	defer s.Close()
	g, err := New(Options{
		Table: tableOf(t, comparingConfig(legacy.URL, modern.URL)), Assigner: assigner, Shadow: s, Logger: slog.New(slog.DiscardHandler),
		State:  migrations.State{Seq: 1, Migrations: map[string]migrations.Migration{"orders": {ID: "orders", From: "monolith", To: "orders", Seq: 1, Split: migrations.All(migrations.Shadow)}}},
		Tracer: telemetry.NewTracer(telemetry.TracerOptions{Provider: provider, Sample: 1}),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		g.Close(ended)
	}()
	request(t, "GET", "http://"+listen(t, g, routes.Listener{})+"/api/orders/1", nil)
	settled(t, s)
	traceparent := <-sent
	var user, copied tracetest.SpanStub
	for end := time.Now().Add(10 * time.Second); (!user.SpanContext.IsValid() || !copied.SpanContext.IsValid()) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, one := range spans.GetSpans() {
			switch {
			case strings.HasPrefix(one.Name, "shadow ") && strings.Contains(traceparent, one.SpanContext.TraceID().String()):
				copied = one
			case one.Name == "GET /api/orders/*":
				user = one
			}
		}
	}
	if !user.SpanContext.IsValid() || !copied.SpanContext.IsValid() {
		t.Fatalf("the service is sent %s; spans are %v", traceparent, spans.GetSpans())
	}
	if copied.SpanContext.TraceID() == user.SpanContext.TraceID() {
		t.Error("the shadow request is in the trace of the user's")
	}
	if len(copied.Links) != 1 || copied.Links[0].SpanContext.TraceID() != user.SpanContext.TraceID() || copied.Links[0].SpanContext.SpanID() != user.SpanContext.SpanID() {
		t.Errorf("the shadow request links to %v, not to %v", copied.Links, user.SpanContext)
	}
}
