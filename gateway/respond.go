package gateway

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/legacy"
)

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// respond gives the upstream's answer to the client. It returns an error only
// if nothing has been said yet; an answer that breaks off later is broken off
// for the client as well.
func (g *Gateway) respond(ctx context.Context, rec *record, r *http.Request, res *upstream.Response) error {
	rec.Status = res.Status
	if t := res.Tunnel(); t != nil {
		return g.upgrade(rec, r, t)
	}
	rec.body.unbound()
	rec.answered(res)
	rec.outcomeField(res.Header)
	rec.answerHeader(r, res)
	g.cookies(rec, r, res)
	if rec.pending(r) || g.draining.Load() { // on HTTP/2 net/http sends GOAWAY for it
		rec.writer.w.Header()["Connection"] = []string{"close"}
	}
	rec.writer.arm()
	rec.writer.w.WriteHeader(res.Status)
	n, err := rec.copyBody(ctx, res)
	rec.ends(res, err == nil, n)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	rec.answerTrailer(res)
	if r.ProtoMajor == 1 && res.Length > 0 && r.Method != http.MethodHead {
		_ = rec.flush() // the client need not wait for the books to be kept
	}
	rec.writer.arm() // for what net/http writes at the end, however long ago the last byte was
	return nil
}

// informational passes on a 1xx answer.
func (rec *record) informational(status int, from http.Header) {
	h := rec.writer.w.Header()
	before := maps.Clone(h)
	clear(h)
	for name, values := range from {
		if passes(name) {
			h[name] = values
		}
	}
	rec.writer.arm()
	rec.writer.w.WriteHeader(status)
	rec.writer.rest()
	clear(h)
	maps.Copy(h, before)
}

// answerHeader sets the header of the answer: the upstream's, without what
// concerns its connection, as seen from outside, with the route's edits.
func (rec *record) answerHeader(r *http.Request, res *upstream.Response) {
	from := res.Header
	if to := upgradeOf(from); res.Status == http.StatusUpgradeRequired && to != "" && r.ProtoMajor == 1 {
		rec.writer.w.Header()["Upgrade"] = []string{to} // what else would the client be required to
		rec.writer.w.Header()["Connection"] = []string{"Upgrade"}
	}
	for _, line := range from["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if token = strings.TrimSpace(token); token != "" {
				delete(from, http.CanonicalHeaderKey(token))
			}
		}
	}
	rec.ownPort(from, res.Endpoint)
	view := rec.view(res.Endpoint)
	view.Response(from)
	rec.route.Response.Apply(from)
	h := rec.writer.w.Header()
	for name, values := range from {
		if passes(name) {
			h[name] = values
		}
	}
	// What net/http would add by itself, the upstream did not say.
	for _, name := range [...]string{"Date", "Content-Type"} {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
	if trailer := res.Trailer(); len(trailer) > 0 {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(trailer)), func(name string) bool { return !passes(name) })
		h["Trailer"] = []string{strings.Join(names, ", ")}
	}
	if r.ProtoMajor == 1 {
		rec.frame(h, r, res)
	}
	if rec.peer.trusted && rec.Fallback != "" {
		h["Ficus-Fallback"] = []string{rec.Fallback}
	}
	if rec.peer.trusted && r.Header["Ficus-Explain"] != nil {
		rec.explain(h)
	}
}

// frame keeps net/http from framing an answer otherwise than the upstream did.
func (rec *record) frame(h http.Header, r *http.Request, res *upstream.Response) {
	switch {
	case res.Status == http.StatusNotModified:
		// net/http drops these from a 304, though RFC 9110, section 15.4.5,
		// allows them; in lower case it does not see them.
		for name, lower := range map[string]string{"Content-Length": "content-length", "Content-Type": "content-type"} {
			if values := h[name]; values != nil {
				delete(h, name)
				h[lower] = values
			}
		}
	case r.Method == http.MethodHead || res.Status == http.StatusNoContent || !r.ProtoAtLeast(1, 1):
	case len(res.Trailer()) > 0:
		delete(h, "Content-Length") // HTTP/2 has trailers after a body of a known length, HTTP/1.1 after chunks only
		h["Transfer-Encoding"] = []string{"chunked"}
	case res.Length < 0:
		h["Transfer-Encoding"] = []string{"chunked"} // or it would count a short body
	}
}

// explain tells a trusted caller that asks with Ficus-Explain how it was answered.
func (rec *record) explain(h http.Header) {
	h["Ficus-Route"] = []string{rec.RouteID}
	h["Ficus-Upstream"] = []string{rec.Upstream}
	h["Ficus-Trace"] = []string{rec.trace.TraceIDString()}
	if rec.Migration != "" {
		h["Ficus-Migration"] = []string{rec.Migration}
		h["Ficus-Stage"] = []string{string(rec.Stage)}
		h["Ficus-Side"] = []string{string(rec.Side)}
		h["Ficus-Reason"] = []string{rec.Reason}
	}
}

