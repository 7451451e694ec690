//go:build unix

package filelog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// errInUse is the error of locking what another process has locked.
var errInUse = errors.New("in use")

// lock makes this process the only writer of the log at path. The kernel
// gives the lock up when the file is closed or the process dies, however it
// dies; the file stays, so that nobody can lock a name that is being removed.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: lock: %w", f.Name(), err)
		}
		holder := "another process"
		if pid, err := io.ReadAll(io.LimitReader(f, 20)); err == nil && len(pid) > 0 {
			holder = "process " + strings.TrimSpace(string(pid))
		}
		return nil, fmt.Errorf("%s: %w by %s; a file log has one gateway; end the other, take it over with ficus run --takeover, or give this one a state of its own", path, errInUse, holder)
	}
	// In place, which needs no room on a disk that is full.
	if _, err = f.WriteAt(fmt.Appendf(nil, "%-10d\n", os.Getpid()), 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return f, nil
}

// unlock gives the lock up, also where a child that is just being started
// still holds a copy of the file, as between fork and exec.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
