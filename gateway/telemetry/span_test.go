package telemetry

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func recording(t testing.TB, sample float64) (*Tracer, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	return exporting(t, sample, sdktrace.WithSyncer(spans)), spans
}

// only returns the span of a kind; there must be one.
func only(t *testing.T, spans tracetest.SpanStubs, kind trace.SpanKind) tracetest.SpanStub {
	t.Helper()
	spans = slices.DeleteFunc(slices.Clone(spans), func(s tracetest.SpanStub) bool { return s.SpanKind != kind })
	if len(spans) != 1 {
		t.Fatalf("%d spans of kind %v, want one", len(spans), kind)
	}
	return spans[0]
}

func values(s tracetest.SpanStub) map[string]any {
	m := make(map[string]any)
	for _, kv := range s.Attributes {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	return m
}

func TestSpansHaveTheIdsThatWerePropagated(t *testing.T) {
	tracer, spans := recording(t, 0)
	tr := tracer.Begin(http.Header{"Traceparent": {good}, "Tracestate": {"a=1"}})
	x := anExchange()
	link := trace.Link{SpanContext: exporting(t, 1).spanContext()}
	if !tracer.End(&tr, &x, false, link) {
		t.Fatal("a trace that the caller sampled was dropped")
	}
	server := only(t, spans.GetSpans(), trace.SpanKindServer)
	client := only(t, spans.GetSpans(), trace.SpanKindClient)

	if sc := server.SpanContext; sc.TraceID() != tr.TraceID || sc.SpanID() != tr.Server || sc.TraceState().String() != "a=1" {
		t.Errorf("server span %v", sc)
	}
	if p := server.Parent; !p.IsRemote() || p.SpanID() != tr.Parent || p.TraceID() != tr.TraceID {
		t.Errorf("parent of the server span %v", p)
	}
	if sc := client.SpanContext; sc.TraceID() != tr.TraceID || sc.SpanID() != tr.Client {
		t.Errorf("client span %v", sc)
	}
	if p := client.Parent; p.SpanID() != tr.Server {
		t.Errorf("parent of the client span %v", p)
	}
	if len(server.Links) != 1 || !server.Links[0].SpanContext.Equal(link.SpanContext) {
		t.Errorf("links %v", server.Links)
	}
	if !server.StartTime.Equal(x.Start) || !server.EndTime.Equal(x.Start.Add(x.Total)) {
		t.Errorf("server span from %v to %v", server.StartTime, server.EndTime)
	}
	if want := x.Start.Add(6 * time.Microsecond); !client.StartTime.Equal(want) || !client.EndTime.Equal(server.EndTime) {
		t.Errorf("client span from %v to %v", client.StartTime, client.EndTime)
	}
}

// spanContext returns one of some trace.
func (t *Tracer) spanContext() trace.SpanContext {
	tr := t.Begin(nil)
	return tr.SpanContext()
}

func TestSpanOfATraceBegunHereIsARoot(t *testing.T) {
	tracer, spans := recording(t, 1)
	tr := tracer.Begin(nil)
	x := anExchange()
	tracer.End(&tr, &x, false)
	server := only(t, spans.GetSpans(), trace.SpanKindServer)
	if server.Parent.IsValid() || server.SpanContext.TraceID() != tr.TraceID || server.SpanContext.SpanID() != tr.Server {
		t.Errorf("server span %v below %v", server.SpanContext, server.Parent)
	}
}

func TestSpanAttributes(t *testing.T) {
	tracer, spans := recording(t, 1)
	tr := tracer.Begin(nil)
	x := anExchange()
	tracer.End(&tr, &x, false)
	server := only(t, spans.GetSpans(), trace.SpanKindServer)
	client := only(t, spans.GetSpans(), trace.SpanKindClient)

	if server.Name != "GET /api/orders/{id}" || client.Name != "GET" {
		t.Errorf("names %q and %q", server.Name, client.Name)
	}
	if diff := cmp.Diff(map[string]any{
		"http.request.method":         "GET",
		"url.path":                    "/api/orders/7",
		"url.scheme":                  "https",
		"server.address":              "shop.example",
		"server.port":                 int64(8443),
		"http.route":                  "/api/orders/{id}",
		"network.protocol.version":    "1.1",
		"client.address":              "203.0.113.9",
		"network.peer.address":        "10.0.0.1",
		"user_agent.original":         "curl/8.5.0",
		"http.response.status_code":   int64(200),
		"http.request.body.size":      int64(12),
		"http.response.body.size":     int64(3456),
		"feature_flag.key":            "orders",
		"feature_flag.provider.name":  "ficus",
		"feature_flag.result.variant": "live",
		"feature_flag.result.reason":  "targeting_match",
		"feature_flag.context.id":     "ab54a98ceb1f0ad2",
		"ficus.route":                 "orders",
		"ficus.migration":             "orders",
		"ficus.stage":                 "live",
		"ficus.side":                  "modern",
		"ficus.cohort":                "staff",
		"ficus.request_id":            "req-1",
	}, values(server)); diff != "" {
		t.Errorf("server span (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{
		"http.request.method":       "GET",
		"url.full":                  "http://10.0.0.5:3001/api/orders/7",
		"server.address":            "10.0.0.5",
		"server.port":               int64(3001),
		"http.response.status_code": int64(200),
		"http.request.resend_count": int64(1),
		"ficus.attempts":            int64(2),
		"ficus.upstream":            "orders",
		"ficus.side":                "modern",
	}, values(client)); diff != "" {
		t.Errorf("client span (-want +got):\n%s", diff)
	}
}

func TestSpanStatus(t *testing.T) {
	for _, tt := range []struct {
		name           string
		status         int
		kind           string
		server, client codes.Code
		errorType      any // of the client span
	}{
		{"fine", 200, "", codes.Unset, codes.Unset, nil},
		{"the client's fault", 404, "", codes.Unset, codes.Error, "404"},
		{"the upstream's fault", 500, "", codes.Error, codes.Error, "500"},
		{"no answer", 502, "connect", codes.Error, codes.Error, "connect"},
		{"client gone", 499, "client_gone", codes.Unset, codes.Unset, "client_gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := recording(t, 1)
			tr := tracer.Begin(nil)
			x := anExchange()
			x.Status, x.ErrKind = tt.status, tt.kind
			tracer.End(&tr, &x, false)
			server := only(t, spans.GetSpans(), trace.SpanKindServer)
			client := only(t, spans.GetSpans(), trace.SpanKindClient)
			if server.Status.Code != tt.server || client.Status.Code != tt.client {
				t.Errorf("server %v, client %v", server.Status.Code, client.Status.Code)
			}
			if got := values(client)["error.type"]; got != tt.errorType {
				t.Errorf("error.type %v, want %v", got, tt.errorType)
			}
			if _, told := values(client)["http.response.status_code"]; told == (tt.kind != "") {
				t.Errorf("the gateway's own status counts as the upstream's")
			}
		})
	}
}

