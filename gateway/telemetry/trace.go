package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/trace"
)

// A Trace is one request's place in a distributed trace. [Tracer.Begin] makes
// it. Its ids are known before anything is exported, so that the access log,
// the upstream and the spans that may be made later agree.
type Trace struct {
	TraceID [16]byte
	Parent  [8]byte // span of the caller; zero when Remote is false
	Server  [8]byte // the gateway's span of the request
	Client  [8]byte // the gateway's span of the request to the upstream
	Flags   byte    // as propagated: bit 0 sampled, bit 1 the id is random
	State   string  // tracestate, combined
	Remote  bool    // the caller began the trace
	Sampled bool    // decided at the head: by the caller, or by the ratio

	through bool // this process exports no spans: the caller's context goes on as it came
}

// Inject sets traceparent and tracestate of a request to an upstream, whose
// parent is the client span. A process that exports no spans leaves the header
// as it came: a parent that nobody ever sees would cut a caller's trace in
// two, and tell an application that samples by its parent what nobody decided.
// Values of h are replaced, never written to.
func (tr *Trace) Inject(h http.Header) {
	if tr.through {
		return
	}
	h["Traceparent"] = []string{formatTraceparent(tr.TraceID, tr.Client, tr.Flags)}
	if have := h["Tracestate"]; tr.State == "" {
		delete(h, "Tracestate")
	} else if len(have) != 1 || have[0] != tr.State {
		h["Tracestate"] = []string{tr.State}
	}
}

// TraceIDString returns the trace id as 32 hex digits.
func (tr *Trace) TraceIDString() string { return hex.EncodeToString(tr.TraceID[:]) }

// Reference returns the server span as a decision links to it; see [Reference].
func (tr *Trace) Reference() string { return Reference(tr.SpanContext()) }

// Follow makes the trace one that is kept if origin is, with which it shares
// nothing but a link.
func (tr *Trace) Follow(origin trace.SpanContext) {
	tr.Sampled = origin.IsSampled()
	tr.Flags &^= flagSampled
	if tr.Sampled {
		tr.Flags |= flagSampled
	}
}

// SpanContext returns the server span as others may link to it.
func (tr *Trace) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: tr.TraceID, SpanID: tr.Server, TraceFlags: trace.TraceFlags(tr.Flags),
	})
}

// join continues the caller's trace. It reports false when there is none
// that can be continued; tracestate is not even looked at then.
func (tr *Trace) join(h http.Header) bool {
	lines := h["Traceparent"]
	if len(lines) != 1 {
		return false
	}
	var ok bool
	if tr.TraceID, tr.Parent, tr.Flags, ok = parseTraceparent(lines[0]); !ok {
		*tr = Trace{}
		return false
	}
	tr.State = parseTracestate(h["Tracestate"])
	tr.Remote = true
	tr.Sampled = tr.Flags&flagSampled != 0
	return true
}

// newTraceID returns a random id. The generator is the runtime's ChaCha8,
// which is seeded by the system and kept per thread.
func newTraceID() (id [16]byte) {
	for id == [16]byte{} {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id
}

func newSpanID() (id [8]byte) {
	for id == [8]byte{} {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
