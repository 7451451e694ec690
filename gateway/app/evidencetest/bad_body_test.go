package evidencetest

import (
	"bytes"
	"net/http"
)

const differs = "differ|finding|mismatch"

// badBodies are services that answer with the right status and the wrong rest.
var badBodies = []fault{
	{name: "an empty 200", live: 25, service: instead(func(http.ResponseWriter, *http.Request) {}), verdict: neverForward, says: differs, quick: true},
	{name: "a login page with 200", live: 25, service: instead(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><form>who are you?</form></html>"))
	}), verdict: neverForward, says: differs},
	{name: "the wrong content type", live: 25, service: headed(func(h http.Header) { h.Set("Content-Type", "text/plain") }), verdict: neverForward, says: differs},
	{name: "an encoding that it does not have", live: 25, service: headed(func(h http.Header) { h.Set("Content-Encoding", "gzip") }), verdict: neverForward, says: differs},
	{name: "a body cut short of its length", live: 25, service: cut(false), verdict: rolledBack, need: failure(1, 0), quick: true},
	{name: "a chunked body cut", live: 25, service: cut(true), verdict: rolledBack, need: failure(1, 0)},
	{name: "large answers alone cut", where: "GET /shop/report", live: 25, service: when(onPath("/shop/report"), cut(false)), verdict: rolledBack, need: failure(0.1, 0)},
	{name: "stale data", live: 25, service: replaced("as it has always been", "as it was yesterday"), verdict: neverForward, says: differs, quick: true},
	{name: "stale data at 95 %", live: 95, service: replaced("as it has always been", "as it was yesterday"), verdict: neverForward, says: differs},
	{name: "stale data of one in twenty", live: 25, service: sometimes("service", 0.05, replaced("as it has always been", "as it was yesterday")), verdict: neverForward,
		says: differs, need: func(m mathematics) int { return 2 * step(m) }},
	{name: "stale data in shadow", service: replaced("as it has always been", "as it was yesterday"), verdict: neverForward, says: differs},
	{name: "stale data of a repeatable route", settings: settings{route: "repeatable: true"}, service: replaced("as it has always been", "as it was yesterday"),
		verdict: neverForward, says: differs},
	{name: "401 in shadow", service: status(401), verdict: neverForward, says: differs},
	{name: "401 in shadow of a repeatable route", settings: settings{route: "repeatable: true"}, service: status(401), verdict: neverForward, says: differs},
	{name: "500 in shadow", service: status(500), verdict: neverForward, says: "shop failed"},
	{name: "404 of a repeatable route", live: 25, settings: settings{route: "repeatable: true"}, service: status(404), verdict: rolledBack, need: rate(1, 0)},
	{name: "prices a cent too high", live: 25, service: replaced(`"Price":13`, `"Price":14`), verdict: neverForward, says: differs},
	{name: "a field that is missing", live: 25, service: replaced(`"Price"`, `"price_in_cents"`), verdict: neverForward, says: differs},
	{name: "an error with status 200", live: 25, service: body(func([]byte) []byte { return []byte(`{"error": "no connection to the database"}`) }),
		verdict: neverForward, says: differs},
	{name: "broken JSON", live: 25, service: body(func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("}")) }), verdict: neverForward, says: differs},
	{name: "the wrong language", live: 25, service: when(onHeader("Accept-Language", "de"), replaced("de", "en")), verdict: neverForward, says: differs},
}
