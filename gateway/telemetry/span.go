package telemetry

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// export makes the two spans of a request, with the times at which they took
// place. The client span begins when the upstream was asked and lasts until
// its answer had been passed on.
func (t *Tracer) export(tr *Trace, x *Exchange, links []trace.Link) {
	ctx := context.Background()
	if tr.Remote {
		state, _ := trace.ParseTraceState(tr.State) // one that it refuses is left out
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: tr.TraceID, SpanID: tr.Parent, TraceFlags: trace.TraceFlags(tr.Flags), TraceState: state,
		}))
	}
	method, methodAttrs := methodOf(x.Method)
	name := method
	if x.Pattern != "" {
		name += " " + text(x.Pattern, 256)
	}
	kind := trace.SpanKindServer
	if x.Shadow { // nobody asked the gateway
		name, kind = "shadow "+name, trace.SpanKindInternal
	}
	ctx, server := t.tracer.Start(withIDs(ctx, tr.TraceID, tr.Server), name,
		trace.WithSpanKind(kind),
		trace.WithTimestamp(x.Start),
		trace.WithLinks(links...),
		trace.WithAttributes(methodAttrs...),
		trace.WithAttributes(t.serverAttributes(x)...),
	)
	if x.Upstream != "" {
		_, client := t.tracer.Start(withIDs(ctx, tr.TraceID, tr.Client), method,
			trace.WithSpanKind(trace.SpanKindClient),
			trace.WithTimestamp(x.Start.Add(x.beforeUpstream())),
			trace.WithAttributes(methodAttrs...),
			trace.WithAttributes(clientAttributes(x)...),
		)
		fail(client, x, 400)
		client.End(trace.WithTimestamp(x.end()))
	}
	fail(server, x, 500)
	server.End(trace.WithTimestamp(x.end()))
}

// clientGone is the ladder's word for a client that did not wait.
const clientGone = "client_gone"

// fail marks a span as an error: from a status on (500 for a server span, 400
// for a client span) or when no answer came. A client that went away is told,
// but is nobody's failure.
func fail(span trace.Span, x *Exchange, from int) {
	switch {
	case x.ErrKind == clientGone:
		span.SetAttributes(semconv.ErrorTypeKey.String(clientGone))
	case x.ErrKind != "":
		span.SetAttributes(semconv.ErrorTypeKey.String(text(x.ErrKind, 64)))
		span.SetStatus(codes.Error, text(x.Err, 1024))
	case x.Status >= from:
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(x.Status)))
		span.SetStatus(codes.Error, "")
	}
}

func (t *Tracer) serverAttributes(x *Exchange) []attribute.KeyValue {
	a := attributes(make([]attribute.KeyValue, 0, 32))
	a.text(semconv.URLPathKey, targetPath(x.Target), 2048)
	a.text(semconv.URLSchemeKey, x.Scheme, 16)
	a.address(x.Host)
	a.text(semconv.HTTPRouteKey, x.Pattern, 1024)
	a.text(semconv.NetworkProtocolVersionKey, strings.TrimPrefix(x.Proto, "HTTP/"), 16)
	a.text(semconv.ClientAddressKey, x.ClientAddr, 256)
	a.text(semconv.NetworkPeerAddressKey, x.Peer, 256)
	a.text(semconv.UserAgentOriginalKey, x.UserAgent, 512)
	a.status(x.Status)
	a.count(semconv.HTTPRequestBodySizeKey, x.BytesIn)
	a.count(semconv.HTTPResponseBodySizeKey, x.BytesOut)
	if x.Flag != "" {
		a.text(semconv.FeatureFlagKeyKey, x.Flag, 256)
		a.text(semconv.FeatureFlagProviderNameKey, t.provider, 256)
		a.text(semconv.FeatureFlagResultVariantKey, x.Variant, 256)
		a.text(semconv.FeatureFlagResultReasonKey, strings.ToLower(x.Reason), 256)
		if x.KeySource != "" {
			a.text(semconv.FeatureFlagContextIDKey, keyHash(x.KeyHash), 16)
		}
	}
	a.text("ficus.route", x.RouteID, 256)
	a.text("ficus.migration", x.Migration, 256)
	a.text("ficus.stage", string(x.Stage), 16)
	a.text("ficus.side", string(x.Side), 16)
	a.text("ficus.cohort", x.Cohort, 256)
	a.text("ficus.fallback", x.Fallback, 256)
	a.text("ficus.request_id", x.RequestID, 256)
	return a
}

func clientAttributes(x *Exchange) []attribute.KeyValue {
	a := attributes(make([]attribute.KeyValue, 0, 16))
	scheme, authority, ok := strings.Cut(x.Endpoint, "://")
	if !ok {
		scheme, authority = "http", x.Endpoint
	}
	a.address(authority)
	if path := targetPath(x.Target); !strings.HasPrefix(authority, "/") && strings.HasPrefix(path, "/") {
		a.text(semconv.URLFullKey, scheme+"://"+authority+path, 2048)
	}
	if x.ErrKind == "" {
		a.status(x.Status) // otherwise the status is the gateway's own
	}
	if x.Attempts > 1 {
		a = append(a, semconv.HTTPRequestResendCount(x.Attempts-1))
	}
	a = append(a, attribute.Int("ficus.attempts", x.Attempts))
	a.text("ficus.upstream", x.Upstream, 256)
	a.text("ficus.side", string(x.Side), 16)
	return a
}

// attributes collects what is known and leaves out what is empty.
type attributes []attribute.KeyValue

func (a *attributes) text(k attribute.Key, v string, limit int) {
	if v != "" {
		*a = append(*a, k.String(text(v, limit)))
	}
}

func (a *attributes) count(k attribute.Key, n int64) {
	if n > 0 {
		*a = append(*a, k.Int64(n))
	}
}

func (a *attributes) status(code int) {
	if code > 0 {
		*a = append(*a, semconv.HTTPResponseStatusCode(code))
	}
}

// address tells a host, and its port if there is one.
func (a *attributes) address(hostport string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a.text(semconv.ServerAddressKey, host, 256)
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		*a = append(*a, semconv.ServerPort(int(n)))
	}
}

// methodOf returns the method as a span's name has it, and its attributes: a
// method that is not well known must not make names of its own.
func methodOf(method string) (string, []attribute.KeyValue) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace, "QUERY":
		return method, []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(method)}
	}
	return "HTTP", []attribute.KeyValue{semconv.HTTPRequestMethodOther, semconv.HTTPRequestMethodOriginal(text(method, 64))}
}

// text makes s fit for a span. Invalid UTF-8 has to go: one bad string makes
// the whole batch unfit for protobuf.
func text(s string, limit int) string {
	return strings.ToValidUTF8(clip(s, limit), "\ufffd")
}

func keyHash(h uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[i] = digits[h>>(60-4*i)&15]
	}
	return string(b[:])
}
