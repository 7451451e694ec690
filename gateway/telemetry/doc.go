// Package telemetry tells what the gateway did: one line of access log, a few
// counters and, for the traces that are kept, two spans per request. It reads
// the plain facts of a finished request, an [Exchange], and decides nothing.
//
//	tracer := telemetry.NewTracer(telemetry.TracerOptions{Provider: provider, Sample: 0.01})
//	metrics := telemetry.NewMetrics()
//	access := telemetry.NewAccessLog(os.Stdout, telemetry.AccessOptions{})
//	series := metrics.Route("orders", "orders") // when a snapshot is compiled
//
//	tr := tracer.Begin(r.Header) // continues the caller's trace or starts one
//	tr.Inject(outgoing.Header)
//	x := telemetry.Exchange{Start: start, Method: r.Method}
//	// ... the upstream answers, x is filled ...
//	series.Observe(&x)
//	access.Log(&tr, &x)
//	tracer.End(&tr, &x, false)
//
// Nothing here blocks a request: metrics are atomics, the access log drops
// lines (and says how many) when its sink is too slow, and spans are made
// only after the answer and only for the traces that are kept.
//
// Nothing here holds a secret: of the request target only the path is told,
// and of the targeting key only a hash. Cookies and header fields other than
// the user agent never reach this package.
package telemetry
