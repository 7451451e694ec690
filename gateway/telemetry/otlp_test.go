package telemetry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func TestSpansReachAnOTLPCollector(t *testing.T) {
	received := make(chan *collector.ExportTraceServiceRequest, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("X-Token") != "t" {
			t.Errorf("%s: %v", r.URL, err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		received <- &request
	}))
	defer receiver.Close()

	exporter, err := otlptracehttp.New(t.Context(),
		otlptracehttp.WithEndpointURL(receiver.URL+"/v1/traces"), otlptracehttp.WithHeaders(map[string]string{"X-Token": "t"}))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(append(SDKOptions(), sdktrace.WithBatcher(exporter))...)
	tracer := NewTracer(TracerOptions{Provider: provider})
	tr := tracer.Begin(http.Header{"Traceparent": {good}})
	x := anExchange()
	x.UserAgent = "\xff not UTF-8"
	tracer.End(&tr, &x, false)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	var spans []*tracepb.Span
	for _, resource := range (<-received).ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			if scope.Scope.Name != scopeName {
				t.Errorf("scope %q", scope.Scope.Name)
			}
			spans = append(spans, scope.Spans...)
		}
	}
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	client, server := spans[0], spans[1]
	if client.Kind != tracepb.Span_SPAN_KIND_CLIENT || [8]byte(client.SpanId) != tr.Client || [8]byte(client.ParentSpanId) != tr.Server {
		t.Errorf("client span %v", client)
	}
	if server.Kind != tracepb.Span_SPAN_KIND_SERVER || [16]byte(server.TraceId) != tr.TraceID || [8]byte(server.SpanId) != tr.Server || [8]byte(server.ParentSpanId) != tr.Parent {
		t.Errorf("server span %v", server)
	}
	if server.StartTimeUnixNano != uint64(x.Start.UnixNano()) || server.EndTimeUnixNano-server.StartTimeUnixNano != uint64(x.Total) {
		t.Errorf("server span from %d to %d", server.StartTimeUnixNano, server.EndTimeUnixNano)
	}
}
