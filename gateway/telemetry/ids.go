package telemetry

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// SDKOptions returns what a provider needs for a [Tracer]: ids are taken from
// the trace that has been propagated already, and every span that is made is
// exported, since the tracer has decided before.
func SDKOptions() []sdktrace.TracerProviderOption {
	return []sdktrace.TracerProviderOption{
		sdktrace.WithIDGenerator(idGenerator{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()),
	}
}

// idGenerator gives the ids found in the context, and random ones without.
type idGenerator struct{}

type idsKey struct{}

type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// withIDs returns a context whose next span has these ids. It must start one
// span only.
func withIDs(ctx context.Context, traceID [16]byte, span [8]byte) context.Context {
	return context.WithValue(ctx, idsKey{}, ids{traceID, span})
}

func (idGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if v, ok := ctx.Value(idsKey{}).(ids); ok {
		return v.trace, v.span
	}
	return newTraceID(), newSpanID()
}

func (idGenerator) NewSpanID(ctx context.Context, traceID trace.TraceID) trace.SpanID {
	if v, ok := ctx.Value(idsKey{}).(ids); ok && v.trace == traceID {
		return v.span
	}
	return newSpanID()
}
