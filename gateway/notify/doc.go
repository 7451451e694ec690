// Package notify tells webhooks what happens to migrations.
//
//	teller := notify.New(notify.Options{
//		Hooks: func() []*routes.Hook { return source.Table().Hooks }, Log: log, Place: place,
//	})
//	go teller.Run(ctx)
//	teller.Tell(notify.Notice{Event: routes.Behind, Migration: "orders", Text: "…"}) // what is in no log
//
// The event log is the queue: of each hook is kept how far it has been told,
// and it is told from there on, one event after the other, across restarts. So
// each event is told at least once, in order, and nothing piles up in memory.
// Only what is in no log, such as a local rollback while the log is out of
// reach, waits in a short queue, and is lost with the process.
//
// # What is sent
//
// A POST with a body of JSON, by the format of the hook. "slack" is
// {"text": "…"}; "json" is a [Notice]:
//
//	{"id":"event-17-1772366400000000","event":"rolledback","time":"2026-03-01T12:00:00Z","migration":"orders",
//	 "seq":17,"split":"off=100%","cause":"test","actor":"ficus","reason":"errors: 5 of 6 on the service …",
//	 "trace_id":"…","text":"orders: rolled back to off=100% by ficus (test): errors: 5 of 6 …"}
//
// The header has Ficus-Event, the event, and Ficus-Notice, the id, which is the
// same however often something is sent, and whoever sends it. If the hook has a
// secret,
//
//	Ficus-Signature: t=1772366401,v1=5257a869e7ec…
//
// where v1 is the HMAC-SHA256, in hex, with that secret, of the time t, a dot,
// and the body. A receiver computes it again, compares in constant time, and
// refuses a t that is more than five minutes away: see [Verify].
//
// Any answer 2xx is the end of it. Everything else is tried again, after one
// second, then two, up to five minutes (or as long as Retry-After asks for, up
// to that), until the hook's give_up is over.
package notify
