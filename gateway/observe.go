package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
	"github.com/ficus-gateway/ficus/routes"
)

// observe begins the comparison of a request, if its stage and the sampler
// say so. What it returns may be nil, and is used all the same.
func (g *Gateway) observe(rec *record, r *http.Request) *shadow.Observation {
	rt := rec.route
	if rt.watch == nil || rec.assignment.Err != "" || rec.input.Safe && rec.stay.Kept() { // what a journey is about may be on one side only
		return nil
	}
	in := shadow.Input{
		Method: r.Method, Path: r.URL.Path, Pattern: rt.Match.Path, Header: r.Header,
		Safe: isSafe(r.Method), Stage: rec.Stage, Control: rec.Side,
		KeyHash: rec.KeyHash, Key: rec.assignment.Key, Repeat: rt.Repeatable,
		Ask: rt.askModern, Again: rt.askLegacy,
	}
	if rec.Side == migrations.Modern {
		in.Ask, in.Again = in.Again, in.Ask
	}
	o := rt.watch.Begin(in)
	if o != nil {
		c, key, control := rec.cell, evidence.Key(0), rec.Side
		if rec.assignment.Placed {
			key = rec.evidenceKey()
		}
		o.Tell(func(v shadow.Verdict) { c.settled(key, control, v) })
	}
	return o
}

// tell gives the observation what the control is asked.
func (rec *record) tell() {
	o := rec.observation
	if !o.Copies() {
		return
	}
	out := &rec.outgoing
	h := maps.Clone(out.Header)
	delete(h, "Traceparent")
	delete(h, "Tracestate")
	o.Asked(shadow.Question{
		Method: out.Method, Target: out.Target, Host: rec.Host, Header: h, Origin: rec.trace.SpanContext(),
	}, time.Now())
	if out.Body != nil {
		out.Body = o.Body(out.Body, out.Length)
	}
}

// answered gives the observation the head of the control's answer, before
// anything of it is edited.
func (rec *record) answered(res *upstream.Response) {
	if rec.observation.Copies() {
		rec.observation.Answered(res.Status, res.Header.Clone(), res.Length, time.Now())
	}
}

// observed hands the observation over, once the user has all of the answer.
func (rec *record) observed() {
	if rec.observation == nil {
		return
	}
	if rec.failedOver() {
		rec.observation.FellBack()
		return
	}
	var err error
	if rec.ErrKind != "" {
		err = errors.New(rec.ErrKind)
	}
	rec.observation.End(err, rec.ErrKind == kindClientGone, time.Now())
}

// sender returns how the shadow asks an upstream.
func (g *Gateway) sender(up *upstream.Upstream) shadow.Send {
	def := up.Definition()
	return func(ctx context.Context, q *shadow.Question) (*shadow.Reply, error) {
		out := &upstream.Request{
			Method: q.Method, Target: q.Target, Host: hostOf(def, q.Host), Header: q.Header,
			Retry: upstream.Retryable(q.Method) && !q.Rehearse,
		}
		out.Header["Ficus-Shadow"] = []string{"1"}
		if q.Real {
			delete(out.Header, "Ficus-Shadow") // a write, and meant
		}
		if q.Body != nil {
			out.Body, out.Length, out.AbortBody = bytes.NewReader(q.Body), int64(len(q.Body)), func() {}
		}
		tr := g.tracer.Begin(nil)
		tr.Follow(q.Origin)
		tr.Inject(out.Header)
		links := trace.Link{SpanContext: q.Origin}
		x := telemetry.Exchange{
			Start: time.Now(), Method: q.Method, Target: q.Target, Host: q.Host, Scheme: "http", Proto: "HTTP/1.1",
			Upstream: def.Name, Shadow: true,
		}
		res, err := g.send(ctx, up, out, q)
		if err != nil {
			var ue *upstream.Error
			if errors.As(err, &ue) {
				x.ErrKind, x.Attempts, x.Endpoint = string(ue.Kind), ue.Attempts, ue.Endpoint
			}
			x.Err, x.Total = err.Error(), time.Since(x.Start)
			g.tracer.End(&tr, &x, false, links)
			if errors.Is(err, upstream.ErrNotAcknowledged) {
				err = fmt.Errorf("%w: %w", shadow.ErrNoRehearsal, err)
			}
			return nil, err
		}
		x.Status, x.Attempts, x.Endpoint = res.Status, res.Attempts, res.Endpoint.String()
		x.Connect, x.FirstByte = res.Connect, res.Wait
		return &shadow.Reply{
			Status: res.Status, Header: res.Header, Body: res.Body, Length: res.Length, Trace: tr.SpanContext(),
			Close: func() {
				res.Close()
				x.Total = time.Since(x.Start)
				g.tracer.End(&tr, &x, false, links)
			},
		}, nil
	}
}

// send asks, a write only where it is acknowledged.
func (g *Gateway) send(ctx context.Context, up *upstream.Upstream, out *upstream.Request, q *shadow.Question) (*upstream.Response, error) {
	def := up.Definition()
	switch {
	case q.Rehearse:
	case isSafe(q.Method):
		return up.Do(ctx, out)
	default: // whoever asks, a write goes no other way than below
		return nil, fmt.Errorf("upstream %s: %w: %s may write", def.Name, upstream.ErrNotAcknowledged, q.Method)
	}
	if def.Acknowledge == nil {
		return nil, fmt.Errorf("upstream %s: %w: it has no acknowledge in the config", def.Name, upstream.ErrNotAcknowledged)
	}
	ack := upstream.Acknowledgement{Path: def.Acknowledge.Path, Secret: []byte(def.Acknowledge.Secret), Mode: upstream.ModeRehearse}
	if q.Real {
		ack.Mode = upstream.ModeDual
	}
	return up.DoAcknowledged(ctx, ack, out)
}

// watches makes what compares the migrations of a table, and what asks their
// upstreams. Without a shadow there is neither.
func (g *Gateway) watches(t *routes.Table, p *plan) (watches map[string]*shadow.Watch, senders map[string]shadow.Send, err error) {
	if g.shadow == nil {
		return nil, nil, nil
	}
	watches, senders = make(map[string]*shadow.Watch), make(map[string]shadow.Send)
	for id, mp := range t.Plans {
		from, to := p.upstreams[mp.From], p.upstreams[mp.To]
		if mp.Retired || from == nil || to == nil {
			continue
		}
		senders[mp.From], senders[mp.To] = g.sender(from), g.sender(to)
		if watches[id], err = g.shadow.Watch(mp, hostsOf(from, to)); err != nil {
			return nil, nil, err
		}
	}
	return watches, senders, nil
}

// hostsOf lists the names that the two sides may call themselves by.
func hostsOf(ups ...*upstream.Upstream) (hosts []string) {
	for _, up := range ups {
		for _, e := range up.Endpoints() {
			hosts = append(hosts, e.Host())
		}
		if name := up.Definition().HostName; name != "" {
			hosts = append(hosts, name)
		}
	}
	return hosts
}
