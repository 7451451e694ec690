package migrations

import (
	"fmt"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// BenchmarkDecide is a round for one migration, of which there are four a second
// when nothing happens, and up to twenty when a service fails.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name                       string
		endpoints, votes, networks int
	}{{"idle", 8, 0, 40}, {"some errors", 8, 20, 40}, {"outage", 32, 500, 400}} {
		b.Run(c.name, func(b *testing.B) {
			now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
			plan := ramp("shadow", "live=50%", "live=90%")
			plan.ID, plan.From, plan.To, plan.Guard.FalseAlarm = "orders", "monolith", "orders", 0.001
			byDefault(&plan)
			s := State{}
			for _, e := range []Event{
				{Kind: Created, Plan: plan.Hash(), Steps: 3}, {Kind: Resumed},
				{Kind: Stepped, Step: 2, Steps: 3, Split: plan.Split(2)},
			} {
				e.Migration = "orders"
				_, next, err := Admit(s, Unconditional, now, e)
				if err != nil {
					b.Fatal(err)
				}
				s = next
			}
			m := s.Migrations["orders"]
			cell := evidence.NewCell(m.Test, m.Split.Modern())
			counts := evidence.Counts{At: now, Cells: map[string]*evidence.Cell{"": cell}, SeveralAt: now.Unix() / 3600}
			for i := range 20_000 {
				v := evidence.Vote{Key: evidence.Key(i), Epoch: m.Epoch, Side: evidence.Side(i % 2), Network: evidence.Network(1 + i%c.networks), At: now, Several: true}
				cell.Meet(v)
				e := cell.At(fmt.Sprint("GET /", i%c.endpoints))
				e.Requests[v.Side][v.Network.Group()]++
				if i < 2*c.votes {
					for _, metric := range []evidence.Metric{evidence.Errors, evidence.Missing, evidence.Pairs} {
						cell.Vote(metric, v)
						cell.VoteAt(e, metric, v)
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				Decide(s, plan, counts, now)
			}
		})
	}
}
