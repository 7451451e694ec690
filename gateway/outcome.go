package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// evidenceBody bounds the bodies whose last byte is timed, in bytes: how long a
// larger one takes says more of its size and of the network than of the side.
const evidenceBody = 64 << 10

// clientPause is how long a client must have been silent in the middle of its
// request for it to be the cause of what the side does then, be it a status or
// a closed connection: servers wait for the rest of a request so long and no
// longer. A client that is still sending is not.
const clientPause = time.Second

// begins notes that a side is asked first, and sets its clock.
func (rec *record) begins() {
	rec.asked = true
	rec.class, rec.took, rec.whole, rec.excused = evidence.ClassOK, 0, 0, false
	rec.first, rec.firstStatus, rec.firstErr = nil, 0, ""
	rec.clock.start(rec.watch())
	rec.outgoing.Progress = &rec.clock
}

// answers notes how the side that was asked first has answered, or why it has
// not. What is asked in its stead later is no business of its.
func (rec *record) answers(ctx context.Context, res *upstream.Response, err error) {
	sent := rec.clock.stop()
	rec.unwatch()
	rec.firstEndpoint = rec.Endpoint
	if err != nil {
		rec.fails(ctx, err)
	} else {
		var says bool
		rec.first, rec.firstStatus = res, res.Status
		if rec.class, says, _ = headClass(rec.outgoing.Method, res); !says {
			rec.excused = true
		}
		if !sent.IsZero() {
			rec.took = max(time.Since(sent), 1)
		}
	}
	if sent.IsZero() && rec.class != evidence.ClassOK && rec.body.stalled() >= clientPause && !isGRPC(rec.outgoing.Header) {
		rec.excused = true
	}
}

// fails notes why the side that was asked first has not answered.
func (rec *record) fails(ctx context.Context, err error) {
	rec.class = evidence.ClassBroken
	var ue *upstream.Error
	if !errors.As(err, &ue) {
		return
	}
	rec.firstErr = ue.Kind
	switch {
	case ue.Kind == upstream.KindClient, ue.Kind == upstream.KindRequest:
		rec.class, rec.excused = evidence.ClassOK, true
	case isTimeoutKind(ue.Kind):
		rec.class = evidence.ClassTimeout
		if isOver(ctx) && rec.clientTookIt() {
			rec.excused = true
		}
	}
}

// clientTookIt reports whether it was the client that used up the time that
// the route gives to a request as a whole: it is sending still, or took the
// larger part of it.
func (rec *record) clientTookIt() bool {
	return rec.body.stalled() > 0 || 2*rec.body.took() >= time.Since(rec.Start)
}

// isOver reports whether the time for a request as a whole has passed.
func isOver(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// ends notes how the answer ended that the client was given. Read says that its
// body was read to its end, and n how long it was.
func (rec *record) ends(res *upstream.Response, read bool, n int64) {
	if rec.cell == nil {
		return
	}
	class, says, open := headClass(rec.outgoing.Method, res)
	switch kind := rec.ErrKind; {
	case kind != "" && blames(kind):
		return
	case isTimeoutKind(upstream.Kind(kind)):
		class, says = evidence.ClassTimeout, true
	case kind != "":
		class, says = evidence.ClassBroken, true
	case open:
		class, says = grpcClass(res.Status, first(res.Trailer()["Grpc-Status"]))
	}
	switch {
	case res == rec.first:
		rec.class, rec.excused = class, rec.excused || !says
		if kind := upstream.Kind(rec.ErrKind); kind != "" {
			rec.firstErr = kind
		}
		if read && rec.took > 0 && n <= evidenceBody {
			rec.whole = rec.took + rec.waited
		}
	case !rec.failedOver():
	case class.Failure():
		rec.bothFailed = true
	default:
		rec.healed = true
	}
}

// secondFails notes that the monolith, which was asked in place of a service
// that had failed, has not answered either.
func (rec *record) secondFails(ctx context.Context, asked time.Time, err error) {
	var ue *upstream.Error
	switch {
	case errors.As(err, &ue) && (ue.Kind == upstream.KindClient || ue.Kind == upstream.KindRequest):
		rec.excused = true // the client did not wait for it
	case isOver(ctx) && 2*time.Since(asked) < rec.allowed: // it had little of the time
	default:
		rec.bothFailed = true
	}
}

// headClass returns the class of an answer as far as its head says it. It says
// nothing where a gRPC call was cancelled; open means that the trailer decides.
func headClass(method string, res *upstream.Response) (class evidence.Class, says, open bool) {
	if !isGRPC(res.Header) || method == http.MethodHead {
		return evidence.ClassOf(res.Status), true, false
	}
	if status := first(res.Header["Grpc-Status"]); status != "" {
		class, says = grpcClass(res.Status, status)
		return class, says, false
	}
	class = evidence.ClassOf(res.Status)
	return class, true, !isGRPCWeb(res.Header) // which has its trailer in the body, and that is not read
}

// grpcClass returns the class of a gRPC answer by its grpc-status. One without
// is the server's fault, as is one that is no number: clients take it for
// UNKNOWN.
func grpcClass(status int, text string) (class evidence.Class, says bool) {
	if class = evidence.ClassOf(status); class != evidence.ClassOK && text == "" {
		return class, true
	}
	code, err := strconv.Atoi(text)
	if err != nil || code < 0 {
		return evidence.ClassFailed, true
	}
	if code == 0 {
		return class, true
	}
	return evidence.ClassOfGRPC(code)
}

const typeGRPC = "application/grpc"

// isGRPC reports whether a message is of gRPC, or of gRPC-Web.
func isGRPC(h http.Header) bool {
	t := first(h["Content-Type"])
	if len(t) < len(typeGRPC) || !strings.EqualFold(t[:len(typeGRPC)], typeGRPC) {
		return false
	}
	return len(t) == len(typeGRPC) || strings.IndexByte("+;- ", t[len(typeGRPC)]) >= 0
}

func isGRPCWeb(h http.Header) bool {
	t := first(h["Content-Type"])
	return len(t) > len(typeGRPC) && t[len(typeGRPC)] == '-'
}
