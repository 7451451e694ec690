package app

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// TestEveryComparisonIsInTheMetrics: whatever a service does, what was sampled
// is in the metrics under an outcome, and what was dropped under a reason (law 8).
func TestEveryComparisonIsInTheMetrics(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	wild := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) % 4 {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			fmt.Fprint(w, "another answer")
		case 2:
			<-r.Context().Done()
		case 3:
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: endless\n\n")
		}
	}))
	g := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: "%s", orders: "%s"}
migrations:
  orders: {from: monolith, to: orders, key: url, compare: {timeout: 100ms}}
routes:
  - {path: /orders/*, migration: orders}
  - {path: /*, upstream: monolith}
`, named(t, "monolith"), wild))
	m, err := g.client.Migration(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.client.Shift(t.Context(), "orders", migrations.All(migrations.Shadow), "compare", m.Seq); err != nil {
		t.Fatal(err)
	}
	const requests = 40
	client := browser(t)
	for i := range requests {
		if _, err := read(client, fmt.Sprintf("%s/orders/%d", g.url, i)); err != nil {
			t.Fatal(err)
		}
	}
	sum := func(name string) (total float64, series int) {
		text, err := read(client, g.admin+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^`+name+`\{[^}]*migration="orders"[^}]*\} (\S+)$`).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.ParseFloat(line[1], 64)
			total, series = total+n, series+1
		}
		return total, series
	}
	eventually(t, "all comparisons are decided", func() bool {
		decided, _ := sum("ficus_shadow_observations_total")
		return decided == requests
	})
	if _, outcomes := sum("ficus_shadow_observations_total"); outcomes != 7 {
		t.Errorf("%d outcomes have a series, want all 7", outcomes)
	}
	if sampled, _ := sum("ficus_shadow_sampled_total"); sampled != requests {
		t.Errorf("%v sampled, want %d", sampled, requests)
	}
	counts, err := g.client.Comparisons(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	dropped, _ := sum("ficus_shadow_dropped_total")
	if want := counts.Comparisons[0].Counts.Outcomes["dropped"]; dropped != float64(want) || want == 0 {
		t.Errorf("the reasons add up to %v, dropped are %d", dropped, want)
	}
	if pending, series := sum("ficus_shadow_pending"); pending != 0 || series != 1 {
		t.Errorf("%v pending in %d series", pending, series)
	}
}