// view is how the request looks from both sides.
func (rec *record) view(e *upstream.Endpoint) legacy.View {
	v := legacy.View{
		ClientScheme: rec.peer.scheme, ClientHost: rec.peer.host,
		UpstreamScheme: e.Scheme(), UpstreamHost: rec.outgoing.Host,
	}
	if v.UpstreamHost == "" {
		v.UpstreamHost = e.Host()
	} else if v.UpstreamHost == rec.Host {
		v.UpstreamHost = "" // preserved: the application knows its own name
	}
	if rw := rec.route.Rewrite; rw != nil && rw.Pattern == nil {
		v.Strip, v.Add = rw.Strip, rw.Add
	}
	return v
}

// cookies sets the cookies that a migration needs, on answers that no shared
// cache may store.
func (g *Gateway) cookies(rec *record, r *http.Request, res *upstream.Response) {
	plan := rec.route.plan
	if plan == nil || res.Status < 200 {
		return
	}
	anonymous := g.assigner.Cookie(&rec.input, rec.assignment)
	session := g.assigner.SessionCookie(&rec.input, rec.assignment)
	journey := g.journey(rec, r, res)
	if anonymous == nil && session == nil && journey == nil || flags.Storable(res.Status, rec.writer.w.Header(), r) {
		return
	}
	for _, c := range [...]*http.Cookie{anonymous, session, journey} {
		if c != nil {
			http.SetCookie(rec.writer.w, c)
		}
	}
}

// copyBody streams the answer's body, and returns its length. What has arrived
// is flushed before waiting for more, so that a slow stream reaches the client
// at once. The waits for more are timed where the upstream is on trial.
func (rec *record) copyBody(ctx context.Context, res *upstream.Response) (length int64, _ error) {
	if res.Body == http.NoBody {
		return 0, nil
	}
	if res.Length != 0 && res.Buffered() == 0 { // the header alone may say enough
		if err := rec.flush(); err != nil {
			return 0, err
		}
	}
	timed := res == rec.first && rec.took > 0
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	left := res.Length
	for {
		var began int64
		if timed && res.Buffered() == 0 {
			began = monotonic()
		}
		n, err := res.Body.Read(*buf)
		if began != 0 {
			rec.waited += time.Duration(monotonic() - began)
		}
		length += int64(n)
		if n > 0 {
			if werr := rec.writer.write((*buf)[:n]); werr != nil {
				rec.ErrKind, rec.Err = kindClientGone, "write answer: "+werr.Error()
				return length, werr
			}
			rec.observation.Write((*buf)[:n])
			if left > 0 {
				left -= int64(n)
			}
		}
		switch {
		case err == io.EOF:
			return length, nil
		case err != nil:
			rec.broken(ctx, err)
			_ = rec.writer.flush() // what came before it broke off is the client's
			return length, err
		case left == 0 || n == 0 || res.Buffered() > 0:
			continue
		}
		if err := rec.flush(); err != nil {
			return length, err
		}
	}
}

// flush gives to the client what has been written.
func (rec *record) flush() error {
	err := rec.writer.flush()
	if err != nil {
		rec.ErrKind, rec.Err = kindClientGone, "write answer: "+err.Error()
	}
	return err
}

// broken notes that an answer broke off. That the time for the request as a
// whole has passed is the side's time-out only if the side itself took the
// larger part of it: a client that is slow to take the answer uses it up as well.
func (rec *record) broken(ctx context.Context, err error) {
	rec.ErrKind, rec.Err = string(upstream.KindBody), "read answer: "+err.Error()
	switch {
	case isOver(ctx):
		rec.ErrKind = string(upstream.KindTimeout)
		if 2*(rec.took+rec.waited) < rec.allowed {
			rec.excused = true
		}
	case ctx.Err() != nil:
		rec.ErrKind = kindClientGone
	case isTimeout(err):
		rec.ErrKind = string(upstream.KindTimeout)
	}
}

// answerTrailer passes on trailer fields, announced or not.
func (rec *record) answerTrailer(res *upstream.Response) {
	trailer := res.Trailer()
	if len(trailer) == 0 {
		return
	}
	h := rec.writer.w.Header()
	announced := h["Trailer"]
	for name, values := range trailer {
		if !passes(name) {
			continue
		}
		if hasToken(announced, name) {
			h[name] = values
		} else {
			h[http.TrailerPrefix+name] = values
		}
	}
}
