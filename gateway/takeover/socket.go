package takeover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// A Socket is a listening socket on its way to another process.
type Socket struct {
	Network string `json:"network"`        // tcp, unix, or fd: by the name that the supervisor gave it
	Address string `json:"address"`        // as it was asked for, so that the successor finds it
	Lent    bool   `json:"lent,omitempty"` // the supervisor keeps it open, whoever serves

	Listener net.Listener `json:"-"` // TCP or unix
}

// raw returns the way to the socket's descriptor.
func (s Socket) raw() (syscall.RawConn, error) {
	c, ok := s.Listener.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%s:%s is not a socket", s.Network, s.Address)
	}
	return c.SyscallConn()
}

// open makes a listener of a descriptor that came. It closes the file.
func (s *Socket) open(f *os.File) (err error) {
	s.Listener, err = net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the socket of %s:%s: %w", s.Network, s.Address, err)
	}
	return nil
}
