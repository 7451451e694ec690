package app

import (
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	// mostGarbage and leastGarbage bound [heapFloor], in bytes.
	mostGarbage  = 256 << 20
	leastGarbage = 16 << 20
)

// heapFloor returns how large the heap may grow before its garbage is
// collected, in bytes, of a process that may use so much memory, 0 if that is
// not known. A gateway lives on a few MiB, and by the default of Go it would
// collect dozens of times a second under load. Each time takes some ten
// milliseconds, and those whose requests are under way pay for it: it must not
// be one in a hundred.
func heapFloor(memory uint64) uint64 {
	if memory == 0 {
		memory = 512 << 20
	}
	return min(max(memory/8, leastGarbage), mostGarbage)
}

// collectLate lets the heap of the process grow to the floor before it is
// collected, and to twice of what is alive where that is more, as ever, and
// limits it to four fifths of the memory unless GOMEMLIMIT says otherwise.
// Where GOGC is set, that holds instead of all this.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	memory := memoryLimit("/")
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 { // as GOMEMLIMIT says
		memory = least(memory, uint64(limit))
	} else if memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(memory / 10 * 8)) // for a surge that comes before the percentage has followed
	}
	c := &collection{floor: heapFloor(memory)}
	c.collected(&cycle{c})
}

// A collection adapts itself to what is alive after each cycle.
type collection struct {
	floor   uint64
	percent atomic.Int64
}

// A cycle is garbage at once, so that its finalizer runs after each collection.
type cycle struct{ of *collection }

// collected sets when the next collection begins.
func (c *collection) collected(again *cycle) {
	sample := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample[:])
	if p := collectAt(sample[0].Value.Uint64(), c.floor); p != c.percent.Swap(p) {
		debug.SetGCPercent(int(p))
	}
	runtime.SetFinalizer(again, c.collected)
}

// collectAt returns the GOGC by which a heap of which so many bytes are alive
// may grow to a floor. It is rounded, so that it seldom changes: to change it
// stops the world for a moment.
func collectAt(live, floor uint64) int64 {
	const little = 4 << 20 // that Go takes a smaller heap for
	p := int64(100)
	for (uint64(p)*2+100)*live/100 <= floor && uint64(p)*2*little/100 <= floor {
		p *= 2
	}
	return p
}

// least returns the lesser of two limits, of which 0 is none.
func least(a, b uint64) uint64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// memoryLimit returns how much memory this process may use, in bytes: what the
// machine has, or what its control group or one above allows; 0 if neither is
// to be read in the file system at root, as outside of Linux.
func memoryLimit(root string) uint64 {
	read := func(name string) string {
		text, _ := os.ReadFile(path.Join(root, name))
		return strings.TrimSpace(string(text))
	}
	var limit uint64
	if fields := strings.Fields(read("proc/meminfo")); len(fields) > 1 && fields[0] == "MemTotal:" {
		kib, _ := strconv.ParseUint(fields[1], 10, 64)
		limit = kib << 10
	}
	for line := range strings.Lines(read("proc/self/cgroup")) {
		// hierarchy:controllers:path, see cgroups(7); the second version has no controllers there.
		hierarchy := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(hierarchy) != 3 {
			continue
		}
		base, file := "sys/fs/cgroup", "memory.max"
		switch hierarchy[1] {
		case "":
		case "memory":
			base, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Clean("/" + hierarchy[2]); ; group = path.Dir(group) { // a container may see but its root
			n, _ := strconv.ParseUint(read(path.Join(base, group, file)), 10, 64) // "max" is none
			limit = least(limit, n)
			if group == "/" {
				break
			}
		}
	}
	return limit
}
