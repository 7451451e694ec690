package app

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A relay is a directory in which one process takes over from another. All of
// them write into one file, which outlives whoever began it.
type relay struct {
	*binary
	log     string // path of the file
	program string // what is run
}

// adopt makes this process the parent of those whose parents have ended.
var adopt = sync.OnceValue(func() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })

func newRelay(b *binary) *relay {
	b.t.Helper()
	if err := adopt(); err != nil {
		b.t.Fatal(err)
	}
	return &relay{b, filepath.Join(b.dir, "relay.log"), "ficus"}
}

// A turn is one process of a relay.
type turn struct {
	t    testing.TB
	pid  int
	from int // the length of the log when it began
	code int // after the end
	over bool
}

// begin starts a process, and does not wait.
func (r *relay) begin(args ...string) *turn {
	r.t.Helper()
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	from := len(r.said(0))
	cmd := exec.Command(r.program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, log, log
	cmd.Env = append(os.Environ(), r.env...)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return r.follow(cmd.Process.Pid, from)
}

// follow sees to it that a process has ended at the end of the test.
func (r *relay) follow(pid, from int) *turn {
	s := &turn{t: r.t, pid: pid, from: from}
	r.t.Cleanup(func() {
		if !s.ended() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			s.end()
		}
	})
	return s
}

// signal sends a signal.
func (s *turn) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.pid, sig); err != nil {
		s.t.Fatal(err)
	}
}

// ended reports whether the process has ended, and keeps its exit code.
func (s *turn) ended() bool {
	if s.over {
		return true
	}
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(s.pid, &status, syscall.WNOHANG, nil)
	if errors.Is(err, syscall.ECHILD) && errors.Is(syscall.Kill(s.pid, 0), syscall.ESRCH) {
		s.over, s.code = true, -3 // the process that began it was there to see
		return true
	}
	if pid != s.pid { // it runs, or is the child of another that runs
		return false
	}
	s.over, s.code = true, status.ExitStatus()
	return true
}

// end waits for the end, and returns the exit code; -1 after a signal.
func (s *turn) end() int {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !s.ended(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Errorf("process %d does not end", s.pid)
			return -2
		}
	}
	return s.code
}

// said returns the log from an offset on.
func (r *relay) said(from int) string {
	text, err := os.ReadFile(r.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Error(err)
	}
	return string(text[min(from, len(text)):])
}

// says waits until the log says something after an offset, and returns what a
// group in parentheses matched.
func (r *relay) says(from int, pattern string) string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if m := re.FindStringSubmatch(r.said(from)); m != nil {
			return m[len(m)-1]
		}
		if time.Now().After(end) {
			r.t.Fatalf("the log does not say %s:\n%s", pattern, r.said(from))
		}
	}
}

const (
	nowServing = `"msg":"serving"`
	takenOver  = `"msg":"taken over.*"by":(\d+)`
)

// run starts a process and waits until it serves.
func (r *relay) run(args ...string) *turn {
	r.t.Helper()
	s := r.begin(append([]string{"run"}, args...)...)
	r.says(s.from, nowServing)
	return s
}

// upgrade runs ficus upgrade, and returns the process that serves then.
func (r *relay) upgrade() *turn {
	r.t.Helper()
	from := len(r.said(0))
	out, code := r.ask("upgrade")
	if code != exitOK {
		r.t.Fatalf("ficus upgrade: exit code %d\n%s\n%s", code, out, r.said(from))
	}
	_, rest, _ := strings.Cut(out, "process ")
	number, _, _ := strings.Cut(rest, ",")
	return r.successor(number, from)
}

// ask runs a command, and returns what it says and its exit code.
func (r *relay) ask(args ...string) (said string, code int) {
	r.t.Helper()
	cmd := exec.Command("ficus", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// usr2 sends SIGUSR2, and returns the process that serves then.
func (r *relay) usr2(s *turn) *turn {
	r.t.Helper()
	from := len(r.said(0))
	s.signal(syscall.SIGUSR2)
	return r.successor(r.says(from, takenOver), from)
}

func (r *relay) successor(number string, from int) *turn {
	r.t.Helper()
	pid, err := strconv.Atoi(number)
	if err != nil {
		r.t.Fatal(err)
	}
	r.says(from, nowServing)
	return r.follow(pid, from)
}
