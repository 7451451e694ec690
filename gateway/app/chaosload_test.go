//go:build linux

package app

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Clients ask the gateways of a world without end, behind a load balancer:
// what a gateway that was killed left unanswered goes to another one.
type clients struct {
	world    *world
	client   *http.Client
	answered atomic.Int64
	retried  atomic.Int64
	wait     sync.WaitGroup

	mu     sync.Mutex // guards failed
	failed []string
}

func newClients(w *world) *clients {
	tr := &http.Transport{DialContext: w.net.dialer("w"), MaxIdleConnsPerHost: 8, DisableCompression: true}
	w.t.Cleanup(tr.CloseIdleConnections)
	return &clients{world: w, client: &http.Client{Transport: tr, Timeout: 10 * time.Second}}
}

// begin asks until ctx ends.
func (l *clients) begin(ctx context.Context) {
	for n := range 6 {
		l.wait.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				if err := l.ask(ctx, i); err != nil && ctx.Err() == nil {
					l.mu.Lock()
					l.failed = append(l.failed, err.Error())
					l.mu.Unlock()
				}
				time.Sleep(rand.N(10 * time.Millisecond))
			}
		})
	}
}

func (l *clients) ask(ctx context.Context, i int) error {
	for try := 0; ; try++ {
		g := l.world.gateways[(i+try)%3]
		if !g.up.Load() {
			continue
		}
		deaths := g.deaths.Load()
		err := l.once(ctx, g, i)
		if err == nil {
			l.answered.Add(1)
			return nil
		}
		if g.deaths.Load() == deaths && g.up.Load() || try > 10 {
			return fmt.Errorf("gateway %d: %w", g.n, err)
		}
		l.retried.Add(1)
	}
}

func (l *clients) once(ctx context.Context, g *replica, i int) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.public+"/"+ids[i%3], nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", fmt.Sprint("uid=", i%1000))
	res, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !strings.Contains(string(text), " GET /"+ids[i%3]) {
		return fmt.Errorf("%s: %s", res.Status, text)
	}
	return nil
}

// judge reports the requests that failed.
func (l *clients) judge(seed uint64, said string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.failed[:min(len(l.failed), 5)] {
		l.world.t.Errorf("schedule %d: a request failed: %s (%s)", seed, err, said)
	}
	l.failed = nil
}
