package app

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// TestAnApplicationReportsOutcomes: with a token for nothing else it posts what
// has become of people, and that arrives in what is decided from.
func TestAnApplicationReportsOutcomes(t *testing.T) {
	r := start(t, fmt.Sprintf(anywhere+`
upstreams: {monolith: %q, orders: %q}
migrations:
  orders:
    from: monolith
    to: orders
    key: header:X-User
    auto: true
    ramp: [{stage: live, share: 50%%, hold: 1h}]
    guard: {metrics: [{name: lost_orders, reported: keys}, {name: mails, reported: sides, every: 1s}]}
routes: [{path: /*, migration: orders}]
`, named(t, "monolith"), named(t, "orders")))
	eventually(t, "a test runs", func() bool { return r.gateway.Testing("orders") })
	made := exec.CommandContext(t.Context(), "ficus", "token", "create", "shop", "--role", "reporter", "--admin", r.admin)
	made.Env = append(made.Environ(), "FICUS_TOKEN="+r.Token().Reveal())
	token, err := made.Output()
	if err != nil {
		t.Fatal(err)
	}
	post := func(body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("POST", r.admin+"/api/outcomes", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		req.Header.Set("Content-Type", "application/json")
		res, err := browser(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, strings.Join(strings.Fields(string(text)), "")
	}
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprintf(`{"id": "o%d", "migration": "orders", "metric": "lost_orders", "key": "user %d", "bad": 1}`, i, i))
	}
	body := `{"outcomes": [` + strings.Join(all, ",") + `]}`
	if status, text := post(body); status != 200 || text != `{"counted":40,"repeated":0,"late":0,"outside":0}` {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := post(body); status != 200 || text != `{"counted":0,"repeated":40,"late":0,"outside":0}` {
		t.Errorf("sent again: %d %s", status, text)
	}
	if n := r.counts("orders").Cells[""].Bad["app:lost_orders"].Total(); n.Sum() != 40 || n[evidence.Modern] < 5 || n[evidence.Legacy] < 5 {
		t.Errorf("%v people", n)
	}
	if status, text := post(`{"outcomes": [{"id": "x", "migration": "orders", "metric": "found_orders", "key": "user 1"}]}`); status != 422 || !strings.Contains(text, "outcomes[0].metric") {
		t.Errorf("%d %s", status, text)
	}
	n := 0
	eventually(t, "numbers by side arrive", func() bool {
		n++
		if status, text := post(fmt.Sprintf(`{"outcomes": [{"id": "m%d", "migration": "orders", "metric": "mails", "side": "modern", "bad": 1, "total": 3}]}`, n)); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		time.Sleep(50 * time.Millisecond)
		s := r.counts("orders").Reported["app:mails"]
		return s != nil && len(s.Slots) > 0 && s.Slots[0].Total[evidence.Modern] >= 3*s.Slots[0].Bad[evidence.Modern]
	})
	if text := r.log.String() + r.access.String(); strings.Contains(text, "user 1") {
		t.Error("a targeting key is in the log")
	}
}
