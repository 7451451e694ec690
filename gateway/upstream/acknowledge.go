package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// The fields of an acknowledgement: the endpoint is asked with a nonce and a
// mode, and answers with a signature of both.
const (
	NonceField       = "Ficus-Nonce"
	ModeField        = "Ficus-Mode"
	AcknowledgeField = "Ficus-Acknowledge"
)

// The modes that an endpoint may acknowledge.
const (
	ModeRehearse = "rehearse" // requests marked Ficus-Shadow change nothing
	ModeDual     = "dual"     // a write with an Idempotency-Key that comes twice counts once
)

// ErrNotAcknowledged is the cause of an [Error] of DoAcknowledged whose
// request was not sent, since the endpoint did not acknowledge the mode.
var ErrNotAcknowledged = errors.New("the endpoint has not acknowledged it")

// An Acknowledgement says how endpoints are asked whether they treat writes
// as a mode says.
type Acknowledgement struct {
	Path   string
	Secret []byte
	Mode   string
}

// Sign returns what an endpoint answers to a nonce: HMAC-SHA-256, in hex, of
// "ficus-acknowledge", the mode and the nonce, each followed by a line feed.
func (a Acknowledgement) Sign(nonce string) string {
	m := hmac.New(sha256.New, a.Secret)
	fmt.Fprintf(m, "ficus-acknowledge\n%s\n%s\n", a.Mode, nonce)
	return hex.EncodeToString(m.Sum(nil))
}

// DoAcknowledged sends a request over a connection on which the endpoint has
// acknowledged a mode just before. The connection is a new one, so that the
// process that acknowledged is the one that gets the request, whatever was
// restarted in between. The request is sent once at most. It needs HTTP/1.1.
func (u *Upstream) DoAcknowledged(ctx context.Context, a Acknowledgement, r *Request) (*Response, error) {
	e := u.pick(nil)
	refuse := func(err error) (*Response, error) {
		return nil, &Error{Kind: KindUnavailable, Endpoint: e.String(), Err: err}
	}
	if e.h2 != nil {
		return refuse(fmt.Errorf("%w: over HTTP/2 it can't be asked", ErrNotAcknowledged))
	}
	c, err := e.dial(ctx)
	if err != nil {
		return nil, e.dialError(ctx, err)
	}
	e.connected()
	if err := c.acknowledge(ctx, a, r.Host); err != nil {
		c.Close()
		return refuse(fmt.Errorf("%w: %w", ErrNotAcknowledged, err))
	}
	e.inflight.Add(1)
	res := &Response{Endpoint: e, Attempts: 1}
	first, err := c.roundTrip(ctx, r, res)
	if err != nil {
		e.inflight.Add(-1)
		kind := kindOf(ctx, err, KindReset)
		if !first && kind == KindReset && !isBroken(err) {
			kind = KindMalformed
		}
		return nil, &Error{Kind: kind, Endpoint: e.String(), Sent: true, Attempts: 1, Err: err}
	}
	finish := res.finish
	var once sync.Once
	res.finish = func() {
		once.Do(func() {
			finish()
			e.inflight.Add(-1)
		})
	}
	return res, nil
}

// acknowledge asks on c whether the mode is acknowledged.
func (c *conn) acknowledge(ctx context.Context, a Acknowledgement, host string) error {
	if limit := c.endpoint.up.def.Timeouts.Connect; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(limit, 5*time.Second))
		defer cancel()
	}
	nonce := rand.Text()
	ask := &Request{
		Method: http.MethodGet, Target: a.Path, Host: host,
		Header: http.Header{NonceField: {nonce}, ModeField: {a.Mode}, "User-Agent": {"ficus-acknowledge"}},
	}
	if ask.Host == "" {
		ask.Host = c.endpoint.Host()
	}
	res := &Response{Endpoint: c.endpoint}
	if _, err := c.roundTrip(ctx, ask, res); err != nil {
		return err
	}
	c.pinned = true
	defer func() { c.pinned = false }()
	_, err := io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	res.Close()
	switch got := res.Header.Get(AcknowledgeField); {
	case err != nil:
		return err
	case res.Status/100 != 2:
		return fmt.Errorf("%s is answered with status %d", a.Path, res.Status)
	case !hmac.Equal([]byte(got), []byte(a.Sign(nonce))):
		return fmt.Errorf("%s is not signed as it must be", a.Path)
	case c.closed.Load():
		return errors.New("the connection was closed after the acknowledgement")
	}
	return nil
}
