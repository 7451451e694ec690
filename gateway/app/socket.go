package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"

	"github.com/ficus-gateway/ficus/gateway/systemd"
	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/routes"
)

// A socket is one that the gateway listens on.
type socket struct {
	net.Listener        // TCP or unix
	network      string // as the config has it: tcp, unix, or fd for one with a name
	address      string
	name         string // that the supervisor gave it
	lent         bool   // the supervisor keeps it open, for whoever serves next
	offered      int    // its place among those of the incumbent; -1: it is none of them
	used         bool
}

// is reports whether a listener of the config is meant.
func (s *socket) is(network, address string) bool {
	if s.network == network && s.address == address || network == "fd" && s.name == address {
		return true
	}
	switch at := s.Addr().(type) {
	case *net.TCPAddr:
		want, err := net.ResolveTCPAddr("tcp", address)
		return network == "tcp" && err == nil && want.Port == at.Port &&
			(want.IP.Equal(at.IP) || at.IP.IsUnspecified() && (want.IP == nil || want.IP.IsUnspecified()))
	case *net.UnixAddr:
		want, err := filepath.Abs(address)
		return network == "unix" && err == nil && want == filepath.Clean(at.Name)
	}
	return false
}

// socket returns the socket of a listener: one that has come from the incumbent
// or from the supervisor, else a new one.
func (p *Process) socket(network, address string, mode fs.FileMode) (*socket, error) {
	for _, s := range p.came {
		if !s.used && s.is(network, address) {
			s.used, s.network, s.address = true, network, address
			return s, nil
		}
	}
	if network == "fd" {
		return nil, fmt.Errorf("listen on fd:%s: the service manager brings along no socket of that name; start the gateway by its socket unit, with FileDescriptorName=%s", address, address)
	}
	ln, err := open(network, address, mode)
	if err != nil {
		return nil, err
	}
	return &socket{Listener: ln, network: network, address: address, offered: -1, used: true}, nil
}

// reserve opens all sockets that a table asks for, so that what can fail of it
// fails while the incumbent serves. It returns which of the incumbent's are used.
func (p *Process) reserve(t *routes.Table) (used []int, err error) {
	type want struct {
		network, address string
		mode             fs.FileMode
	}
	var wanted []want
	for _, l := range t.Server.Listen {
		wanted = append(wanted, want{l.Network, l.Address, 0o666})
	}
	wanted = append(wanted, want{"tcp", t.Server.Admin.Address, 0}, want{"unix", t.Server.Admin.Socket, 0o600})
	if l := t.Server.OFREP.Listen; l != nil {
		wanted = append(wanted, want{l.Network, l.Address, 0o660})
	}
	if len(p.config.Successor) > 0 {
		wanted = append(wanted, want{"unix", takeoverPath(t.Server), 0o600})
	}
	var all []*socket
	for _, w := range wanted {
		if w.address == "" {
			continue
		}
		s, err := p.socket(w.network, w.address, w.mode)
		if err != nil {
			return nil, err
		}
		if all = append(all, s); s.offered >= 0 {
			used = append(used, s.offered)
		} else if !s.lent {
			p.came = append(p.came, s)
		}
	}
	for _, s := range all {
		s.used = false // until it is listened on
	}
	return used, nil
}

// supervised takes the sockets that the service manager brings along.
func (p *Process) supervised() error {
	sockets, err := systemd.Sockets()
	for _, s := range sockets {
		p.came = append(p.came, &socket{Listener: s.Listener, name: s.Name, lent: true, offered: -1})
	}
	return err
}

// strangers closes what has come and is not listened on. What the service
// manager brings along without need is an error: somebody expects an answer.
func (p *Process) strangers() (err error) {
	for _, s := range p.came {
		if s.used {
			continue
		}
		if s.lent && s.offered < 0 {
			err = errors.Join(err, fmt.Errorf("the service manager brings along the socket %s (%s), which no listener of the config names; add it to listen:, or remove it from the socket unit", s.Addr(), s.name))
		}
		_ = s.Close()
	}
	return err
}

// ours makes the sockets this process's own: their paths go with it.
func (p *Process) ours() {
	for _, s := range p.sockets {
		if ln, ok := s.Listener.(*net.UnixListener); ok {
			ln.SetUnlinkOnClose(!s.lent)
		}
	}
}

// offers lists the sockets for a process that takes over.
func (p *Process) offers() []takeover.Socket {
	var out []takeover.Socket
	for _, s := range p.sockets {
		out = append(out, takeover.Socket{Network: s.network, Address: s.address, Lent: s.lent, Listener: s.Listener})
	}
	return out
}
