package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/shadow"
	"github.com/ficus-gateway/ficus/migrations"
)

// TestShadowCostsTheUserNothing measures the control's p99 in an open loop at
// 30 % of what the gateway can do, with everything compared and with nothing
// compared, in turns, and holds the first within 10 % of the second. It is
// part of make bench, and wants a quiet machine.
func TestShadowCostsTheUserNothing(t *testing.T) {
	if os.Getenv("FICUS_BENCH") == "" {
		t.Skip("a measurement: run make bench")
	}
	const turns, turn = 12, 2 * time.Second
	legacy := httptest.NewServer(order(""))
	defer legacy.Close()
	for name, candidate := range map[string]http.HandlerFunc{"well": order(""), "hanging": wild["hangs"]} {
		t.Run(name, func(t *testing.T) {
			modern := httptest.NewServer(candidate)
			defer modern.Close()
			defer modern.CloseClientConnections()
			off, _ := comparing(t, legacy.URL, modern.URL, migrations.Off, shadow.Options{})
			on, s := comparing(t, legacy.URL, modern.URL, migrations.Shadow, shadow.Options{})
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
			defer client.CloseIdleConnections()
			rate := 0.3 * saturation(client, off)
			took := map[string][]time.Duration{}
			for i := range turns {
				for _, url := range [][2]string{{"off", off}, {"on", on}} {
					got := openLoop(client, url[1], rate, turn)
					if i > 1 { // the first turns warm up
						took[url[0]] = append(took[url[0]], got...)
					}
				}
			}
			p99 := func(name string) time.Duration {
				slices.Sort(took[name])
				return took[name][len(took[name])*99/100]
			}
			a, b := p99("off"), p99("on")
			t.Logf("%.0f requests/s; p99 off %v, on %v (%+.1f %%); %+v", rate, a, b, 100*(float64(b)/float64(a)-1), s.Find("orders").Counts())
			if float64(b) > 1.1*float64(a) {
				t.Errorf("the control's p99 is %v with the shadow and %v without", b, a)
			}
		})
	}
}

func fetch(client *http.Client, url string, i int) {
	r, _ := http.NewRequest("GET", url+"/api/orders/"+strconv.Itoa(i%1000), nil)
	r.Header.Set("X-User", fmt.Sprint("u", i%500))
	res, err := client.Do(r)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

// saturation returns how many requests a second 32 clients get answered.
func saturation(client *http.Client, url string) float64 {
	const span = 3 * time.Second
	var wait sync.WaitGroup
	var mu sync.Mutex
	n := 0
	end := time.Now().Add(span)
	for c := range 32 {
		wait.Go(func() {
			mine := 0
			for i := c; time.Now().Before(end); i += 32 {
				fetch(client, url, i)
				mine++
			}
			mu.Lock()
			n += mine
			mu.Unlock()
		})
	}
	wait.Wait()
	return float64(n) / span.Seconds()
}

// openLoop begins requests at a rate, whatever became of those before, and
// returns how long each took from the moment it was due.
func openLoop(client *http.Client, url string, rate float64, span time.Duration) []time.Duration {
	n := int(rate * span.Seconds())
	took := make([]time.Duration, n)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range n {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		wait.Go(func() {
			fetch(client, url, i)
			took[i] = time.Since(due)
		})
	}
	wait.Wait()
	return took
}
