//go:build !race

package evidence

const intervalRuns = 2000
