package app

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// spans takes spans by OTLP, as Jaeger or Tempo would.
type spans struct {
	url string
	mu  sync.Mutex // guards all
	all []*tracepb.Span
}

func collect(t *testing.T) *spans {
	s := new(spans)
	s.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		text, err := io.ReadAll(body)
		var request collectorpb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(text, &request)
		}
		if err != nil {
			t.Errorf("spans that nobody can read: %v", err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				s.all = append(s.all, scope.Spans...)
			}
		}
	}))
	return s
}

// named returns the spans of that name.
func (s *spans) named(name string) []*tracepb.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.all), func(span *tracepb.Span) bool { return span.Name != name })
}

// attributeOf writes the value of an attribute of a span.
func attributeOf(span *tracepb.Span, key string) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			text := a.Value.String()
			if list := a.Value.GetArrayValue(); list != nil {
				text = ""
				for _, v := range list.Values {
					text += v.String() + ";"
				}
			}
			return text
		}
	}
	return "(none)"
}

// ill are counts in which so many people had an error on the service and none
// on the monolith, in the present test of a state.
func ill(s migrations.State, id string, errors int) evidence.Counts {
	m := s.Migrations[id]
	c := evidence.NewCell(m.Test, m.Split.Modern())
	for i := range errors {
		c.Saw(evidence.Key(i), m.Test, evidence.Modern)
		c.Count(evidence.Errors, evidence.Key(i), m.Test, evidence.Modern)
		c.Link(evidence.Errors, fmt.Sprintf("%032x-%016x", i+1, i+1))
	}
	return evidence.Counts{At: time.Now(), Cells: map[string]*evidence.Cell{"": c}}
}

func TestARollbackIsTracedToTheRequestsBehindIt(t *testing.T) {
	sink := collect(t)
	r := start(t, strings.NewReplacer("$OTLP", sink.url+"/v1/traces", "$MONOLITH", named(t, "monolith")).Replace(anywhere+`
telemetry: {otlp: $OTLP, sample: 0%}
upstreams: {monolith: $MONOLITH, orders: $MONOLITH}
migrations: {orders: {from: monolith, to: orders, key: "header:X-User", data: shared}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`))
	m, err := r.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Shift(t.Context(), "orders", []migrations.Share{{Stage: migrations.Live, Buckets: 50_000}}, "first users", m.Seq); err != nil {
		t.Fatal(err)
	}

	before := r.follower.State()
	events := migrations.Decide(before, *r.source.Table().Plans["orders"], ill(before, "orders", 60), time.Now())
	if len(events) != 1 || events[0].Kind != migrations.RolledBack {
		t.Fatalf("decided %+v", events)
	}
	done := r.deciding(t.Context(), events)
	seq, err := r.events.Append(t.Context(), before.LastSeq("orders"), events...)
	done(seq, err)
	if err == nil {
		_, err = r.follower.Wait(t.Context(), seq)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.client.Event(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}

	decided := sink.named("ficus.migration.rollback")
	if len(decided) != 1 {
		t.Fatalf("%d spans of the rollback", len(decided))
	}
	span := decided[0]
	if hex.EncodeToString(span.TraceId) != e.TraceID || hex.EncodeToString(span.SpanId) != e.SpanID || e.TraceID == "" {
		t.Errorf("the event names %s-%s, the span is %x-%x", e.TraceID, e.SpanID, span.TraceId, span.SpanId)
	}
	if len(span.Links) != evidence.SpanLimit {
		t.Errorf("it links to %d requests, want %d", len(span.Links), evidence.SpanLimit)
	}
	record := events[0].Evidence.Records[0]
	for key, want := range map[string]string{
		"ficus.migration": "orders", "ficus.cause": "test", "ficus.guard.metric": "errors", "ficus.seq": fmt.Sprint(seq),
		"ficus.guard.n_c": ":60;", "ficus.guard.n_l": ":0;", "ficus.guard.w": ":0.5;", "ficus.guard.alpha": fmt.Sprint(record.Alpha),
		"ficus.guard.e": fmt.Sprint(record.E), "ficus.guard.threshold": fmt.Sprint(record.Threshold), "ficus.config": r.source.Table().Hash,
	} {
		if got := attributeOf(span, key); !strings.Contains(got, want) {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}

	applied := sink.named("ficus.migration.apply")
	i := slices.IndexFunc(applied, func(s *tracepb.Span) bool { return strings.Contains(attributeOf(s, "ficus.kind"), "rolledback") })
	if i < 0 || len(applied[i].Links) != 1 {
		t.Fatalf("no span of applying it that links to the decision: %v", applied)
	}
	if link := applied[i].Links[0]; !slices.Equal(link.TraceId, span.TraceId) || !slices.Equal(link.SpanId, span.SpanId) {
		t.Errorf("applying it links to %x-%x", link.TraceId, link.SpanId)
	}
	if shifts := sink.named("ficus.migration.shift"); len(shifts) != 1 || !strings.Contains(attributeOf(shifts[0], "ficus.actor"), "ada") {
		t.Errorf("the shift by hand is not traced: %v", shifts)
	}
}

func TestWhatAPersonAsksGoesOnWithTheirTrace(t *testing.T) {
	sink := collect(t)
	r := start(t, strings.ReplaceAll(anywhere+`
telemetry: {otlp: $OTLP, sample: 0%}
upstreams: {monolith: "http://127.0.0.1:9", orders: "http://127.0.0.1:9"}
migrations: {orders: {from: monolith, to: orders, key: url}}
routes: [{path: /orders/*, migration: orders}, {path: /*, upstream: monolith}]
`, "$OTLP", sink.url+"/v1/traces"))
	req, err := http.NewRequest(http.MethodPost, r.admin+"/api/migrations/orders/rollback", strings.NewReader(`{"reason": "complaints"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+r.Token().Reveal())
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	res, err := browser(t).Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if err := r.stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	decided := sink.named("ficus.migration.rollback")
	if len(decided) != 1 || hex.EncodeToString(decided[0].TraceId) != "4bf92f3577b34da6a3ce929d0e0e4736" || hex.EncodeToString(decided[0].ParentSpanId) != "00f067aa0ba902b7" {
		t.Errorf("the rollback's span is not a child of the request: %v", decided)
	}
}
