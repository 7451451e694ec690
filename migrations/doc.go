// Package migrations holds the nouns of Ficus and its pure core: what a
// migration is, how far it has moved, and how that changes.
//
// A [Migration] moves requests from one upstream to another, by degrees: its
// [Split] shares 100,000 buckets of targeting keys out over six stages. The
// splits of all migrations are a [State], and a state changes in one way only
// (law 1): somebody decides on an [Event], appends it to the [Log], and every
// gateway applies it when it reads it back.
//
//	log, err := filelog.Open("ficus.events", filelog.Options{})
//	start, err := migrations.Latest(ctx, log)     // all events so far
//	follower := migrations.NewFollower(log, start)
//	go follower.Run(ctx, func(s migrations.State, e migrations.Event) { swap(s) })
//
//	s := follower.State()
//	named, err := migrations.ParseShares("live=5%")
//	event, err := migrations.Shift(s, migrations.Command{Migration: "orders", Actor: "alice"}, plan, named...)
//	seq, err := log.Append(ctx, s.LastSeq("orders"), event) // ErrConflict if somebody was faster
//	s, err = follower.Wait(ctx, seq)                        // now in force here
//
// Nobody has to append anything for a ramp to move: a [Controller] asks
// [Decide] what the evidence calls for, a step forward, a hold or a way back,
// and [Waiting] says what is still missing.
//
// [Apply], [Admit], [Decide], the commands and [Split] are pure: no clocks, no
// goroutines, no I/O. [StateAt] and [History] answer questions about the past.
//
// # The event line
//
// An event is stored as one line of JSON (UTF-8, RFC 8259), ended by a line
// feed. This is the whole of a log in which orders was created and moved to
// 5 % live; lines are folded here for the page only:
//
//	{"seq":1,"time":"2026-03-01T12:00:00Z","migration":"orders","kind":"created",
//	 "from":"monolith","to":"orders","key":"cookie:uid","plan":"5a1e0c7d9b3f2468","actor":"ficus",
//	 "hash":"…64 hex digits…"}
//	{"seq":2,"time":"2026-03-01T12:30:00Z","migration":"orders","kind":"shifted",
//	 "split":[{"stage":"live","buckets":5000},{"stage":"shadow","buckets":95000}],
//	 "actor":"alice","reason":"quiet since noon","hash":"…64 hex digits…"}
//
// The members, which are written in the order of the fields of [Event]:
//
//	seq        number of the event, from 1 without gaps
//	time       when the log took it, RFC 3339 in UTC; never before that of the line before
//	migration  id of the migration, or "*" for all of them
//	kind       created, renamed, retired, planned, shifted, held, resumed, rolledback, restored,
//	           stepped, skipped, approved, restarted, renewed, returning, frozen, thawed or flagged
//	split      the split from now on: buckets of 100,000 by stage, most advanced first, adding up to 100,000;
//	           flagged: none if the provider does not tell it
//	from, to   created, planned: names of the two upstreams; renamed: from is the former id
//	key        the targeting key: where it is looked for, in order
//	plan       hash of the plan in the config
//	resume     created, planned: the reason by which the config lets the ramp go on; a new one is followed by resumed
//	step       step of the plan that the ramp stands at, from 1; approved: the step that is
//	steps      number of steps of the plan
//	content    stepped, skipped: what the plan says of the step
//	cell       the one cell that it concerns, "rest" for those that no named one takes; none: all cells
//	cells      created, planned, resumed: the named cells, and the step that each stands at
//	cause      held, returning, rolledback: what made the gateway do it: test, outage, harm, stuck, ratio, blip, burn, lag,
//	           control (the monolith fails now, so that going back would not help) or finding (a severe one is open)
//	tau_ns     latency of the monolith, to the first byte at its p99, beyond which an answer is slow in the test that begins, in nanoseconds
//	taus_ns    the six of these: p50, p90 and p99 to the first byte, then to the last; 0 is not known
//	until      returning: when the way back is to end
//	because    the event with the evidence that this one follows from
//	retry      resumed: how often the ramp has begun again by itself
//	source     flagged: the flag provider that decides from now on, "builtin" for the log itself
//	version    flagged: of the flag there, its own or a hash of what it says
//	evidence   the counts that a decision was made from, see [Evidence]; [Explain] computes it again
//	state      restored: the whole state to begin with, of event seq-1
//	actor      who; "ficus" is the gateway itself
//	reason     why, in a person's words
//	trace_id   hex id of the trace in which it was decided
//	span_id    hex id of the span in which it was decided
//	more       how many of the lines that follow were appended together with this one, all or none
//	data_loss  true if a rollback gave up what the service had written
//	hash       chains the line to those before it; always the last member
//
// The members of evidence are those of [Evidence]: records, each with what was
// counted (epochs, parts, slots), what a test may spend (alpha, test, metrics)
// and what came of it (e, least, threshold); control, the record by which the
// monolith is the worse side; aside and blameless, the failures that are in no
// record, since they were a blip or the monolith shared them; where and
// offenders, which requests went wrong; and requests, comparisons and load.
//
// A member that is empty, zero or false is left out, except the first four
// and hash. A log may begin with a restored event of any number; otherwise it
// begins with event 1.
//
// The hash is SHA-256, in 64 lower-case hex digits, over the 32 bytes of the
// hash of the line before (32 zero bytes before the first line) followed by
// the bytes of the line up to, not including, `,"hash":`. So no line can be
// changed, taken out or put in without changing all that follow, and a line
// can be verified without knowing what its members mean. With Python:
//
//	import hashlib, sys
//	before = bytes(32)
//	for n, line in enumerate(sys.stdin.buffer, 1):
//	    content, _, rest = line.rpartition(b',"hash":"')
//	    before = hashlib.sha256(before + content).digest()
//	    if rest != before.hex().encode() + b'"}\n':
//	        sys.exit(f"line {n} was changed")
//
// The chain shows damage and careless edits; it is no signature.
//
// The format grows by new members and new kinds. A program that meets one it
// does not know refuses the log, for to skip it would be to guess where
// traffic goes. None is ever renamed or given another meaning.
package migrations
