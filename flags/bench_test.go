package flags

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

func assigner(t testing.TB, o Options) *Assigner {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// benchInput is a request halfway through a ramp, in the context of a server.
func benchInput(t testing.TB, key ...migrations.KeySource) (context.Context, *Input) {
	r := httptest.NewRequest("GET", "/api/orders/7?page=2", nil)
	r.Header.Set("Cookie", "theme=dark; session=0123456789abcdef; uid=4711; lang=en")
	r.Header.Set("X-User-Id", "4711")
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), new(int), "server"))
	t.Cleanup(cancel)
	return ctx, &Input{
		Plan:    &migrations.Plan{ID: "orders", Flag: "orders", Key: key},
		State:   &migrations.Migration{ID: "orders", Split: migrations.Split{{Stage: migrations.Live, Buckets: 5000}, {Stage: migrations.Shadow, Buckets: 95000}}},
		Request: r, Client: netip.MustParseAddr("192.0.2.1"), ClientText: "192.0.2.1", Safe: true,
	}
}

func BenchmarkAssign(b *testing.B) {
	for _, source := range []migrations.KeySource{{Kind: "cookie", Name: "uid"}, {Kind: "header", Name: "X-User-Id"}, {Kind: "ip"}, {Kind: "url"}, {Kind: "anonymous"}} {
		b.Run(source.String(), func(b *testing.B) {
			a := assigner(b, Options{})
			ctx, in := benchInput(b, source)
			if source.Kind == "anonymous" {
				in.Request.Header.Add("Cookie", a.Cookie(in, a.Assign(ctx, in)).String())
			}
			b.ReportAllocs()
			for b.Loop() {
				a.Assign(ctx, in)
			}
		})
	}
}
