package telemetry

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// anExchange returns a request on a migration in which everything is set.
func anExchange() Exchange {
	return Exchange{
		Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), RequestID: "req-1",
		Method: "GET", Scheme: "https", Host: "shop.example:8443", Target: "/api/orders/7?token=hunter2",
		Proto: "HTTP/1.1", ClientAddr: "203.0.113.9", Peer: "10.0.0.1", UserAgent: "curl/8.5.0",
		RouteID: "orders", Pattern: "/api/orders/{id}", Migration: "orders", Flag: "orders",
		Stage: migrations.Live, Side: migrations.Modern, Variant: "live", Reason: "TARGETING_MATCH",
		Cohort: "staff", KeySource: "cookie:uid", KeyHash: 0xab54a98ceb1f0ad2, Bucket: 4711,
		Upstream: "orders", Endpoint: "http://10.0.0.5:3001", Attempts: 2, Status: 200,
		BytesIn: 12, BytesOut: 3456,
		Match: 2 * time.Microsecond, Decide: time.Microsecond, Queue: 3 * time.Microsecond,
		Connect: 500 * time.Microsecond, FirstByte: 4 * time.Millisecond, Total: 7250 * time.Microsecond,
	}
}
