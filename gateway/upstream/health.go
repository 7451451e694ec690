package upstream

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

// check asks the endpoint for its health path until ctx ends. An endpoint is
// taken for healthy until it has failed h.Unhealthy times in a row.
func (e *Endpoint) check(ctx context.Context, h *routes.Health) {
	t := time.NewTicker(h.Every)
	defer t.Stop()
	good, bad := 0, 0
	for {
		switch works, known := e.probe(ctx, h); {
		case !known:
		case works:
			good, bad = good+1, 0
		default:
			good, bad = 0, bad+1
		}
		switch {
		case bad >= max(h.Unhealthy, 1):
			e.sick.Store(true)
		case good >= max(h.Healthy, 1):
			e.sick.Store(false)
			e.connected()
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// probe reports whether the health path is answered with a status below 400 in
// time. Nothing is known if no connection was free to ask over, or the checks end.
func (e *Endpoint) probe(ctx context.Context, h *routes.Health) (works, known bool) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	host := e.def.Host
	if e.up.def.Host == routes.HostLiteral {
		host = e.up.def.HostName
	}
	res := &Response{Endpoint: e}
	_, err := e.do(ctx, &Request{
		Method: http.MethodGet,
		Target: h.Path,
		Host:   host,
		Header: http.Header{"User-Agent": {"ficus-health"}},
		Retry:  true,
	}, res, true)
	if err != nil {
		return false, err.Kind != KindUnavailable && outer.Err() == nil
	}
	defer res.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be kept
	return res.Status < 400, true
}
