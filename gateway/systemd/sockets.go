package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstDescriptor is SD_LISTEN_FDS_START.
const firstDescriptor = 3

// maxSockets bounds what LISTEN_FDS may say.
const maxSockets = 1024

// A Socket was opened by the service manager, which keeps it open.
type Socket struct {
	Name     string // FileDescriptorName= of the socket unit, by default the unit's name; may be empty
	Listener net.Listener
}

// Sockets returns the listening sockets that the service manager brings along,
// once: their variables are taken out of the environment, since they are not
// meant for the processes that this one starts.
func Sockets() (sockets []Socket, err error) {
	pid, fds, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	if pid != strconv.Itoa(os.Getpid()) || fds == "" {
		return nil, nil
	}
	for _, name := range [...]string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	n, err := strconv.Atoi(fds)
	if err != nil || n < 0 || n > maxSockets {
		return nil, fmt.Errorf("LISTEN_FDS=%s is not a number of sockets", fds)
	}
	named := strings.Split(names, ":")
	for i := range n {
		s := Socket{}
		if i < len(named) {
			s.Name = named[i]
		}
		f := os.NewFile(uintptr(firstDescriptor+i), s.Name)
		if f == nil {
			return sockets, fmt.Errorf("LISTEN_FDS=%s, but descriptor %d is not open", fds, firstDescriptor+i)
		}
		ln, e := listener(f)
		if e = errors.Join(e, f.Close()); e != nil {
			err = errors.Join(err, fmt.Errorf("descriptor %d (%s) that the service manager brings along can't be used: %w", firstDescriptor+i, s.Name, e))
			continue
		}
		s.Listener = ln
		sockets = append(sockets, s)
	}
	return sockets, err
}

var errConnected = errors.New("it does not listen; the socket unit must not say Accept=yes")

func listener(f *os.File) (net.Listener, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	listens, asked := 0, error(nil)
	if err := raw.Control(func(fd uintptr) {
		listens, asked = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	}); err != nil {
		return nil, err
	}
	switch {
	case asked != nil:
		return nil, asked
	case listens == 0:
		return nil, errConnected
	}
	return net.FileListener(f)
}
