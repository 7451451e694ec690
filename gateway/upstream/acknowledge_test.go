package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/routes"
)

func TestAWriteIsSentOnlyOverAnAcknowledgedConnection(t *testing.T) {
	ack := Acknowledgement{Path: "/rehearsal", Secret: []byte("a shared secret"), Mode: ModeRehearse}
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		sent   bool
	}{
		"acknowledged": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(AcknowledgeField, ack.Sign(r.Header.Get(NonceField)))
		}, true},
		"not known there": {http.NotFound, false},
		"unsigned":        {func(w http.ResponseWriter, r *http.Request) {}, false},
		"signed with another": {func(w http.ResponseWriter, r *http.Request) {
			other := ack
			other.Secret = []byte("another secret")
			w.Header().Set(AcknowledgeField, other.Sign(r.Header.Get(NonceField)))
		}, false},
		"for another mode": {func(w http.ResponseWriter, r *http.Request) {
			other := ack
			other.Mode = ModeDual
			w.Header().Set(AcknowledgeField, other.Sign(r.Header.Get(NonceField)))
		}, false},
		"an old nonce": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(AcknowledgeField, ack.Sign("the nonce of yesterday"))
		}, false},
		"and then closes": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(AcknowledgeField, ack.Sign(r.Header.Get(NonceField)))
			w.Header().Set("Connection", "close")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var writes, peers atomic.Int64
			var asker atomic.Value
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == ack.Path {
					asker.Store(r.RemoteAddr)
					c.answer(w, r)
					return
				}
				if asker.Load() == r.RemoteAddr {
					peers.Add(1)
				}
				writes.Add(1)
			}))
			defer server.Close()
			u := acknowledging(t, server.URL)
			res, err := u.DoAcknowledged(t.Context(), ack, &Request{
				Method: "POST", Target: "/orders", Header: http.Header{}, Body: strings.NewReader("x"), Length: 1, AbortBody: func() {},
			})
			if err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Close()
			}
			if sent := writes.Load() == 1; sent != c.sent || (err == nil) != c.sent {
				t.Errorf("sent %v with error %v, want sent %v", sent, err, c.sent)
			}
			if !c.sent && !errors.Is(err, ErrNotAcknowledged) {
				t.Errorf("the error is %v, which does not say that it was not acknowledged", err)
			}
			if c.sent && peers.Load() != 1 {
				t.Error("the write came over another connection than the acknowledgement")
			}
		})
	}
}

// acknowledging returns an upstream of one plain endpoint.
func acknowledging(t *testing.T, base string) *Upstream {
	t.Helper()
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u, err := New(routes.Upstream{
		Name: "orders", Endpoints: []routes.Endpoint{{Scheme: "http", Host: at.Host, Weight: 1}}, Protocol: routes.HTTP1,
		MaxIdle: 8, Timeouts: routes.Timeouts{Connect: time.Second, Response: time.Second, Idle: time.Second, Keep: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}
