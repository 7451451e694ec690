package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/trace"
)

func TestReferenceIsReadBack(t *testing.T) {
	tracer, _ := recording(t, 1)
	_, span := tracer.StartSpan(t.Context(), "ficus.migration.rollback")
	defer span.End()
	text := Reference(span.SpanContext())
	sc, ok := ParseReference(text)
	if !ok || sc.TraceID() != span.SpanContext().TraceID() || sc.SpanID() != span.SpanContext().SpanID() || !sc.IsSampled() || !sc.IsRemote() {
		t.Errorf("%q is read as %v", text, sc)
	}
	if text := Reference(trace.SpanContext{}); text != "" {
		t.Errorf("a span that there is not is written as %q", text)
	}
}

func TestReferenceRefusesWhatIsNone(t *testing.T) {
	for _, text := range []string{
		"", "-", "4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736-", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7", "00000000000000000000000000000000-00f067aa0ba902b7",
		"4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000", "4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7",
	} {
		if sc, ok := ParseReference(text); ok {
			t.Errorf("%q is read as %v", text, sc)
		}
	}
}
