package app

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// stateError says what to do when the event log at path can't be opened
// because of the place where it is kept. Errors about its content say so
// themselves.
func stateError(path string, err error) error {
	var system *fs.PathError
	if !errors.As(err, &system) {
		return err
	}
	dir := filepath.Dir(path)
	const elsewhere = "or name another place with state: file:PATH or --state"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("state: the directory %s does not exist; make it, %s: %w", dir, elsewhere, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("state: %s is not a directory; move it away, %s: %w", dir, elsewhere, err)
	case errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("state: %s is a directory; name a file in it, as in --state file:%s: %w", path, filepath.Join(path, "ficus.events"), err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("state: %s lies on a read-only file system; mount a writable volume there, %s: %w", dir, elsewhere, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("state: this user may not write in %s; make the user its owner, %s: %w", dir, elsewhere, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("state: the disk of %s is full; make room, %s: %w", dir, elsewhere, err)
	}
	return fmt.Errorf("state: %w", err)
}

// listenError says what to do when an address can't be listened on.
func listenError(address string, err error) error {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	hint := ""
	switch number {
	case syscall.EADDRINUSE:
		hint = "; another process listens there: end it, or choose another port"
	case syscall.EADDRNOTAVAIL:
		hint = "; no interface of this machine has this address"
	case syscall.EACCES:
		hint = "; this user may not: choose a port from 1024 on, or give the program CAP_NET_BIND_SERVICE"
	}
	return fmt.Errorf("listen on %s: %w%s", address, number, hint)
}

// maxSocketPath is how long the path of a unix socket can be on Linux, with
// the zero at its end (unix(7)).
const maxSocketPath = 108

// socketError is listenError for a unix socket.
func socketError(path string, err error) error {
	hint := ""
	switch {
	case len(path) >= maxSocketPath:
		hint = fmt.Sprintf("; a socket's path has at most %d bytes, this one has %d: choose a shorter one, or none", maxSocketPath-1, len(path))
	case errors.Is(err, fs.ErrNotExist):
		hint = fmt.Sprintf("; make the directory %s, or choose another path", filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		hint = fmt.Sprintf("; this user may not write in %s: make the user its owner, or choose another path", filepath.Dir(path))
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		err = number // net repeats the path
	}
	return fmt.Errorf("listen on unix:%s: %w%s", path, err, hint)
}
