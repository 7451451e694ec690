package gateway

import (
	"net/netip"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// finished returns a request of a migration with the default guard, as it is
// when all that is left is to count it, its arrival and its account as one call,
// and another that takes what was written, as whoever decides does.
func finished(t testing.TB) (rec *record, count, take func()) {
	t.Helper()
	table := tableOf(t, `
upstreams: {monolith: "http://127.0.0.1:1", orders: "http://127.0.0.1:2"}
migrations: {orders: {from: monolith, to: orders, key: header:X-User, ramp: [{stage: live, share: 50%}, {stage: complete}]}}
routes: [{path: /*, migration: orders}]
`)
	plan := table.Plans["orders"]
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: 50_000})
	if err != nil {
		t.Fatal(err)
	}
	m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: split}
	m.Test, m.K = 2, 1
	for i := range m.Taus {
		m.Taus[i] = 50 * time.Millisecond
	}
	var all books
	all.init("a", 1)
	b := all.of("orders")
	s := standingOf(plan, &m, b)
	rec = &record{cell: &s.cells[0], route: &route{Route: table.Routes[0], plan: plan}, asked: true, took: 3 * time.Millisecond, whole: 4 * time.Millisecond}
	rec.Start, rec.Total = time.Now(), 4*time.Millisecond
	rec.Side, rec.Method, rec.Target, rec.Pattern, rec.KeySource = migrations.Modern, "GET", "/orders/7", "/*", "header:X-User"
	rec.assignment = flags.Assignment{Key: "ada", KeyHash: 1, Placed: true}
	rec.input.Safe, rec.outgoing.Retry = true, true
	rec.peer.client = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	taken := make([]line, 0, len(b.ledger.shards)*shardLines)
	for i := range b.ledger.shards {
		b.ledger.shards[i].lines = make([]line, 0, shardLines)
	}
	n := 0
	count = func() {
		n++
		rec.assignment.KeyHash, rec.counted, rec.from = uint64(n%100)+1, 0, 0
		rec.arrive()
		rec.account()
	}
	take = func() {
		b.ledger.mu.Lock()
		taken = b.ledger.take(taken[:0])
		b.ledger.mu.Unlock()
	}
	return rec, count, take
}

// between is how many requests there are between two decisions: a quarter of a
// second's, of a busy gateway.
const between = 1000

// fates of a request that is counted.
var countedFates = map[string]func(*record){
	"a good answer":     func(*record) {},
	"an error":          func(rec *record) { rec.class, rec.firstStatus = evidence.ClassFailed, 500 },
	"a slow answer":     func(rec *record) { rec.took, rec.whole = time.Second, 2*time.Second },
	"a healed failure":  func(rec *record) { rec.class, rec.Fallback, rec.healed = evidence.ClassBroken, "connect", true },
	"a compared answer": func(rec *record) { rec.pair = 7 },
}

// BenchmarkCount is what it costs a request to be counted. It should stay below
// 100 ns, and allocate nothing.
func BenchmarkCount(b *testing.B) {
	for name, fate := range countedFates {
		b.Run(name, func(b *testing.B) {
			rec, count, take := finished(b)
			fate(rec)
			b.ReportAllocs()
			for n := 1; b.Loop(); n++ {
				if count(); n%between == 0 {
					b.StopTimer()
					take()
					b.StartTimer()
				}
			}
		})
	}
}

// Counting a request allocates nothing, whatever became of it. The first few of
// those that go wrong do, since a decision links to their traces.
func TestCountingAllocatesNothing(t *testing.T) {
	for name, fate := range countedFates {
		rec, count, take := finished(t)
		fate(rec)
		for range 2 * evidence.SpanLimit {
			count()
		}
		for range 20 {
			if n := testing.AllocsPerRun(between, count); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
			take()
		}
	}
}
