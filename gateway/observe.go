package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/telemetry"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
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
		KeyHash: rec.KeyHash, Key: rec.assignment.Key, Network: rec.network(), Repeat: rt.Repeatable,
		Ask: rt.askModern, Again: rt.askLegacy,
	}
	if rec.Side == migrations.Modern {
		in.Ask, in.Again = in.Again, in.Ask
	}
	o := rt.watch.Begin(in)
	if o != nil {
		rec.pair = max(uint64(rec.Start.UnixNano())^rec.KeyHash, 1)
		p := &pairing{cell: rec.cell, network: evidence.Network(rec.network()), control: rec.Side, pair: rec.pair, method: rec.Method, target: rec.Target, pattern: rec.Pattern}
		if rec.assignment.Placed {
			p.key = rec.evidenceKey()
		}
		x := rec.sample(r, 1)
		o.Like(compare.Request{Features: x.packed[:x.features], Route: x.route, Cohort: x.cohort, Cell: rec.cell.name, User: x.user})
		samples := rec.cell.samples
		if samples == nil {
			o.Tell(p.settled)
			return o
		}
		o.Tell(func(v shadow.Verdict) {
			p.settled(v)
			if !v.CandidateBad || p.control != migrations.Modern { // the monolith's failures are not the service's
				samples.compare(x, v)
			}
		})
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
	o.Asked(shadow.Question{
		Method: out.Method, Target: out.Target, Host: rec.Host, Header: out.Header, Origin: rec.trace.SpanContext(),
	}, time.Now())
	if out.Body != nil {
		out.Body = o.Body(out.Body, out.Length)
	}
}

// answered gives the observation the head of the control's answer, before
// anything of it is edited.
func (rec *record) answered(res *upstream.Response) {
	if rec.observation.Copies() {
		rec.observation.Answered(res.Status, res.Header, res.Length, time.Now())
		rec.observation.From(rec.firstEndpoint)
	}
}

// observed hands the observation over, once the user has all of the answer.
func (rec *record) observed() {
	if rec.observation == nil {
		return
	}
	if rec.failedOver() {
		rec.observation.FellBack(rec.bothFailed)
		return
	}
	var err error
	if rec.ErrKind != "" {
		err = errors.New(rec.ErrKind)
	}
	rec.observation.End(err, rec.ErrKind == kindClientGone, time.Now())
}

// An asking is a question of the shadow that is under way.
type asking struct {
	g     *Gateway
	out   upstream.Request
	trace telemetry.Trace
	links [1]trace.Link // to the user's request
	telemetry.Exchange
	res *upstream.Response
}

var askings = sync.Pool{New: func() any { return new(asking) }}

// sender returns how the shadow asks an upstream.
func (g *Gateway) sender(up *upstream.Upstream) shadow.Send {
	def := up.Definition()
	return func(ctx context.Context, q *shadow.Question) (*shadow.Reply, error) {
		a := askings.Get().(*asking)
		a.g, a.links[0].SpanContext = g, q.Origin
		a.out = upstream.Request{
			Method: q.Method, Target: q.Target, Host: hostOf(def, q.Host), Header: q.Header,
			Retry: upstream.Retryable(q.Method) && !q.Rehearse,
		}
		if h := q.Header; q.Real { // a write, and meant
			delete(h, "Ficus-Shadow")
		} else {
			h["Ficus-Shadow"] = marked
		}
		if q.Header["Ficus-Side"] != nil { // the application counts the request, not its copy
			q.Header["Ficus-Side"] = copied
			telemetry.AddBaggage(q.Header, toldSide, toldShadow)
		}
		if q.Body != nil {
			a.out.Body, a.out.Length, a.out.AbortBody = bytes.NewReader(q.Body), int64(len(q.Body)), func() {}
		}
		a.trace = g.tracer.Begin(nil)
		a.trace.Follow(q.Origin)
		delete(q.Header, "Traceparent") // of the user's request
		delete(q.Header, "Tracestate")
		a.trace.Inject(q.Header)
		a.Exchange = telemetry.Exchange{
			Start: time.Now(), Method: q.Method, Target: q.Target, Host: q.Host, Scheme: "http", Proto: "HTTP/1.1",
			Upstream: def.Name, Shadow: true,
		}
		res, err := g.send(ctx, up, &a.out, q)
		if err != nil {
			a.failed(err)
			if errors.Is(err, upstream.ErrNotAcknowledged) {
				err = fmt.Errorf("%w: %w", shadow.ErrNoRehearsal, err)
			}
			return nil, err
		}
		a.res = res
		a.Status, a.Attempts, a.Endpoint = res.Status, res.Attempts, res.Endpoint.String()
		a.Connect, a.FirstByte = res.Connect, res.Wait
		return &shadow.Reply{
			Status: res.Status, Header: res.Header, Body: res.Body, Length: res.Length, Trace: a.trace.SpanContext(), From: a.Endpoint, Close: a.close,
		}, nil
	}
}

// The values of Ficus-Shadow and of Ficus-Side.
var (
	marked = []string{"1"}
	copied = []string{toldShadow}
)

// failed ends an asking that was not answered. It is not used again: who sends
// a body may still look at it.
func (a *asking) failed(err error) {
	var ue *upstream.Error
	if errors.As(err, &ue) {
		a.ErrKind, a.Attempts, a.Endpoint = string(ue.Kind), ue.Attempts, ue.Endpoint
	}
	a.Err, a.Total = err.Error(), time.Since(a.Start)
	a.g.tracer.End(&a.trace, &a.Exchange, false, a.links[:]...)
}

// close ends an asking, once, when its answer has been read.
func (a *asking) close() {
	a.res.Close()
	a.Total = time.Since(a.Start)
	a.g.tracer.End(&a.trace, &a.Exchange, false, a.links[:]...)
	*a = asking{}
	askings.Put(a)
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
