// Package redislog keeps the event log of any number of gateways in a Redis
// stream.
//
//	log, err := redislog.Open(ctx, "redis://10.0.0.5", redislog.Options{PasswordEnv: "REDIS_PASSWORD"})
//	if err != nil {
//		return err // says what is wrong, and what can be done
//	}
//	defer log.Close()
//
// # Where
//
//	redis://[user@]host[:6379][/db]                          one server
//	rediss://…                                               the same over TLS
//	unix:///run/redis/redis.sock[?db=0]                      one server over a socket
//	redis+sentinel://[user@]host[:26379][,host…]/master[/db] whichever server the sentinels call master
//	redis+cluster://[user@]host[:6379][,host…]               a cluster, found through any of its nodes
//	rediss+sentinel://…, rediss+cluster://…                  the same over TLS
//
// ?installation=shop separates gateways that share a Redis; it is "ficus"
// unless said otherwise. A password never stands in a URL: Options name the
// environment variable or the file that has it, which is read again for every
// connection, so that it can be changed without a restart.
//
// The keys of an installation share one hash tag, and so one slot of a cluster:
//
//	ficus:{shop}:events             the stream
//	ficus:{shop}:events:before:42   what a checkpoint before event 42 took out of it; expires
//	ficus:{shop}:events:import:…    an import under way; expires
//
// # What
//
// Event n is the entry n-0. It has two fields: line, the event line as package
// migrations specifies it, so that the chain of hashes is the same as in a
// file, and append, a random id that all events of one Append share. Anything
// else in the stream is refused with [ErrForeign] and never skipped: to skip
// it would be to guess where traffic goes.
//
// An acknowledged event is as durable as Redis is. With appendonly it survives
// Redis, with appendfsync always also the machine; with neither, a restart
// of Redis is found out ([ErrLost]), and Open says so beforehand. Replicas are
// always a little behind, so a change of masters may lose what was
// acknowledged a moment before (min-replicas-to-write narrows that); it is
// found out too.
//
// # Decision: lines made here, compared and swapped by a script there
//
// Three ways to append were weighed.
//
// Explicit ids alone (XADD key n-0, which Redis refuses if n is not newer):
// one command, but it accepts n after a gap, and so goes on at event 43 of a
// stream that was flushed a moment ago as if nothing had happened; an Append
// of several events needs a transaction around it; and whoever lost an
// acknowledgement cannot tell its own entry from that of another. Refused.
//
// A script that does everything (conflict, numbers, time, line, hash): one
// round trip, but the law of conflicts would exist a second time, in Lua, and
// so would the encoding of events; and Redis' Lua has no SHA-256. Refused.
//
// Chosen: an Append reads on to the end of the stream and takes Redis' time
// ([migrations.Admit] then decides, here, with the one law there is), makes
// the lines, and hands them to a script of a dozen lines that adds them if the
// last entry is still the one they were chained to, by id and hash, and if
// that time is not older than a second. If somebody was faster, it reads on and
// decides again; one always wins, so all together always advance. That is two
// round trips, for something that happens a few times a day. The expectation
// also makes a repetition harmless: a request whose acknowledgement was lost
// can neither be added twice, nor arrive late, since by then the end has moved;
// and reading on finds it by its append id.
//
// # Decision: trimming begins the log again
//
// [Log.Checkpoint] replaces the stream by one Restored event with the state of
// all that is taken out, atomically, if that state is what the stream folds
// to. XTRIM would leave a stream that begins in the middle of the chain with
// events that cannot be applied to anything; this one is a log in every
// respect, which can be verified, exported, and opened by a file log.
package redislog
