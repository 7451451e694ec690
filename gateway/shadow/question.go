package shadow

import (
	"context"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// A Question is what is asked of a side: what the user has asked of the other.
type Question struct {
	Method string
	Target string      // request target as the client sent it
	Host   string      // as the client sent it
	Header http.Header // to be sent; owned by the question
	Body   []byte      // nil: none
	Origin trace.SpanContext

	// Rehearse, which [Watch.Begin] sets, says that the question is a write: it may be sent only over a
	// connection on which the side has acknowledged that it treats marked
	// requests as rehearsals, or, with Real, as writes under an idempotency key.
	Rehearse bool
	Real     bool
}

// A Reply is an answer whose body has not been read.
type Reply struct {
	Status int
	Header http.Header
	Body   io.Reader
	Length int64 // -1: unknown
	Trace  trace.SpanContext
	From   string // URL of the endpoint that answers
	Close  func()
}

// A Send asks one side. Its error wraps [ErrNoRehearsal] if a write was not
// sent, and is a timeout if its Timeout method says so or ctx has ended.
type Send func(ctx context.Context, q *Question) (*Reply, error)

// An Answer is an answer as it was kept.
type Answer struct {
	Status int
	Header http.Header
	Body   Buffer
	Took   time.Duration // from the question to the last byte
	From   string        // URL of the endpoint that answered; empty: none did
	Trace  string        // id of the trace in which it was asked; empty: none is kept
}

func traceOf(c trace.SpanContext) string {
	if !c.HasTraceID() {
		return ""
	}
	return c.TraceID().String()
}

// spanOf writes a span context as evidence keeps it: trace id, "-", span id, in
// hex; empty if its trace is not kept.
func spanOf(c trace.SpanContext) string {
	if !c.IsValid() || !c.IsSampled() {
		return ""
	}
	return c.TraceID().String() + "-" + c.SpanID().String()
}
