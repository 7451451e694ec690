package migrations

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

func TestTheFirstBadRequestOfADecision(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := view{cell: evidence.NewCell(2, 50_000)}
	v.cell.Vote(evidence.Errors, evidence.Vote{Key: 1, Epoch: 2, Side: evidence.Modern, At: at.Add(time.Second)})
	v.cell.Vote(evidence.Timeouts, evidence.Vote{Key: 1, Epoch: 2, Side: evidence.Modern, At: at})
	every := 15 * time.Second
	slot := evidence.SlotOf(at, every)
	for _, c := range []struct {
		name   string
		record evidence.Record
		want   time.Time
	}{
		{"of the metric that decided", evidence.Record{Metric: evidence.Errors}, at.Add(time.Second)},
		{"of another metric", evidence.Record{Metric: evidence.Timeouts}, at},
		{"of a metric without one", evidence.Record{Metric: evidence.Missing}, time.Time{}},
		{"as the application counts", evidence.Record{Metric: "lost_orders", Basis: evidence.ByInterval, Every: every, Slots: []evidence.Interval{
			{At: slot - 1, Bad: evidence.Sides{1, 0}}, {At: slot, Bad: evidence.Sides{0, 2}}, {At: slot + 1, Bad: evidence.Sides{0, 2}},
		}}, evidence.SlotStart(slot, every).UTC()},
	} {
		if got := v.firstBad(c.record); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What an older program wrote has no first bad request, and is read and written
// as before.
func TestEvidenceWithoutAFirstBadRequest(t *testing.T) {
	const old = `{"harm":3,"at":"2026-03-01T12:00:00Z"}`
	var v Evidence
	if err := json.Unmarshal([]byte(old), &v); err != nil || !v.FirstBad.IsZero() {
		t.Fatalf("%+v, %v", v, err)
	}
	if text, err := json.Marshal(v); err != nil || string(text) != old {
		t.Errorf("%s, %v", text, err)
	}
	v.since(time.UnixMilli(0)) // of a streak that is not known
	if !v.FirstBad.IsZero() {
		t.Error(v.FirstBad)
	}
	v.since(time.UnixMilli(1_800_000_000_000))
	if text, _ := json.Marshal(v); !strings.Contains(string(text), `"first_bad":"2027-01-15T08:00:00Z"`) {
		t.Errorf("%s", text)
	}
}
