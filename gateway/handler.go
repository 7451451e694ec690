package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
)

// ServeHTTP answers one request, by the snapshot that is current when it comes.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	slot := g.inflight.enter()
	rec := records.Get().(*record)
	rec.begin(g.snapshot.Load(), w, r)
	rec.trace = g.tracer.Begin(r.Header)
	defer func() {
		rec.leave(r)
		rec.freeKept()
		g.finish(rec, r)
		rec.observed()
		rec.recycle()
		g.inflight.leave(slot)
	}()
	if err := g.serve(rec, r); err != nil {
		f := ladder(r.Context(), err)
		rec.fail(f)
		rec.writer.arm()
		if rec.pending(r) || g.draining.Load() {
			w.Header()["Connection"] = []string{"close"}
		}
		reply(w, r, f.status)
	}
}

// serve answers a request, or returns why it could not before anything was
// said to the client.
func (g *Gateway) serve(rec *record, r *http.Request) error {
	def := rec.snap.Table.Match(r)
	rec.Match = time.Since(rec.Start)
	if def == nil { // a checked table has a route for everything
		rec.fail(failure{status: http.StatusNotFound, kind: "no_route"})
		reply(rec.writer.w, r, http.StatusNotFound)
		return nil
	}
	rt := &rec.snap.plan.routes[def.Index]
	rec.route = rt
	rec.RouteID, rec.Pattern = rt.ID, rt.Match.Path
	up := rt.upstream
	if rt.plan != nil {
		start := time.Now()
		up = g.decide(rec, r)
		if rec.trips() {
			up = rec.turn()
		}
		rec.arrive()
		rec.Decide = time.Since(start)
	}
	if g.served != nil {
		g.served(rec.snap, rec)
	}
	if err := rec.prepare(r); err != nil {
		return err
	}
	rec.observation = g.observe(rec, r)
	rec.tell()
	ctx := r.Context()
	if limit := rt.timeout(up); limit > 0 {
		var cancel context.CancelFunc
		rec.allowed = limit
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	res, err := g.askService(ctx, rec, up)
	rec.noteWrite()
	if err != nil {
		return err
	}
	if rt.otherwise != nil && res.Status == http.StatusNotFound && r.Method == http.MethodGet && rec.outgoing.Body == nil {
		res = g.askOther(ctx, rec, res, rt.otherwise, present)
	} else if better := g.lives(rec, r, res); better != nil {
		res = g.askWhereItLives(ctx, rec, res, better)
	}
	defer res.Close()
	return g.respond(ctx, rec, r, res)
}

func (rt *route) timeout(up *upstream.Upstream) time.Duration {
	if rt.Timeout > 0 {
		return rt.Timeout
	}
	return up.Definition().Timeouts.Request
}

// decide asks the flag which side answers, and returns its upstream.
func (g *Gateway) decide(rec *record, r *http.Request) *upstream.Upstream {
	rt := rec.route
	safe := isSafe(r.Method)
	rec.cell = rec.snap.standings[rt.migration].cell(rt.plan, r)
	rec.input = flags.Input{
		Plan: rt.plan, State: rec.cell.state, Request: r, Key: rt.Key,
		Client: rec.peer.client, ClientText: rec.ClientAddr, Trusted: rec.peer.trusted, Secure: rec.peer.secure, Safe: safe,
	}
	rec.assignment = g.assigner.Assign(r.Context(), &rec.input)
	a := &rec.assignment
	side := rt.plan.Place(a.Stage, safe)
	if rt.plan.Journeys {
		side = g.travel(rec, side)
	}
	rec.Stage, rec.KeyHash = a.Stage, a.KeyHash
	side = rec.readsBack(side)
	rec.Migration, rec.Flag, rec.Side = rt.Migration, a.Flag, side
	rec.Variant, rec.Reason, rec.Cohort = a.Variant, a.Reason, a.Cohort
	rec.Bucket = a.Bucket
	if a.Key != "" {
		rec.KeySource = a.Source.String()
	}
	if a.Err != "" {
		rec.Err = a.Err
	}
	if side == migrations.Modern {
		return rt.modern
	}
	return rt.legacy
}

// isSafe reports whether a method is safe (RFC 9110, section 9.2.1).
func isSafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// ask sends the request to an upstream and notes how it went.
func (g *Gateway) ask(ctx context.Context, rec *record, up *upstream.Upstream) (*upstream.Response, error) {
	def := up.Definition()
	rec.Upstream = def.Name
	rec.outgoing.Host = rec.hostFor(up)
	asked := time.Now()
	res, err := up.Do(ctx, &rec.outgoing)
	if err != nil {
		var ue *upstream.Error
		if errors.As(err, &ue) {
			rec.Attempts += ue.Attempts
			rec.Endpoint = ue.Endpoint
		}
		return nil, err
	}
	rec.Attempts += res.Attempts
	rec.Endpoint = res.Endpoint.String()
	rec.Connect, rec.FirstByte = res.Connect, res.Wait
	rec.Queue += max(time.Since(asked)-res.Connect-res.Wait, 0)
	return res, nil
}

// A want says which answer of a second upstream is better than the first's.
type want func(status int) bool

func present(status int) bool { return status != http.StatusNotFound }

// askOther asks a second upstream what the first does not have. If the second
// has no better answer, the first's stands.
func (g *Gateway) askOther(ctx context.Context, rec *record, res *upstream.Response, second *upstream.Upstream, better want) *upstream.Response {
	before, host := rec.Exchange, rec.outgoing.Host
	other, err := g.ask(ctx, rec, second)
	if err != nil || !better(other.Status) {
		if err == nil {
			other.Close()
		}
		before.Attempts = rec.Attempts
		rec.Exchange, rec.outgoing.Host = before, host
		return res
	}
	res.Close()
	return other
}

// finish counts, traces and logs a request.
func (g *Gateway) finish(rec *record, r *http.Request) {
	rec.Total = time.Since(rec.Start)
	rec.BytesIn, rec.BytesOut = rec.body.n, rec.writer.n
	if rec.route != nil {
		rec.route.metrics.Observe(&rec.Exchange)
		rec.sampleFeatures(r, rec.account())
	}
	if g.ended != nil {
		g.ended(rec)
	}
	g.tracer.End(&rec.trace, &rec.Exchange, rec.linked)
	if g.access != nil && rec.snap.Table.Access {
		g.access.Log(&rec.trace, &rec.Exchange)
	}
}

func isConnError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}
