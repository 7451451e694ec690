package telemetry

import (
	"context"
	"encoding/binary"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const scopeName = "github.com/ficus-gateway/ficus"

// TracerOptions configures a [Tracer]. The zero value exports nothing.
type TracerOptions struct {
	// Provider takes the spans. It must have been made with [SDKOptions].
	// Nil: ids are made and propagated, spans are not.
	Provider trace.TracerProvider

	// Sample is the share, 0 to 1, of the traces begun here that are marked
	// as sampled. It is decided by the trace id alone, in the way of
	// OpenTelemetry's TraceIDRatioBased, and told to the upstreams.
	Sample float64

	// KeepPerSecond bounds the traces kept for an error that happened in them,
	// although the head said no. Zero means 10; negative means none.
	KeepPerSecond float64

	// FlagProvider is told as feature_flag.provider.name. Empty means "ficus".
	FlagProvider string
}

// A Tracer begins traces and, once a request is finished, decides whether its
// spans are made at all.
type Tracer struct {
	tracer   trace.Tracer
	exports  bool
	bound    uint64 // trace ids below it are sampled
	kept     limiter
	provider string
}

// NewTracer returns a tracer. It is ready at once and needs no closing; the
// provider does.
func NewTracer(o TracerOptions) *Tracer {
	t := &Tracer{exports: o.Provider != nil, provider: o.FlagProvider}
	if !t.exports {
		o.Provider = noop.NewTracerProvider()
	}
	if t.provider == "" {
		t.provider = "ficus"
	}
	if o.KeepPerSecond == 0 {
		o.KeepPerSecond = 10
	}
	t.kept.set(o.KeepPerSecond)
	t.bound = uint64(min(max(o.Sample, 0), 1) * (1 << 63))
	t.tracer = o.Provider.Tracer(scopeName)
	return t
}

// Begin continues the trace that a request's header tells of, or starts one:
// when there is none, or one that is malformed or given several times.
func (t *Tracer) Begin(h http.Header) Trace {
	var tr Trace
	tr.through = !t.exports
	if !tr.join(h) {
		tr.TraceID = newTraceID()
		tr.Flags = flagRandom
		if tr.Sampled = t.sampled(tr.TraceID); tr.Sampled {
			tr.Flags |= flagSampled
		}
	}
	tr.Server, tr.Client = newSpanID(), newSpanID()
	return tr
}

func (t *Tracer) sampled(id [16]byte) bool {
	return binary.BigEndian.Uint64(id[8:])>>1 < t.bound
}

// End exports the spans of a finished request if its trace is kept: because
// its head said so, because keep is true, which its caller bounds, or, at a
// bounded rate, because the answer was an error of the server. Links are put
// on the server span. It reports whether the trace was kept.
func (t *Tracer) End(tr *Trace, x *Exchange, keep bool, links ...trace.Link) bool {
	if !t.exports {
		return false
	}
	if !tr.Sampled && !keep && (x.Status < 500 || !t.kept.allow(time.Now())) {
		return false
	}
	t.export(tr, x, links)
	return true
}

// StartSpan begins a span of the gateway's own work, such as a reload or a
// rollback, as a child of the span in ctx if there is one. The caller ends it,
// and may add links to it.
func (t *Tracer) StartSpan(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, trace.WithAttributes(attrs...))
}

// A limiter lets through so many a second, with a burst of one second's worth
// (and at least one). It is the generic cell rate algorithm on one word.
type limiter struct {
	every int64        // nanoseconds of each; 0: none pass
	burst int64        // nanoseconds that may be borrowed
	next  atomic.Int64 // theoretical arrival time of the next, Unix nanoseconds
}

func (l *limiter) set(perSecond float64) {
	if perSecond <= 0 {
		return
	}
	l.every = max(int64(float64(time.Second)/perSecond), 1)
	l.burst = max(int64(time.Second), l.every)
}

func (l *limiter) allow(at time.Time) bool {
	if l.every == 0 {
		return false
	}
	now := at.UnixNano()
	for {
		next := l.next.Load()
		after := max(next, now) + l.every
		if after-now > l.burst {
			return false
		}
		if l.next.CompareAndSwap(next, after) {
			return true
		}
	}
}
