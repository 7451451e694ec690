package web_test

import (
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// paced asks for a path so often a second, and returns the latencies, sorted.
func (w *world) paced(path string, rate int, span time.Duration) []time.Duration {
	w.t.Helper()
	took := make(chan time.Duration, rate*int(span/time.Second)+1)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	n := 0
	for end := time.Now().Add(span); time.Now().Before(end); n++ {
		due := <-tick.C
		go func() {
			res, err := http.Get(w.public + path)
			if err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			took <- time.Since(due)
		}()
	}
	var out []time.Duration
	for range n {
		out = append(out, <-took)
	}
	slices.Sort(out)
	return out
}

// Dashboards that are open do not move the gateway's p99: fifty of a small
// config, and twenty with 200 migrations, 2,000 routes and 5,000 findings. It
// needs a quiet machine: FICUS_BENCH=1.
func TestOpenDashboardsDoNotMoveTheP99(t *testing.T) {
	if os.Getenv("FICUS_BENCH") == "" {
		t.Skip("it needs a quiet machine: FICUS_BENCH=1")
	}
	t.Run("fifty", func(t *testing.T) {
		busy(t).unmoved(50, "/api/cart/7", "page=overview", "page=migration&id=orders", "page=migration&id=cart")
	})
	t.Run("twenty with much to show", func(t *testing.T) {
		large(t).unmoved(20, "/part/007/7/x", "page=overview", "page=migration&id=part-007", "page=migration&id=part-150")
	})
}

// unmoved asks for a path with and without so many open pages, in turns, and
// fails if the p99 tells them apart.
func (w *world) unmoved(dashboards int, path string, pages ...string) {
	w.t.Helper()
	var without, with []time.Duration
	for range 3 {
		without = append(without, w.paced(path, 200, 5*time.Second)...)
		var open []*follower
		for i := range dashboards {
			open = append(open, w.follow(pages[i%len(pages)]))
		}
		for _, f := range open {
			go func() { _, _ = io.Copy(io.Discard, f.read) }()
		}
		with = append(with, w.paced(path, 200, 5*time.Second)...)
		for _, f := range open {
			f.res.Body.Close()
		}
	}
	slices.Sort(without)
	slices.Sort(with)
	p99 := func(d []time.Duration) time.Duration { return d[len(d)*99/100] }
	w.t.Logf("p99 without %v, with %d dashboards %v (%.2f times); p50 %v and %v", p99(without), dashboards, p99(with), float64(p99(with))/float64(p99(without)), without[len(without)/2], with[len(with)/2])
	if p99(with) > p99(without)*13/10+500*time.Microsecond {
		w.t.Error("the dashboards are felt")
	}
}
