//go:build race

package evidence

// The race detector makes simulations ten times as slow, and finds nothing in
// what runs on one goroutine.
const intervalRuns = 200
