package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/ficus-gateway/ficus/gateway/upstream"
)

// statusClientGone is what the access log says when the client went away
// before the answer, as nginx does. Nobody is there to read it.
const (
	statusClientGone = 499
	kindClientGone   = "client_gone"
)

// A failure is why a request was not answered by an upstream: the one place
// where errors become a status.
type failure struct {
	status int
	kind   string // for the log and metrics
	err    error
}

// ladder turns an error of an exchange into what the client is told.
func ladder(ctx context.Context, err error) failure {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return failure{http.StatusRequestEntityTooLarge, "too_large", err}
	}
	if errors.Is(err, errRequestLine) {
		return failure{http.StatusBadRequest, "bad_request", err}
	}
	var ue *upstream.Error
	if !errors.As(err, &ue) {
		return failure{http.StatusBadGateway, "internal", err}
	}
	f := failure{http.StatusBadGateway, string(ue.Kind), err}
	switch ue.Kind {
	case upstream.KindClient:
		f.status, f.kind = statusClientGone, kindClientGone
	case upstream.KindRequest:
		switch {
		case isTimeout(err): // first, since net/http takes it for the client's end as well
			f.status, f.kind = http.StatusRequestTimeout, "client_silent"
		case ctx.Err() != nil || isGone(err):
			f.status, f.kind = statusClientGone, kindClientGone
		default:
			f.status, f.kind = http.StatusBadRequest, "bad_body"
		}
	case upstream.KindTimeout, upstream.KindConnectTimeout:
		f.status = http.StatusGatewayTimeout
	case upstream.KindUnavailable:
		f.status = http.StatusServiceUnavailable
	}
	return f
}

// reply answers with a status of the gateway's own. It says nothing about the inside.
func reply(w http.ResponseWriter, r *http.Request, status int) {
	if status == statusClientGone {
		panic(http.ErrAbortHandler) // nobody is there
	}
	h := w.Header()
	connection := h["Connection"]
	clear(h)
	if connection != nil {
		h["Connection"] = connection
	}
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Cache-Control"] = []string{"no-store"}
	text := http.StatusText(status) + "\n"
	if status == http.StatusServiceUnavailable {
		h["Retry-After"] = []string{"1"}
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text))
	}
}
