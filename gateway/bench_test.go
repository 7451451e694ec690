package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/flags"
	"github.com/ficus-gateway/ficus/migrations"
)

// BenchmarkServe is a whole request, with a real connection to an application:
// what a migration, a guard and a watchdog cost on top of a plain route.
func BenchmarkServe(b *testing.B) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer app.Close()
	assigner, err := flags.New(flags.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer assigner.Close()
	split, _ := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: 50_000})
	m := migrations.Migration{ID: "orders", From: "monolith", To: "orders", Seq: 2, Epoch: 2, Split: split}
	m.Test, m.K = 2, 1
	for i := range m.Taus {
		m.Taus[i] = time.Second
	}
	g, err := New(Options{
		Assigner: assigner,
		Table: tableOf(b, `
upstreams: {monolith: "`+app.URL+`", orders: "`+app.URL+`"}
migrations:
  orders: {from: monolith, to: orders, key: header:X-User, compare: {sample: 0%}}
  watched: {from: monolith, to: orders, key: header:X-User, compare: {sample: 0%}, guard: {latency: {quantile: p99, worse_by: 20%}}}
routes:
  - {path: /api/orders/*, migration: orders}
  - {path: /api/watched/*, migration: watched}
  - {path: /*, upstream: monolith}
`),
		State: migrations.State{Seq: 2, Migrations: map[string]migrations.Migration{"orders": m, "watched": m}},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close(b.Context())
	for name, path := range map[string]string{"plain": "/7", "migration": "/api/orders/7", "guard of latency": "/api/watched/7"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.Header.Set("X-User", "alice")
			for b.Loop() {
				w := httptest.NewRecorder()
				g.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
