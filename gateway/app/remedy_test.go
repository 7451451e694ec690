package app

import (
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ficus-gateway/ficus/migrations/filelog"
)

// TestErrorsOfThePlaceOfTheState: each names the place and what to do.
func TestErrorsOfThePlaceOfTheState(t *testing.T) {
	t.Parallel()
	_, missing := filelog.Open("missing/ficus.events", filelog.Options{})
	for want, err := range map[string]error{
		"the directory missing does not exist; make it":             missing,
		"this user may not write in missing; make the user its own": &fs.PathError{Op: "open", Err: syscall.EACCES},
		"read-only file system; mount a writable volume":            &fs.PathError{Op: "open", Err: syscall.EROFS},
		"the disk of missing is full; make room":                    &fs.PathError{Op: "write", Err: syscall.ENOSPC},
		"input/output error":                                        &fs.PathError{Op: "read", Err: syscall.EIO},
	} {
		got := stateError("missing/ficus.events", err)
		if !strings.Contains(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	content := errors.New("ficus.events:3: no")
	if got := stateError("ficus.events", content); got != content {
		t.Errorf("got %v", got)
	}
}

// TestErrorsOfListening: each names the address and what to do.
func TestErrorsOfListening(t *testing.T) {
	t.Parallel()
	for want, number := range map[string]syscall.Errno{
		"another process listens there":        syscall.EADDRINUSE,
		"choose a port from 1024 on":           syscall.EACCES,
		"no interface of this machine has thi": syscall.EADDRNOTAVAIL,
	} {
		got := listenError("127.0.0.1:80", &net.OpError{Op: "listen", Err: number})
		if !strings.Contains(got.Error(), want) || !strings.HasPrefix(got.Error(), "listen on 127.0.0.1:80: ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if _, err := open("unix", long, 0o600); err == nil || !strings.Contains(err.Error(), "at most 107 bytes") {
		t.Errorf("got %v", err)
	}
	if _, err := open("unix", filepath.Join(t.TempDir(), "no", "s"), 0o600); err == nil || !strings.Contains(err.Error(), "make the directory") {
		t.Errorf("got %v", err)
	}
}
