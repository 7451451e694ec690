// Package redistally adds up, through Redis, what several gateways have
// counted of the migrations they share.
//
//	tally := redistally.New(redistally.Options{Client: client, Key: key, Name: name, Own: own})
//	go tally.Run(ctx)                             // exchanges once a second
//
//	counts := tally.Counts("orders", own("orders")) // of all gateways; or this one's own, marked so
//
// # What is in Redis
//
//	ficus:{shop}:tally:NAME   a hash: what the gateway NAME has counted, in parts; expires
//	ficus:{shop}:tallies      a hash: by NAME, when it said so, and the version of each part
//
// A gateway writes its counts whole, never a difference, and under its own
// name, which no other ever has. So a write may be repeated, or arrive
// late, or twice, and nothing is counted twice; adding up is left to who reads
// ([evidence.Merge]). What has not changed is neither written nor read again:
// the sets of people, which are large, are parts of their own.
//
// One exchange is six commands and one more for each other gateway that has
// news, whatever the traffic.
//
// # Who counts
//
// Counts belong to a test, and a newer test makes them void, so they outlive
// the gateway that made them: what a gateway had seen before it was killed is
// still evidence. Of one that has said nothing for [Gone] the rest is dropped:
// its streaks, its plan, its latencies. What no test needs any more is removed,
// and everything a day after it was last written.
//
// While Redis has not answered for [evidence.Stale], a gateway knows only its
// own counts, and says so: it then tests them from a reserved part of α, and
// moves nothing forward.
package redistally
