// Package outside keeps requests safe from an OpenFeature provider that is not
// ours: one that asks a service over the network, or that nobody has read.
//
//	p := outside.New(launchdarkly, outside.Options{})
//	a, err := flags.New(flags.Options{Provider: p})
//
// An evaluation waits for the provider for a short time only, [Options].Timeout.
// What it answered last for the same flag, key and attributes is remembered,
// within bounds, and counts when it is slow, fails, panics, or answers what is
// not valid. When nothing is remembered the evaluation fails, and the caller's
// default counts.
//
// At most [Options].AtOnce evaluations are with the provider at a time, however
// long it keeps them, so that no goroutines pile up behind it. After failures in
// a row it is left alone: requests don't wait for it at all, and one evaluation
// now and then, in the background, finds out whether it is back.
//
// With [Options].Fresh an answer counts for some time without asking again, and
// for longer while the provider is asked in the background: a provider behind
// the network, such as [OFREP], is then waited for by the first request of each
// key alone.
//
// The provider is not given the request's context, which ends before a late
// answer comes, and its hooks don't run.
package outside
