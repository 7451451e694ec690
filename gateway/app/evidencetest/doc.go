// Package evidencetest holds the guard to what it promises, against services
// that are bad in known ways and against troubles that are not the service's
// fault. It has tests only:
//
//	make evidence
//
// Each case runs a whole gateway between two applications, over real sockets,
// with users that come from many networks and are drawn from a seed. A bad
// service must be found within one and a half times the requests that the
// mathematics needs, which are simulated from the plan's own numbers; trouble
// that is not the service's must roll nothing back. A part of the cases runs
// with every go test; FICUS_EVIDENCE=1 runs all.
package evidencetest
