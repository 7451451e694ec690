package app

import (
	"os"
	"path/filepath"
	"testing"
	"testing/quick"
)

func TestTheHeapMayGrowToItsFloorAndNoFurtherThanTwice(t *testing.T) {
	for live, want := range map[uint64]int64{0: 1600, 256 << 10: 1600, 4 << 20: 1600, 30 << 20: 200, 64 << 20: 100, 8 << 30: 100} {
		if p := collectAt(live, 96<<20); p != want {
			t.Errorf("with %d KiB alive GOGC is %d, want %d", live>>10, p, want)
		}
	}
	bounded := func(live uint32, memory uint64) bool {
		floor := heapFloor(memory)
		p := uint64(collectAt(uint64(live), floor))
		heap := max(uint64(live)*(100+p)/100, 4<<20*p/100) // as Go reckons
		return heap <= max(floor, 2*uint64(live)) && floor <= max(memory/8, 64<<20)
	}
	if err := quick.Check(bounded, nil); err != nil {
		t.Error(err)
	}
}

// A gateway in a small container must not be the one that is killed in it.
func TestTheMemoryOfAContainerIsSeen(t *testing.T) {
	const machine = "MemTotal:       16384 kB\nMemFree: 1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"not Linux":            {nil, 0},
		"no limit":             {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 16 << 20},
		"a container":          {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		"a service in a slice": {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/ficus.service\n", "sys/fs/cgroup/a.slice/memory.max": "4096\n", "sys/fs/cgroup/a.slice/ficus.service/memory.max": "max\n"}, 4096},
		"the first version":    {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "5:cpu:/\n4:memory:/docker/1\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "8192\n"}, 8192},
		"more than there is":   {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16 << 20},
		"nonsense":             {map[string]string{"proc/meminfo": "?", "proc/self/cgroup": ":::\n\n0::../..\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				file := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := memoryLimit(root); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
}
