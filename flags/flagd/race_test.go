//go:build race

package flagd

// Under the race detector a sync.Pool loses things on purpose.
func init() { poolsLeak = true }
