package load

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/examples/shop"
)

// An exchange is a request to be made.
type exchange struct {
	route  string // what it counts as
	method string // empty: GET
	path   string // with query
	body   string
	kind   string // content type of the body
	tag    string // of what the customer has already
	key    string // idempotency key
}

// An answer is what came of it.
type answer struct {
	route  string
	sent   string // entity tag that the request had
	status int
	header http.Header
	body   []byte
	err    error // of the transport, to the last byte of the body
}

// unchanged reports whether the answer is that the customer has it already.
func (a answer) unchanged() bool {
	return a.status == http.StatusNotModified && a.sent != "" && len(a.body) == 0
}

// ask makes a request, reads the answer to its end, and counts it. The request
// goes on when ctx ends, so that none is cut off by the end of a load.
func (c *customer) ask(ctx context.Context, e exchange) answer {
	a := answer{route: e.route, sent: e.tag}
	method := cmp.Or(e.method, http.MethodGet)
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, c.load.target.Scheme+"://"+c.load.target.Host+e.path, strings.NewReader(e.body))
	if err != nil {
		a.err = err
		c.load.count(c.name, a, time.Now(), 0, false)
		return a
	}
	for name, value := range map[string]string{"Content-Type": e.kind, "If-None-Match": e.tag, "Idempotency-Key": e.key} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	start := time.Now()
	res, err := c.client.Do(r)
	if err != nil {
		a.err = err
	} else {
		a.status, a.header = res.StatusCode, res.Header
		a.body, a.err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	c.load.count(c.name, a, start, time.Since(start), method == http.MethodGet)
	return a
}

// side returns the application that answered, or nothing if that says nothing
// about where the customer belongs: the gateway fell back, or answered itself.
func (a answer) side() string {
	if a.err != nil || a.header.Get("Ficus-Fallback") != "" {
		return ""
	}
	return a.header.Get(shop.ServedBy)
}
