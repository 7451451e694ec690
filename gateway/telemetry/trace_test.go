package telemetry

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporting returns a tracer with a real SDK behind it.
func exporting(t testing.TB, sample float64, o ...sdktrace.TracerProviderOption) *Tracer {
	provider := sdktrace.NewTracerProvider(append(SDKOptions(), o...)...)
	t.Cleanup(func() { _ = provider.Shutdown(t.Context()) })
	return NewTracer(TracerOptions{Provider: provider, Sample: sample})
}

func TestUpstreamSeesTheClientSpanAsParent(t *testing.T) {
	in := http.Header{"Traceparent": {good}, "Tracestate": {"a=1", "b=2"}, "Baggage": {"user=7;prop, x=%20"}}
	before := maps.Clone(in)
	tr := exporting(t, 0).Begin(in)
	out := maps.Clone(in)
	tr.Inject(out)

	id, parent, flags, ok := parseTraceparent(out.Get("Traceparent"))
	if !ok || id != tr.TraceID || parent != tr.Client || flags != flagSampled {
		t.Errorf("traceparent %q of %+v", out.Get("Traceparent"), tr)
	}
	if got := out["Tracestate"]; !slices.Equal(got, []string{"a=1,b=2"}) {
		t.Errorf("tracestate %q", got)
	}
	if !slices.Equal(out["Baggage"], before["Baggage"]) {
		t.Errorf("baggage %q", out["Baggage"])
	}
	for k := range before {
		if !slices.Equal(in[k], before[k]) {
			t.Errorf("the client's %s has become %q", k, in[k])
		}
	}
	if tr.Server == tr.Client || tr.Server == tr.Parent {
		t.Errorf("span ids repeat: %+v", tr)
	}
}

func TestMalformedTracestateLeavesTheTraceAlone(t *testing.T) {
	h := http.Header{"Traceparent": {good}, "Tracestate": {"A=1"}}
	tr := exporting(t, 0).Begin(h)
	tr.Inject(h)
	if !tr.Remote || tr.State != "" {
		t.Errorf("%+v", tr)
	}
	if _, ok := h["Tracestate"]; ok {
		t.Errorf("tracestate %q is passed on", h["Tracestate"])
	}
}

func TestWithoutExporterTheCallersContextGoesOnUntouched(t *testing.T) {
	tracer := NewTracer(TracerOptions{})
	h := http.Header{"Traceparent": {good}, "Tracestate": {"a=1", "b=2"}}
	tr := tracer.Begin(h)
	tr.Inject(h)
	if got := h["Traceparent"]; !slices.Equal(got, []string{good}) || len(h["Tracestate"]) != 2 {
		t.Errorf("header %v", h)
	}

	h = http.Header{"Traceparent": {"nonsense"}, "Tracestate": {"a=1"}}
	tr = tracer.Begin(h)
	tr.Inject(h)
	if got := h.Get("Traceparent"); got != formatTraceparent(tr.TraceID, tr.Client, flagRandom) || h["Tracestate"] != nil {
		t.Errorf("header %v", h)
	}
	if x := anExchange(); tracer.End(&tr, &x, true) {
		t.Error("a trace was kept without an exporter")
	}
}

func TestRatioDecidesAtTheHead(t *testing.T) {
	tracer := exporting(t, 0.25)
	const n = 20_000
	sampled := 0
	for range n {
		tr := tracer.Begin(nil)
		if tr.Sampled != (tr.Flags&flagSampled != 0) || tr.Flags&flagRandom == 0 {
			t.Fatalf("flags %x of %+v", tr.Flags, tr)
		}
		if want := sdktrace.TraceIDRatioBased(0.25).ShouldSample(sdktrace.SamplingParameters{TraceID: tr.TraceID}).Decision == sdktrace.RecordAndSample; want != tr.Sampled {
			t.Fatalf("trace %s: OpenTelemetry would say %v", tr.TraceIDString(), want)
		}
		if tr.Sampled {
			sampled++
		}
	}
	if share := float64(sampled) / n; share < 0.22 || share > 0.28 { // ten standard deviations
		t.Errorf("%v of the traces are sampled", share)
	}
	for sample, want := range map[float64]bool{0: false, 1: true, -1: false, 7: true} {
		if tr := exporting(t, sample).Begin(nil); tr.Sampled != want {
			t.Errorf("Sample %v: sampled %v", sample, tr.Sampled)
		}
	}
}

func BenchmarkBeginInject(b *testing.B) {
	for name, h := range map[string]http.Header{
		"new":       {"Accept": {"*/*"}},
		"continued": {"Traceparent": {good}, "Tracestate": {"rojo=00f067aa0ba902b7"}},
	} {
		for tracerName, tracer := range map[string]*Tracer{"export": exporting(b, 0), "none": NewTracer(TracerOptions{})} {
			b.Run(name+"/"+tracerName, func(b *testing.B) {
				out := maps.Clone(h)
				b.ReportAllocs()
				for b.Loop() {
					tr := tracer.Begin(h)
					tr.Inject(out)
				}
			})
		}
	}
}
