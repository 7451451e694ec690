package gateway

import (
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// Whoever waits for an answer has come: a side that is slow, or hangs, has as
// many people as the split gives it.
func TestPeopleAreThereBeforeTheirAnswer(t *testing.T) {
	r := ramp(t, "", "", nil)
	cell := &r.gateway.Snapshot().standings[0].cells[0]
	rec := &record{cell: cell, route: &r.gateway.Snapshot().plan.routes[0]}
	rec.assignment.Placed, rec.assignment.Key, rec.assignment.Verified = true, "k", true
	rec.input.Safe = true
	for i := range 3000 {
		rec.assignment.KeyHash, rec.counted = uint64(i%300)+1, 0
		rec.Side = migrations.Legacy
		if i%300 < 150 {
			rec.Side = migrations.Modern
		}
		rec.arrive()
	}
	lines := 0
	for i := range cell.book.ledger.shards {
		lines += len(cell.book.ledger.shards[i].lines)
	}
	c := r.gateway.Evidence("orders").Cells[""]
	if c.Seen.Total() != (evidence.Sides{150, 150}) || c.Active.Len() == 0 || c.Requests().Sum() != 0 {
		t.Errorf("seen %v, active %d, requests %v", c.Seen.Total(), c.Active.Len(), c.Requests())
	}
	if lines != 300 {
		t.Errorf("300 people who came ten times each were noted %d times", lines)
	}
}
