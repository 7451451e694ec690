package telemetry

import (
	"encoding/hex"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// Reference writes a span context as the event log keeps it, so that a span of
// another process, or of next year, can link to it: the trace id, a dash, the
// span id. It is empty for a span that is not exported.
func Reference(sc trace.SpanContext) string {
	if !sc.IsValid() {
		return ""
	}
	return sc.TraceID().String() + "-" + sc.SpanID().String()
}

// ParseReference reads what [Reference] writes; ok is false for anything else.
func ParseReference(text string) (sc trace.SpanContext, ok bool) {
	traceID, spanID, _ := strings.Cut(text, "-")
	return SpanContextOf(traceID, spanID)
}

// SpanContextOf returns the context of a span of whom the ids are known, in
// lower-case hex; ok is false if they are none.
func SpanContextOf(traceID, spanID string) (sc trace.SpanContext, ok bool) {
	var config trace.SpanContextConfig
	if len(traceID) != hex.EncodedLen(len(config.TraceID)) || len(spanID) != hex.EncodedLen(len(config.SpanID)) ||
		!parseHex(config.TraceID[:], traceID) || !parseHex(config.SpanID[:], spanID) {
		return sc, false
	}
	config.TraceFlags, config.Remote = trace.FlagsSampled, true
	sc = trace.NewSpanContext(config)
	return sc, sc.IsValid()
}
