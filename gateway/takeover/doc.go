// Package takeover hands the listening sockets of a running process to the
// one that takes its place, so that no connection is refused or lost meanwhile.
//
// The process that serves, the incumbent, listens on a unix socket that only its
// user may open:
//
//	i := takeover.Incumbent{Sockets: sockets, Release: letGo, Resume: takeBack}
//	go i.Serve(ctx, ln)
//	peer := <-i.Taken()         // from now on another process serves
//
// Its successor says when it could serve, waits for what only one process may
// have at a time, and says that it serves:
//
//	s, err := takeover.Call(ctx, path, version)
//	// open everything that can fail, with s.Sockets
//	err = s.Ready(ctx, used)    // returns when the incumbent has let go
//	// open the rest
//	err = s.Serving()           // nil: it is ours
//
// Until Serving returns nil the incumbent serves on, and whatever becomes of the
// successor (it refuses, crashes, hangs) the incumbent takes back what it let go.
// The two never disagree about the outcome: see [Successor.Serving].
//
// What they say to one another are JSON objects, one a line, of at most 64 KiB:
//
//	successor  {"say":"hello","protocol":1,"version":"1.2.0"}
//	incumbent  {"say":"socket","socket":{"network":"tcp","address":":8080"}}   with its descriptor; one for each
//	incumbent  {"say":"offered","version":"1.1.0"}
//	successor  {"say":"ready","used":[0,1]}
//	incumbent  {"say":"released"}
//	successor  {"say":"serving"}
//
// Either says {"say":"refused","why":"..."} and closes instead. A client that is
// no successor says {"say":"upgrade"}, and is answered "upgraded" or "refused".
package takeover
