// Package toll measures what the gateway costs those who go through it. It has
// tests only:
//
//	FICUS_BENCH=1 go test -run TestShadow -v ./gateway/app/toll
//
// The gateway, the load and the two applications are programs of their own,
// since what shares a process shares its scheduler and its garbage collector.
// The load is open: requests begin when they are due, whatever became of those
// before, and what they take is counted from when they were due, so that a
// gateway that stalls can't hide it (coordinated omission). It runs on Linux.
package toll