func TestNoUpstreamNoClientSpan(t *testing.T) {
	tracer, spans := recording(t, 1)
	tr := tracer.Begin(nil)
	tracer.End(&tr, &Exchange{Method: "BREW", Status: 404}, false)
	if n := len(spans.GetSpans()); n != 1 {
		t.Fatalf("%d spans", n)
	}
	server := spans.GetSpans()[0]
	if v := values(server); server.Name != "HTTP" || v["http.request.method"] != "_OTHER" || v["http.request.method_original"] != "BREW" {
		t.Errorf("span %q %v", server.Name, v)
	}
}

func TestHostileTextIsMadeFitForSpans(t *testing.T) {
	tracer, spans := recording(t, 1)
	tr := tracer.Begin(nil)
	bad := "\xff\xfe" + strings.Repeat("\xe2\x82", 1<<20)
	x := Exchange{Method: bad, Scheme: bad, Host: bad, Target: "/" + bad, Proto: bad, ClientAddr: bad, Peer: bad, UserAgent: bad,
		RouteID: bad, Pattern: bad, Migration: bad, Flag: bad, Variant: bad, Reason: bad, Cohort: bad, KeySource: bad,
		Upstream: bad, Endpoint: bad, Fallback: bad, ErrKind: bad, Err: bad, RequestID: bad}
	tracer.End(&tr, &x, false)
	for _, s := range spans.GetSpans() {
		for _, kv := range append(s.Attributes, attribute.String("name", s.Name), attribute.String("status", s.Status.Description)) {
			if v := kv.Value.AsString(); kv.Value.Type() == attribute.STRING && (!utf8.ValidString(v) || len(v) > 8<<10) {
				t.Errorf("%s: %d bytes, valid %v", kv.Key, len(v), utf8.ValidString(v))
			}
		}
	}
}

