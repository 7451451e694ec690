//go:build race

package flags

// Under the race detector a sync.Pool loses things on purpose.
func init() { poolsLeak = true }
