package toll

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticks a second, in which the kernel tells what processes have used; every
// Linux that Go runs on has so many.
const ticks = 100

// used returns what a process, and those of its children that have ended, have
// used of the processors, in seconds; 0 for one that is not there.
func used(pid string) float64 {
	text, _ := os.ReadFile("/proc/" + pid + "/stat")
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // the name may hold anything
	if len(fields) < 15 {
		return 0
	}
	var sum float64
	for _, field := range fields[11:15] {
		var n float64
		_, _ = fmt.Sscan(field, &n)
		sum += n
	}
	return sum / ticks
}

// usedBySomethingElse returns what all but some processes have used.
func usedBySomethingElse(ours map[string]bool) (sum float64) {
	all, _ := os.ReadDir("/proc")
	for _, one := range all {
		if name := one.Name(); name[0] >= '0' && name[0] <= '9' && !ours[name] {
			sum += used(name)
		}
	}
	return sum
}

// How a process is scheduled, for those that stand for other machines.
var (
	runFirst = unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 10}
	runLast  = unix.SchedAttr{Policy: unix.SCHED_IDLE}
)

// schedule has all threads of this process, and those to come, run so, and
// says whether that is allowed.
func schedule(how unix.SchedAttr) bool {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil || unix.SchedSetAttr(tid, &how, 0) != nil {
			return false
		}
	}
	return true
}