func TestTailKeepsErrorsAtABoundedRate(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(append(SDKOptions(), sdktrace.WithSyncer(spans))...)
	tracer := NewTracer(TracerOptions{Provider: provider, KeepPerSecond: 5})
	fine, failed := anExchange(), anExchange()
	failed.Status = 503

	end := func(x *Exchange, keep bool) bool {
		tr := tracer.Begin(http.Header{"Traceparent": {good[:53] + "00"}})
		return tracer.End(&tr, x, keep)
	}
	begin := time.Now()
	if end(&fine, false) {
		t.Error("kept what the caller did not sample")
	}
	if !end(&fine, true) || !end(&failed, false) {
		t.Error("dropped a trace worth keeping")
	}
	kept := 2
	for range 1000 {
		if end(&failed, false) {
			kept++
		}
	}
	if most := 6 + int(5*time.Since(begin).Seconds()); kept > most {
		t.Errorf("kept %d of the errors, want at most %d", kept, most)
	}
	if n := len(spans.GetSpans()); n != 2*kept {
		t.Errorf("%d spans of %d kept traces", n, kept)
	}
}

func TestLimiterBorrowsNoMoreThanASecond(t *testing.T) {
	var l limiter
	l.set(4)
	now := time.Unix(1_000_000, 0)
	count := func(at time.Time) (n int) {
		for range 100 {
			if l.allow(at) {
				n++
			}
		}
		return n
	}
	if n := count(now); n != 4 {
		t.Errorf("a burst of %d, want 4", n)
	}
	if n := count(now.Add(500 * time.Millisecond)); n != 2 {
		t.Errorf("%d after half a second, want 2", n)
	}
	if n := count(now.Add(time.Hour)); n != 4 {
		t.Errorf("%d after an hour, want 4", n)
	}
	var none limiter
	if none.set(-1); none.allow(now) {
		t.Error("a negative rate lets through")
	}
}

func TestControlPlaneSpans(t *testing.T) {
	tracer, spans := recording(t, 0)
	ctx, parent := tracer.StartSpan(t.Context(), "migration.rollback", attribute.String("ficus.migration", "orders"))
	_, child := tracer.StartSpan(ctx, "log.append")
	child.AddLink(trace.Link{SpanContext: tracer.spanContext()})
	child.End()
	parent.End()
	got := spans.GetSpans()
	if len(got) != 2 || got[0].Parent.SpanID() != got[1].SpanContext.SpanID() || got[0].SpanContext.SpanID() == got[1].SpanContext.SpanID() {
		t.Fatalf("spans %v", got)
	}
	if got[1].Name != "migration.rollback" || values(got[1])["ficus.migration"] != "orders" || len(got[0].Links) != 1 {
		t.Errorf("spans %v", got)
	}

	_, span := NewTracer(TracerOptions{}).StartSpan(t.Context(), "reload") // exports nothing, and does not mind
	span.End()
}

func BenchmarkEnd(b *testing.B) {
	for name, sample := range map[string]float64{"dropped": 0, "kept": 1} {
		b.Run(name, func(b *testing.B) {
			tracer := exporting(b, sample)
			tr := tracer.Begin(nil)
			x := anExchange()
			b.ReportAllocs()
			for b.Loop() {
				tracer.End(&tr, &x, false)
			}
		})
	}
}
