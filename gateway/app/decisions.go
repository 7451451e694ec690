package app

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// deciding opens a span for each event that is about to be appended, whoever
// decided it, and writes into the event where the span is. What it returns ends
// the spans with the outcome. They are kept whatever the sampling.
func (p *Process) deciding(ctx context.Context, events []migrations.Event) func(uint64, error) {
	spans := make([]trace.Span, len(events))
	for i := range events {
		e := &events[i]
		p.blame(e)
		if e.Evidence != nil {
			e.Evidence.Config = p.source.Table().Hash
		}
		spans[i] = p.open(ctx, e)
		if sc := spans[i].SpanContext(); spans[i].IsRecording() {
			e.TraceID, e.SpanID = sc.TraceID().String(), sc.SpanID().String()
		}
	}
	return func(seq uint64, err error) {
		for i, span := range spans {
			switch {
			case errors.Is(err, migrations.ErrConflict):
				span.SetAttributes(attribute.Bool("ficus.conflict", true)) // somebody was faster: nothing went wrong
			case err != nil:
				span.SetStatus(codes.Error, err.Error())
			default:
				span.SetAttributes(attribute.Int64("ficus.seq", int64(seq)-int64(len(spans)-1-i)))
			}
			span.End()
		}
	}
}

// open begins the span of a decision: a child of the request that asked for it,
// if the event says which, with links to the requests that speak for it.
func (p *Process) open(ctx context.Context, e *migrations.Event) trace.Span {
	if sc, ok := telemetry.SpanContextOf(e.TraceID, e.SpanID); ok {
		ctx = trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	_, span := p.tools.tracer.StartSpan(ctx, decisionName(*e), facts(*e)...)
	if e.Evidence == nil {
		return span
	}
	for _, text := range e.Evidence.Spans {
		if sc, ok := telemetry.ParseReference(text); ok {
			span.AddLink(trace.Link{SpanContext: sc})
		}
	}
	span.SetAttributes(weights(*e.Evidence)...)
	return span
}

// verbs are what the span of a decision is called, after ficus.migration.
var verbs = map[migrations.Kind]string{
	migrations.Shifted: "shift", migrations.Held: "hold", migrations.Resumed: "resume", migrations.RolledBack: "rollback",
	migrations.Stepped: "step", migrations.Skipped: "skip", migrations.Approved: "approve", migrations.Restarted: "restart",
	migrations.Renewed: "renew", migrations.Returning: "rollback", migrations.Frozen: "freeze", migrations.Thawed: "thaw",
}

func decisionName(e migrations.Event) string {
	verb := verbs[e.Kind]
	switch {
	case e.Because != 0: // a part of a way back that another event began
		verb = "return"
	case verb == "":
		verb = string(e.Kind)
	}
	return "ficus.migration." + verb
}

// facts are what every span about an event tells of it.
func facts(e migrations.Event) []attribute.KeyValue {
	out := []attribute.KeyValue{attribute.String("ficus.migration", e.Migration), attribute.String("ficus.kind", string(e.Kind))}
	for _, f := range [...]struct{ key, value string }{
		{"ficus.cell", e.Cell}, {"ficus.cause", string(e.Cause)}, {"ficus.split", splitText(e)},
		{"ficus.actor", e.Actor}, {"ficus.reason", e.Reason}, {"ficus.plan", e.Plan},
	} {
		if f.value != "" {
			out = append(out, attribute.String(f.key, f.value))
		}
	}
	if e.Step > 0 {
		out = append(out, attribute.Int("ficus.step", e.Step))
	}
	return out
}

// weights are the evidence of a decision: its strongest record, as the event
// holds it.
func weights(v migrations.Evidence) []attribute.KeyValue {
	out := []attribute.KeyValue{attribute.String("ficus.config", v.Config), attribute.Int("ficus.gateways", max(v.Gateways, 1))}
	r, ok := evidence.Strongest(v.Records)
	if !ok {
		return out
	}
	var epochs, service, legacy []int64
	var w []float64
	for _, s := range r.Epochs {
		epochs, service, legacy, w = append(epochs, int64(s.Epoch)), append(service, int64(s.Service)), append(legacy, int64(s.Legacy)), append(w, s.W)
	}
	return append(out,
		attribute.String("ficus.guard.metric", string(r.Metric)),
		attribute.Int64Slice("ficus.guard.epoch", epochs),
		attribute.Int64Slice("ficus.guard.n_c", service),
		attribute.Int64Slice("ficus.guard.n_l", legacy),
		attribute.Float64Slice("ficus.guard.w", w),
		attribute.Float64("ficus.guard.alpha", r.Alpha),
		attribute.Float64("ficus.guard.alpha_k", r.Level()),
		attribute.Int("ficus.guard.test", r.Test),
		attribute.Int("ficus.guard.metrics", r.Metrics),
		attribute.Float64("ficus.guard.e", r.E),
		attribute.Float64("ficus.guard.threshold", r.Threshold),
	)
}

// apply takes an event that the log yields into the data plane, in a span that
// links to the one in which it was decided, here or elsewhere.
func (p *Process) apply(ctx context.Context, s migrations.State, e migrations.Event) {
	_, span := p.tools.tracer.StartSpan(ctx, "ficus.migration.apply", append(facts(e), attribute.Int64("ficus.seq", int64(e.Seq)))...)
	if sc, ok := telemetry.SpanContextOf(e.TraceID, e.SpanID); ok {
		span.AddLink(trace.Link{SpanContext: sc})
	}
	p.forward(e)
	p.gateway.Apply(s)
	p.inForce(e)
	p.trips.seen(s)
	span.End()
	p.measures.decided.see(e)
}
