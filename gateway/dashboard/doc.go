// Package dashboard is the HTTP API of the admin listener: what a person or a
// program asks of a running gateway, and how they move its migrations.
//
//	api, err := dashboard.New(dashboard.Deps{Log: log, State: follower.State, ...})
//	...
//	http.Serve(adminListener, api)
//
//	curl localhost:9900/api/state
//	curl -H "Authorization: Bearer $(cat ficus.token)" -H 'Content-Type: application/json' \
//	     -d '{"shares": "live=5%", "reason": "first users", "expect": 12}' \
//	     localhost:9900/api/migrations/orders/shift
//
// The package changes nothing itself: a change is an event that it appends to
// the log (law 1), and the answer is given when the gateway's own follower has
// read that event back. Every change but a rollback names the sequence number
// that it was decided upon, and is refused when the migration has moved on.
//
// # Who may do what
//
// Each endpoint says by its grant which role it needs (package access has the
// roles), and a test walks the router to see that none lacks it. Reads are free
// on the loopback and on the unix socket; on any other address they need a
// token or a session. Changes need one everywhere, and a change of a migration
// that has an owner needs somebody of that group or an admin; a rollback only
// somebody who is known. /healthz and /readyz are open. A request must ask for
// a host on the list, so that a name which an attacker points at the loopback
// leads nowhere, and a browser may not write from another origin.
//
// openapi.json describes all of it; a test holds it true.
package dashboard
