package evidencetest

import "net/http"

var follows = settings{migration: "data: shared, writes: follow"}

// badParts are services that are bad to some requests and good to the others.
var badParts = []fault{
	{name: "one endpoint of ten 500", where: "GET /shop/cart", live: 25, service: when(onPath("/shop/cart"), status(500)), verdict: rolledBack, need: failure(0.1, 0), quick: true},
	{name: "one endpoint of ten 500 at 50 %", where: "GET /shop/cart", live: 50, service: when(onPath("/shop/cart"), status(500)), verdict: rolledBack, need: failure(0.1, 0)},
	{name: "one endpoint of ten 404", where: "GET /shop/items", live: 25, service: when(onPath("/shop/items"), status(404)), verdict: rolledBack, need: rate(0.1, 0)},
	{name: "one endpoint of ten among errors of both", where: "GET /shop/cart", live: 25,
		monolith: sometimes("monolith", 0.02, status(500)),
		service: func(good http.Handler) http.Handler {
			return when(onPath("/shop/cart"), status(500))(sometimes("service", 0.02, status(500))(good))
		},
		verdict: rolledBack, need: failure(0.12, 0.02)},
	{name: "HEAD alone", where: "HEAD", live: 25, visits: visits{call: with(0.2, http.MethodHead)}, service: when(onMethod(http.MethodHead), status(405)), verdict: rolledBack, need: rate(0.2, 0)},
	{name: "POST alone", where: "POST", live: 25, visits: visits{call: with(0.2, http.MethodPost)}, settings: follows, service: when(onMethod(http.MethodPost), status(500)),
		verdict: rolledBack, need: rate(0.2, 0), quick: true},
	{name: "POST not allowed", where: "POST", live: 50, visits: visits{call: with(0.2, http.MethodPost)}, settings: follows, service: when(onMethod(http.MethodPost), status(403)),
		verdict: rolledBack, need: rate(0.2, 0)},
	{name: "telephones alone", live: 25, service: when(onHeader("X-Device", "telephone"), status(500)), verdict: rolledBack, need: users(0.2)},
	{name: "a cookie", where: "cookie beta|header X-Group", live: 25, service: when(onCookie("beta"), status(403)), verdict: rolledBack, need: users(0.1)},
	{name: "those who try what is new", where: "cookie beta|header X-Group", live: 25, service: when(onHeader("X-Group", "early"), status(500)), verdict: rolledBack, need: users(0.1)},
	{name: "those who are logged in", where: "cookie session", live: 25, service: when(onCookie("session"), status(401)), verdict: rolledBack, need: users(0.5)},
	{name: "a language", where: "language de", live: 25, service: when(onHeader("Accept-Language", "de"), status(500)), verdict: rolledBack, need: users(0.2)},
	{name: "a parameter of the query", where: "/shop/search|page", live: 25, service: when(func(r *http.Request) bool { return r.URL.Query().Get("page") != "" }, status(500)), verdict: rolledBack, need: failure(0.1, 0)},
	{name: "one endpoint of the upstream of three", where: "upstream endpoint", live: 25, replicas: 2, service: status(500), verdict: rolledBack, need: failure(1.0/3, 0)},
}

// users is the need where a share of the users is hurt, each always.
func users(share float64) func(mathematics) int {
	return func(m mathematics) int { return m.requests(share, 0) }
}
