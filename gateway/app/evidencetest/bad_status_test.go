package evidencetest

import (
	"context"
	"net/http"
	"time"
)

// badStatuses are services that answer with the wrong status, or none.
var badStatuses = []fault{
	{name: "500 for one user of a hundred", live: 1, service: status(500), verdict: rolledBack, need: failure(1, 0)},
	{name: "500 at 5 %", live: 5, service: status(500), verdict: rolledBack, need: failure(1, 0), quick: true},
	{name: "500 at 50 %", live: 50, service: status(500), verdict: rolledBack, need: failure(1, 0)},
	{name: "500 at 95 %", live: 95, service: status(500), verdict: rolledBack, need: failure(1, 0), quick: true},
	{name: "503 at 25 %", live: 25, service: status(503), verdict: rolledBack, need: failure(1, 0)},
	{name: "401 at 5 %", live: 5, service: status(401), verdict: rolledBack, need: rate(1, 0), quick: true},
	{name: "401 at 95 %", live: 95, service: status(401), verdict: rolledBack, need: rate(1, 0)},
	{name: "403 at 25 %", live: 25, service: status(403), verdict: rolledBack, need: rate(1, 0)},
	{name: "404 at 25 %", live: 25, service: status(404), verdict: rolledBack, need: rate(1, 0), quick: true},
	{name: "404 at 50 %", live: 50, service: status(404), verdict: rolledBack, need: rate(1, 0)},
	{name: "410 at 25 %", live: 25, service: status(410), verdict: rolledBack, need: rate(1, 0)},
	{name: "400 at 25 %", live: 25, service: status(400), verdict: rolledBack, need: rate(1, 0)},
	{name: "429 at 25 %", live: 25, service: status(429), verdict: rolledBack, need: rate(1, 0)},
	{name: "a redirect to itself", live: 25, service: redirects(func(r *http.Request) string { return r.URL.Path }), verdict: rolledBack, need: rate(1, 0), quick: true},
	{name: "a redirect to the login", live: 50, service: redirects(func(*http.Request) string { return "/login" }), verdict: rolledBack, need: rate(1, 0)},
	{name: "every second request 500", live: 25, service: every(2, status(500)), verdict: rolledBack, need: failure(0.5, 0)},
	{name: "one of ten 500", live: 25, service: sometimes("service", 0.1, status(500)), verdict: rolledBack, need: failure(0.1, 0)},
	{name: "errors from 1 % to 10 %", live: 25, monolith: sometimes("monolith", 0.01, status(500)), service: sometimes("service", 0.1, status(500)),
		verdict: rolledBack, need: failure(0.1, 0.01)},
	{name: "404 from 10 % to 50 %", live: 25, monolith: sometimes("monolith", 0.1, status(404)), service: sometimes("service", 0.5, status(404)),
		verdict: rolledBack, need: rate(0.5, 0.1)},
	{name: "429 from the 200th request on", live: 25, service: after(200, status(429)), verdict: rolledBack, need: within(2*200*100/25, rate(1, 0))},
	{name: "500 late, at 5 %", live: 5, onset: 400, service: status(500), verdict: rolledBack, need: failure(1, 0)},
	{name: "500 late, at 50 %", live: 50, onset: 400, service: status(500), verdict: rolledBack, need: failure(1, 0)},
	{name: "500 late, at 95 %", live: 95, onset: 400, service: status(500), verdict: rolledBack, need: failure(1, 0)},
	{name: "the first visit fails", live: 25, service: first(status(500)), verdict: rolledBack, need: failure(1, 0)},
	{name: "500 healed by the monolith", live: 25, service: status(500), settings: settings{fallback: true}, heals: blip, verdict: rolledBack, need: failure(1, 0)},
	{name: "connections refused, healed by the monolith", live: 50, settings: settings{fallback: true}, during: refused,
		heals: blip, verdict: rolledBack, need: failure(1, 0)},
	{name: "connections refused", live: 50, during: refused, verdict: rolledBack, need: failure(1, 0)},
	{name: "connections reset", live: 25, service: reset(), verdict: rolledBack, need: failure(1, 0), quick: true},
	{name: "no answer", live: 25, service: hang(), settings: settings{upstream: "timeout: {response: 300ms}"}, verdict: rolledBack, need: failure(1, 0)},
}

// blip is how long failures that the monolith heals may be a restart.
const blip = 10 * time.Second

// refused ends the service, and nothing takes its place.
func refused(_ context.Context, tr *trial) { tr.service.close() }
