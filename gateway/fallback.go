package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

const (
	// fallbackBytes bounds the copies of requests' bodies that are kept for fallback.
	fallbackBytes = 64 << 20
	// fallbacksAtOnce bounds the requests of all migrations for which the monolith
	// is asked in place of a service at the same time, until it begins to answer:
	// it may not be able to carry what it gave away.
	fallbacksAtOnce = 512
)

// A reserve is what fallback may take of the gateway and of the monolith.
type reserve struct {
	bytes *shadow.Budget
	now   atomic.Int64 // fallbacks under way, of all migrations
}

// room reports whether the monolith may be asked once more.
func (r *reserve) room() bool { return r.now.Load() < fallbacksAtOnce }

// fallsBack reports whether the monolith may answer this request in place of
// the service: not where its data may be older, and never once a migration is
// complete (law 4).
func (rec *record) fallsBack() bool {
	return rec.route.Fallback != nil && rec.Side == migrations.Modern && !rec.route.behind() && rec.Stage != migrations.Complete &&
		rec.outgoing.Upgrade == "" && rec.Method != http.MethodConnect
}

// keepBody copies the request's body as the service reads it, as far as there
// is room, so that the monolith can be sent the same.
func (g *Gateway) keepBody(rec *record) {
	out := &rec.outgoing
	if out.Body == nil || out.Length > shadow.Cap || !(rec.fallsBack() && rec.repeatable(true)) && !g.mayLive(rec) {
		return
	}
	rec.kept.Init(g.reserve.bytes, out.Length)
	rec.keeps = true
	out.Body = &keeper{out.Body, rec, out.Length}
}

// A keeper keeps what is read of a body. It may still be read when the answer
// has begun, so that only keptEnd says when what is kept may be looked at.
type keeper struct {
	r    io.Reader
	rec  *record
	left int64 // bytes that are to come; negative: unknown
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	k.rec.kept.Write(p[:n])
	if k.left -= int64(n); err == io.EOF || k.left == 0 && err == nil { // an upstream that knows the length reads no further
		k.rec.keptEnd.Store(true)
	}
	return n, err
}

// repeatable reports whether the request may be sent to the monolith although
// the service may have taken it (sent) or has not.
func (rec *record) repeatable(sent bool) bool {
	if !sent || rec.outgoing.Retry {
		return true
	}
	return rec.route.Fallback.Unsafe && first(rec.outgoing.Header["Idempotency-Key"]) != ""
}

// askService asks the upstream of the chosen side, and where that is a service
// that fails, the monolith.
func (g *Gateway) askService(ctx context.Context, rec *record, up *upstream.Upstream) (*upstream.Response, error) {
	g.keepBody(rec)
	if !rec.fallsBack() {
		res, err := g.askFirst(ctx, rec, up, 0)
		if err != nil && rec.stay.Kept() {
			return g.askInstead(ctx, rec, err)
		}
		return res, err
	}
	res, err := g.askFirst(ctx, rec, up, rec.route.Fallback.After)
	reason, sent := rec.failedService(ctx, res, err)
	if reason == "" || !rec.repeatable(sent) {
		return res, err
	}
	body, ok := rec.bodyAgain(sent)
	if !ok || g.reserve.now.Add(1) > fallbacksAtOnce {
		if ok {
			g.reserve.now.Add(-1)
		}
		return res, err
	}
	defer g.reserve.now.Add(-1)
	if res != nil {
		res.Close()
	}
	service, endpoint := rec.Upstream, rec.Endpoint
	rec.Fallback, rec.late = reason, errors.Is(err, errNoFirstByte)
	if rec.late { // its own limit is no time-out of the service
		rec.class = evidence.ClassOK
	}
	rec.outgoing.Body = body
	asked := time.Now()
	second, again := g.ask(ctx, rec, rec.route.legacy)
	if again != nil {
		rec.secondFails(ctx, asked, again)
	}
	if again != nil && err != nil { // both failed: the service was asked for
		rec.Upstream, rec.Endpoint = service, endpoint
		return nil, err
	}
	return second, again
}

// askFirst asks the side that the request belongs to, and measures it by that:
// what is asked in its stead later is no business of its. After is when it is
// given up; 0 is never.
func (g *Gateway) askFirst(ctx context.Context, rec *record, up *upstream.Upstream, after time.Duration) (*upstream.Response, error) {
	if rec.cell == nil {
		return g.ask(ctx, rec, up)
	}
	rec.begins()
	res, err := g.askWithin(ctx, rec, up, after)
	rec.answers(ctx, res, err)
	return res, err
}

// askWithin asks, and gives up when the header of the answer has not come
// within a limit, see [firstByteTimer]; 0 is none. The answer's body may take
// longer.
func (g *Gateway) askWithin(ctx context.Context, rec *record, up *upstream.Upstream, limit time.Duration) (*upstream.Response, error) {
	if limit == 0 {
		return g.ask(ctx, rec, up)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if rec.firstByte == nil {
		rec.firstByte = &firstByteTimer{room: g.reserve.room}
	}
	rec.firstByte.begin(rec, limit, rec.repeatable(true), cancel)
	rec.clock.limit(rec.firstByte)
	res, err := g.ask(ctx, rec, up)
	rec.clock.limit(nil)
	gaveUp, reusable := rec.firstByte.end()
	if !reusable {
		rec.firstByte = nil
	}
	switch {
	case gaveUp && err == nil: // the header came at the very moment
		res.Close()
		err = &upstream.Error{Kind: upstream.KindTimeout, Endpoint: res.Endpoint.String(), Sent: true, Attempts: res.Attempts, Err: errNoFirstByte}
	case gaveUp && context.Cause(ctx) == errNoFirstByte:
		var ue *upstream.Error
		if errors.As(err, &ue) {
			ue.Kind, ue.Err = upstream.KindTimeout, errNoFirstByte
		}
	case err == nil:
		rec.release = func() { cancel(nil) }
		return res, nil
	}
	cancel(nil)
	return nil, err
}

// failedService says why the service's answer is none, in one word for the
// log; empty if it is one. Sent says whether the service may have taken the
// request.
func (rec *record) failedService(ctx context.Context, res *upstream.Response, err error) (reason string, sent bool) {
	if err == nil {
		if slices.Contains(rec.route.Fallback.Statuses, res.Status) {
			return "status", true
		}
		return "", true
	}
	var ue *upstream.Error
	if ctx.Err() != nil || !errors.As(err, &ue) {
		return "", true
	}
	switch ue.Kind {
	case upstream.KindClient, upstream.KindRequest:
		return "", true
	}
	return string(ue.Kind), ue.Sent
}

// keptWhole reports whether all of the request's body is kept.
func (rec *record) keptWhole() bool { return rec.keeps && rec.keptEnd.Load() && rec.kept.Whole() }

// bodyAgain returns the request's body for the monolith. What the service has
// read of it must have been kept, and be the whole.
func (rec *record) bodyAgain(sent bool) (io.Reader, bool) {
	switch {
	case rec.outgoing.Body == nil:
		return nil, true
	case !sent && rec.body.n == 0:
		return &rec.body, true // untouched
	case rec.keptWhole():
		return bytes.NewReader(rec.kept.Bytes()), true
	}
	return nil, false
}
