// Package flags decides at which stage of its migration a request is, by an
// OpenFeature flag. It finds what keeps a person on one side, the targeting
// key, asks the flag, and answers for whatever goes wrong on the way.
//
//	a, err := flags.New(flags.Options{Secrets: [][]byte{secret}})
//	if err != nil { ... }
//	defer a.Close()
//
//	asg := a.Assign(r.Context(), &flags.Input{Plan: plan, State: &state, Request: r, Client: addr})
//	side := plan.Place(asg.Stage, safe)
//
// # Buckets
//
// A key has the bucket, of 100,000, that flagd's fractional operation gives
// it: MurmurHash3 (x86, 32 bits, seed 0) of the flag key followed by the
// targeting key, times 100,000, divided by 2^32. The split of the migration
// gives each bucket a stage, most advanced first, so raising a share never
// moves anyone back.
//
// # Keys
//
// The first source of the key list that gives a value counts; an empty value
// does not. A key of more than 128 bytes is replaced by its SHA-256 in hex.
//
//	header:NAME   first value that is not empty
//	cookie:NAME   likewise
//	query:NAME    likewise
//	jwt:CLAIM     claim of the bearer token, a string or a number; dots lead into
//	              objects. The token is not verified: it chooses a bucket only
//	ip            client address; of IPv6 the /64
//	url           path and query, for answers that a shared cache may store
//	request       random for each request
//	anonymous     signed cookie ficus_id, from the second request on
//
// What a client says about itself may choose a bucket, never a cohort, and is
// not Verified, unless a trusted proxy says it (law 11).
//
// # Without a key
//
// A request without a key stays on the monolith until the migration is
// complete for everybody. Its reason is DEFAULT and its bucket -1, so it can be
// counted apart. It is at the least advanced stage that any bucket has, at most
// shadow: where everybody is at dualwrite or beyond, its writes go to both
// sides like everybody's, or the service would lack them.
//
// # Outside providers
//
// Another OpenFeature provider may decide, see [Options]; the packages flagd and
// outside have some. Its answer is held to what the log allows: complete stays
// complete, nobody is beyond what a rollback has left, and without a key the
// monolith answers. Its reasons are its own. It is told the targeting key, and
// attributes of the request that count on the word of a trusted proxy only.
//
// # Reasons
//
//	SPLIT            by the bucket
//	STATIC           all buckets are at this stage
//	TARGETING_MATCH  by a cohort, see Assignment.Cohort
//	DEFAULT          no key, or the log does not know the migration
//	DISABLED         the migration is retired
//	ERROR            see Assignment.Err; the stage is off, or complete if the
//	                 migration is (law 4)
//
// # Cookies
//
// Cookies of ours begin with ficus_, are HttpOnly, SameSite=Lax and, on TLS,
// Secure. They are signed with HMAC-SHA-256, cut to 128 bits, under keys
// derived from the secrets for each kind. They are never set on an answer
// that is [Storable], and [StripCookies] keeps them from the upstreams.
package flags
