package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ficus-gateway/ficus/gateway/upstream"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// tunnels are the upgraded connections, which outlive their handlers' servers.
type tunnels struct {
	mu   sync.Mutex // guards open
	open map[*tunnel]struct{}
}

// A tunnel copies bytes both ways between a client and an endpoint.
type tunnel struct {
	client   net.Conn
	buffered *bufio.Reader
	endpoint *upstream.Tunnel
	service  *cell // of a migration whose service has it; nil: another's
}

func (t *tunnel) close() {
	t.client.Close()
	t.endpoint.Close()
}

func (ts *tunnels) add(t *tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.open == nil {
		ts.open = make(map[*tunnel]struct{})
	}
	ts.open[t] = struct{}{}
}

func (ts *tunnels) remove(t *tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.open, t)
}

func (ts *tunnels) count() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return len(ts.open)
}

// drain waits for all tunnels to be closed by their users; when ctx ends it
// closes those that are left.
func (ts *tunnels) drain(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ts.count() > 0 {
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		ts.mu.Lock()
		for t := range ts.open {
			t.close()
		}
		ts.mu.Unlock()
		return
	}
}

// leaving is the time over which the connections of a service that was rolled
// back are closed, so that not all clients come back at once.
var leaving = 30 * time.Second

// leave closes the upgraded connections that a service has of one cell, each
// at a time drawn at random.
func (ts *tunnels) leave(b *book, cell string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t := range ts.open {
		if t.service != nil && t.service.book == b && t.service.name == cell {
			time.AfterFunc(rand.N(leaving), t.close) // closing what is closed does no harm
		}
	}
}

// upgrade takes the connection over from the server and joins it with the
// upstream's.
func (g *Gateway) upgrade(rec *record, r *http.Request, endpoint *upstream.Tunnel) error {
	h := endpoint.Header()
	if asked, got := rec.outgoing.Upgrade, first(h["Upgrade"]); rec.Status == http.StatusSwitchingProtocols && (asked == "" || !sameProtocol(asked, got)) {
		rec.class, rec.firstErr = evidence.ClassBroken, upstream.KindMalformed
		return &upstream.Error{Kind: upstream.KindMalformed, Endpoint: rec.Endpoint, Sent: true,
			Err: fmt.Errorf("it switches to %q where %q was asked for", got, asked)}
	}
	client, buffered, err := rec.writer.control.Hijack()
	if err != nil {
		return &upstream.Error{Kind: upstream.KindRequest, Err: fmt.Errorf("take over the connection: %w", err)}
	}
	t := &tunnel{client: client, buffered: buffered.Reader, endpoint: endpoint}
	if rec.Side == migrations.Modern {
		t.service = rec.cell
	}
	defer client.Close()
	g.tunnels.add(t)
	defer g.tunnels.remove(t)
	if t.service != nil && rec.route.plan.Rollback.Close && g.left(rec) { // while the service was answering
		g.tunnels.leave(t.service.book, t.service.name)
	}
	_ = client.SetDeadline(time.Time{})
	rec.Upgraded = true
	rec.route.Response.Apply(h)
	if err := writeHead(buffered.Writer, endpoint.Status(), h); err != nil {
		rec.ErrKind, rec.Err = kindClientGone, err.Error()
		return nil
	}
	in, out := t.join()
	rec.body.n, rec.writer.n = rec.body.n+in, out
	return nil
}

// left reports whether a rollback has taken the request's people off the
// service since it was decided.
func (g *Gateway) left(rec *record) bool {
	if rec.trips() {
		return true
	}
	now := g.snapshot.Load()
	for i, mp := range now.plan.migrations {
		if mp.ID != rec.route.plan.ID {
			continue
		}
		for j := range now.standings[i].cells {
			if c := &now.standings[i].cells[j]; c.name == rec.cell.name {
				return c.state == nil || c.share == 0 && c.state.RolledBack
			}
		}
	}
	return false
}

func sameProtocol(asked, got string) bool {
	for item := range strings.SplitSeq(asked, ",") {
		if strings.EqualFold(strings.TrimSpace(item), strings.TrimSpace(got)) {
			return true
		}
	}
	return false
}

// writeHead writes the head of an answer as it came, hop-by-hop fields included.
func writeHead(w *bufio.Writer, status string, h http.Header) error {
	fmt.Fprintf(w, "HTTP/1.1 %s\r\n", status)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if strings.HasPrefix(name, "Ficus-") {
			continue
		}
		for _, value := range h[name] {
			fmt.Fprintf(w, "%s: %s\r\n", name, value)
		}
	}
	io.WriteString(w, "\r\n")
	return w.Flush()
}

// halfClosed is how long one direction of a tunnel may be silent after the
// other has ended: who has said all may still be told much, but not wait for
// somebody who never closes.
var halfClosed = 30 * time.Second

// join copies until both directions have ended; one that ends is told to the
// other side, so that half-closed connections work. It returns the bytes from
// and to the client.
func (t *tunnel) join() (in, out int64) {
	var toEndpoint, toClient progress
	sent, got := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		if _, err := io.Copy(io.MultiWriter(t.endpoint, &toEndpoint), t.buffered); err != nil {
			t.endpoint.Close()
			return
		}
		_ = t.endpoint.CloseWrite()
	}()
	go func() {
		defer close(got)
		_, err := io.Copy(io.MultiWriter(t.client, &toClient), t.endpoint)
		cw, ok := t.client.(interface{ CloseWrite() error })
		if err != nil || !ok || cw.CloseWrite() != nil {
			t.client.Close()
		}
	}()
	select {
	case <-sent:
		t.outlive(got, &toClient)
	case <-got:
		t.outlive(sent, &toEndpoint)
	}
	<-sent
	<-got
	return toEndpoint.n.Load(), toClient.n.Load()
}

// outlive waits for the direction that is left, and closes both ends when it
// is silent for too long.
func (t *tunnel) outlive(done <-chan struct{}, p *progress) {
	tick := time.NewTicker(halfClosed)
	defer tick.Stop()
	for last := p.n.Load(); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if now := p.n.Load(); now != last {
			last = now
			continue
		}
		t.close()
		return
	}
}

// A progress counts the bytes of one direction.
type progress struct{ n atomic.Int64 }

func (p *progress) Write(b []byte) (int, error) {
	p.n.Add(int64(len(b)))
	return len(b), nil
}
