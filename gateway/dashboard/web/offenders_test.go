package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// The page of a rollback says which requests it is for, and fits a telephone.
func TestThePageOfARollbackListsTheOffendingRequests(t *testing.T) {
	w := begin(t, usual)
	w.shift("orders", "live=25% off=75%", "the first users")
	seq := w.last().Seq
	e := migrations.Event{
		Migration: "orders", Kind: migrations.RolledBack, Cause: migrations.CauseTest, Split: migrations.All(migrations.Off), Actor: "ficus", Reason: "errors",
		Evidence: &migrations.Evidence{
			FirstBad: time.Now().Add(-time.Second), At: time.Now(),
			Records: []evidence.Record{{Metric: evidence.Errors, Odds: evidence.Worse(), Epochs: []evidence.Sample{{W: 0.25, Service: 14}}, E: 2494, Threshold: 1000}},
			Where:   "only requests with the cookie beta: 14 of 14 users got status 500; 0 of 320 without it",
		},
	}
	for i := range migrations.OffenderLimit {
		e.Evidence.Offenders = append(e.Evidence.Offenders, migrations.Offender{
			Method: "GET", Route: "orders", Endpoint: "/api/orders/{id}/" + strings.Repeat("long", 40), Status: 500 * (i % 2), Upstream: "10.0.0.5:3001", TraceID: fmt.Sprintf("%032x", i+1),
		})
	}
	if _, err := w.Events().Append(t.Context(), seq, e); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rollback is in force", func() bool { return w.one("orders").RolledBack })
	b := w.open(t, "alice")
	path := fmt.Sprintf("/history/%d", seq+1)
	for _, width := range []int{1280, 400} {
		b.size(int64(width), 900)
		if status := b.goTo(path); status != http.StatusOK {
			t.Errorf("%d", status)
		}
		b.has("main", "only requests with the cookie beta: 14 of 14 users got status 500; 0 of 320 without it.", "GET /api/orders/{id}/long", "500", "no answer", "10.0.0.5:3001", fmt.Sprintf("%032x", 16))
		b.has("main", "Time to recovery", "first bad request", "in force at gateway", "no user was hurt")
		if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > width {
			t.Errorf("it is %d wide in a window of %d", wide, width)
		}
		b.picture(fmt.Sprintf("offenders-%d", width))
	}
}
