package web_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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

// Fifty dashboards that are open do not move the gateway's p99. It needs a
// quiet machine: FICUS_BENCH=1.
func TestFiftyDashboardsDoNotMoveTheP99(t *testing.T) {
	if os.Getenv("FICUS_BENCH") == "" {
		t.Skip("it needs a quiet machine: FICUS_BENCH=1")
	}
	w := busy(t)
	var without, with []time.Duration
	for range 3 { // interleaved
		without = append(without, w.paced("/api/cart/7", 200, 5*time.Second)...)
		var open []*follower
		for i := range 50 {
			open = append(open, w.follow([]string{"page=overview", "page=migration&id=orders", "page=migration&id=cart"}[i%3]))
		}
		for _, f := range open {
			go func() { _, _ = io.Copy(io.Discard, f.read) }()
		}
		with = append(with, w.paced("/api/cart/7", 200, 5*time.Second)...)
		for _, f := range open {
			f.res.Body.Close()
		}
	}
	slices.Sort(without)
	slices.Sort(with)
	p99 := func(d []time.Duration) time.Duration { return d[len(d)*99/100] }
	t.Logf("p99 without %v, with 50 dashboards %v (%.2f times); p50 %v and %v", p99(without), p99(with), float64(p99(with))/float64(p99(without)), without[len(without)/2], with[len(with)/2])
	if p99(with) > p99(without)*13/10+500*time.Microsecond {
		t.Error("the dashboards are felt")
	}
}

// From the click to the first request on the new side, p99 under 50 ms.
func TestAClickIsInForceAtOnce(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	var took []time.Duration
	clicks := 6
	if os.Getenv("FICUS_BENCH") != "" {
		clicks = 60
	}
	for i := range clicks {
		b.goTo("/migrations/cart")
		b.do(chromedp.SetValue(chromedp.CSS("#stage"), "live"))
		b.fill("#exact", "100")
		b.fill("#why", fmt.Sprint("turn ", i))
		want := []string{"modern", "legacy"}[i%2]
		seen := make(chan time.Time, 1)
		go func() {
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
				if w.side("/api/cart/7", "anybody") == want {
					break
				}
			}
			seen <- time.Now()
		}()
		began := time.Now()
		b.press("#toggle")
		took = append(took, (<-seen).Sub(began))
	}
	slices.Sort(took)
	t.Logf("from the click to the first request on the new side: p50 %v, p99 %v of %d", took[len(took)/2], took[len(took)*99/100], len(took))
	if limit := map[bool]time.Duration{true: 50 * time.Millisecond, false: 2 * time.Second}[os.Getenv("FICUS_BENCH") != ""]; took[len(took)*99/100] > limit {
		t.Errorf("that takes longer than %v", limit)
	}
}
