package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/routes"
)

// takeoverFile lies beside the state: the unix socket by which a process takes
// over.
const takeoverFile = "ficus.takeover"

func takeoverPath(s routes.Server) string { return filepath.Join(s.Beside(), takeoverFile) }

// A succession is a takeover from the side of the process that takes over; nil:
// it takes over from nobody.
type succession struct {
	from *takeover.Successor
	heir *filelog.Heir // nil: the log is in Redis
	gone bool          // the incumbent has died meanwhile, and what it had is free
}

// succeed has the process that runs let go of everything, once this one has
// opened what it can beside it, and found it right.
func (p *Process) succeed(ctx context.Context, t *routes.Table) error {
	if !p.config.Takeover {
		return nil
	}
	from, err := takeover.Call(ctx, takeoverPath(t.Server), Version())
	if errors.Is(err, takeover.ErrNobody) {
		p.log.Info("there is nobody to take over from; starting as usual", "socket", takeoverPath(t.Server))
		return nil
	}
	if err != nil {
		return fmt.Errorf("take over from the gateway that runs: %w", err)
	}
	s := &succession{from: from}
	p.succeeds = s
	p.log.Info("taking over", "from", from.Incumbent.PID, "its_version", from.Incumbent.Version)
	for i, given := range from.Sockets {
		p.came = append(p.came, &socket{Listener: given.Listener, network: given.Network, address: given.Address, lent: given.Lent, offered: i})
	}
	used, err := p.rehearse(t, s)
	if err != nil {
		return err
	}
	err = from.Ready(ctx, used)
	if errors.Is(err, takeover.ErrGone) {
		p.log.Warn("the process to take over from has died; its listeners are here", "from", from.Incumbent.PID)
		s.gone, err = true, nil
	}
	if err != nil {
		return fmt.Errorf("take over from process %d, which serves on: %w", from.Incumbent.PID, err)
	}
	return nil
}

// rehearse does what can be done beside the incumbent, so that what can fail
// fails while it has let go of nothing.
func (p *Process) rehearse(t *routes.Table, s *succession) (used []int, err error) {
	if t.Server.Redis == nil {
		path := statePath(t)
		if s.heir, err = filelog.Inherit(path, filelog.Options{Logger: p.log}); err != nil {
			return nil, stateError(path, err)
		}
		if problems := routes.CheckReload(nil, t, s.heir.State()); len(problems) > 0 {
			return nil, problems
		}
	}
	certs := newCertificates(p.log)
	for _, l := range t.Server.Listen {
		if err := certs.load(l.TLS); err != nil {
			return nil, err
		}
	}
	if err := certs.load(t.Server.Admin.TLS); err != nil {
		return nil, err
	}
	return p.reserve(t)
}

// open opens the log in a file: that of the incumbent, which has been read
// already, or another.
func (s *succession) open(ctx context.Context, path string, o filelog.Options) (*filelog.Log, error) {
	if s == nil {
		return filelog.Open(path, o)
	}
	return s.heir.Open(ctx)
}

// serving takes over, if there is somebody to take over from. After an error
// the incumbent serves on.
func (s *succession) serving() (taken bool, err error) {
	if s == nil {
		return false, nil
	}
	s.close()
	if s.gone {
		return true, nil
	}
	err = s.from.Serving()
	if errors.Is(err, takeover.ErrGone) {
		return true, nil // it has died, after it had let go of everything
	}
	if err != nil {
		return false, fmt.Errorf("take over from process %d, which serves on, since it could not wait: %w", s.from.Incumbent.PID, err)
	}
	return true, nil
}

// abandon says why nothing is taken over.
func (s *succession) abandon(why error) {
	if s != nil {
		s.close()
		s.from.Abandon(why)
	}
}

func (s *succession) close() {
	if s.heir != nil {
		_ = s.heir.Close()
		s.heir = nil
	}
}
