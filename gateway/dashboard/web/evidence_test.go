package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// The page of a migration says in plain words what the guard weighs, of what was
// counted only, and what was counted of the busiest endpoints.
func TestTheEvidenceIsSaidInPlainWords(t *testing.T) {
	w := begin(t, strings.Replace(usual, "owner: team-orders", "owner: team-orders\n    guard: {latency: off}", 1))
	w.shift("orders", "live=50% shadow=50%", "the first users")
	w.visit("/api/orders/7", 40)
	w.visit("/api/orders/missing", 20)
	eventually(t, "all is counted", func() bool {
		test := w.one("orders").Cells[0].Test
		return test != nil && test.Legacy.Requests+test.Modern.Requests >= 60 && len(test.Endpoints) >= 2
	})
	test := w.one("orders").Cells[0].Test
	if e := test.Endpoints[0]; e.Name != "GET /api/orders/{id}" || e.Requests.Legacy+e.Requests.Modern != 40 || e.Failed.Legacy+e.Failed.Modern != 0 || e.Clean == 0 {
		t.Errorf("%+v", e)
	}
	b := w.open(t, "alice")
	for _, width := range []int64{1280, 400} {
		b.size(width, 900)
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			b.goTo("/migrations/orders")
			b.live()
			b.has("#evidence", "users got 404 or 410 from orders", "of the threshold", "nothing counted: errors, timeouts, ", "on orders", "on monolith", "Busiest endpoints", "GET /api/orders/{id}")
			if text := b.text("#evidence"); strings.Contains(text, "E = ") || strings.Contains(text, "first byte") {
				t.Errorf("%s", text)
			}
			if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("it is %d wide in a window of %d", wide, width)
			}
			for _, trouble := range b.inspect() {
				t.Errorf("%d, %s: %s", width, scheme, trouble)
			}
			b.picture(fmt.Sprintf("evidence-%d-%s", width, scheme))
		}
	}
}

// The causes and waits that a hold may have read well, on the page of the
// migration and in the history.
func TestAHoldReadsWell(t *testing.T) {
	w := begin(t, usual)
	w.shift("orders", "live=25% shadow=75%", "the first users")
	for cause, reads := range map[migrations.Cause]string{migrations.CauseControl: "monolith fails", migrations.CauseFinding: "open finding"} {
		t.Run(string(cause), func(t *testing.T) {
			seq := w.last().Seq
			if _, err := w.Events().Append(t.Context(), seq, migrations.Event{
				Migration: "orders", Kind: migrations.Held, Cause: cause, Actor: "ficus", Reason: "it is said here",
				Evidence: &migrations.Evidence{At: time.Now().UTC(), Gateways: 1, Where: "GET /api/orders/{id}: only requests with the cookie beta: 14 of 14 users had answers that differ; 0 of 64 without it"},
			}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the hold is in force", func() bool { return w.one("orders").Cells[0].Cause == cause })
			b := w.open(t, "alice")
			b.goTo(fmt.Sprintf("/history/%d", seq+1))
			b.has("main", reads, "only requests with the cookie beta")
			for _, trouble := range b.inspect() {
				t.Error(trouble)
			}
			b.picture("hold-" + string(cause))
		})
	}
}

// A finding says which requests show it.
func TestTheFindingSaysWhichRequestsShowIt(t *testing.T) {
	w := busy(t)
	b := w.open(t, "alice")
	for _, width := range []int64{1280, 400} {
		b.size(width, 900)
		b.goTo("/findings/" + w.findings()[0].ID)
		b.has("main", "Which requests show it: ", "users had answers that differ")
		b.picture(fmt.Sprintf("finding-where-%d", width))
	}
}
