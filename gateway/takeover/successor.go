package takeover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// ErrNobody is the error of [Call] where no process listens.
var ErrNobody = errors.New("no gateway runs there")

// patience is how long the other end may take for what needs no work.
const patience = 5 * time.Second

// A Successor is the process that wants to take over. Its methods are called
// one after the other.
type Successor struct {
	Sockets   []Socket // that the incumbent listens on; they are the caller's to close
	Incumbent Process

	line *line
}

// Call asks the incumbent whose unix socket is at path for what it listens on.
func Call(ctx context.Context, path, version string) (_ *Successor, err error) {
	l, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &Successor{line: l}
	defer func() {
		if err != nil {
			s.Abandon(err)
			for _, socket := range s.Sockets {
				if socket.Listener != nil {
					_ = socket.Listener.Close()
				}
			}
		}
	}()
	if err := l.send(message{Say: sayHello, Protocol: protocol, Version: version, PID: os.Getpid()}, nil, patience); err != nil {
		return nil, err
	}
	for {
		m, err := l.next(patience)
		switch {
		case err != nil:
			return nil, err
		case m.Say == sayRefused:
			return nil, &Refused{m.Why}
		case m.Say == saySocket && m.Socket != nil && len(s.Sockets) < maxSockets:
			s.Sockets = append(s.Sockets, *m.Socket)
			continue
		case m.Say != sayOffered:
			return nil, fmt.Errorf("the other process says %q where %q is due", m.Say, sayOffered)
		}
		s.Incumbent = Process{m.PID, m.Version}
		break
	}
	files := l.came
	l.came = nil
	if len(files) != len(s.Sockets) {
		for _, f := range files {
			_ = f.Close()
		}
		return nil, fmt.Errorf("%d sockets were named and %d came", len(s.Sockets), len(files))
	}
	for i, f := range files {
		if e := s.Sockets[i].open(f); e != nil {
			err = errors.Join(err, e)
		}
	}
	return s, err
}

func dial(ctx context.Context, path string) (*line, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: nobody listens at %s", ErrNobody, path)
	case err != nil:
		return nil, err
	}
	return &line{conn: c.(*net.UnixConn)}, nil
}

// Ready says that all is open that can be while the incumbent serves, and which
// of the sockets are used. It returns when the incumbent has let go of the rest.
// If it has died meanwhile the error is [ErrGone]: then nobody stands in the way,
// and the sockets are there.
func (s *Successor) Ready(ctx context.Context, used []int) error {
	if err := s.line.send(message{Say: sayReady, Used: used}, nil, patience); err != nil {
		return err
	}
	ended := context.AfterFunc(ctx, func() { _ = s.line.conn.CloseRead() })
	defer ended()
	_, err := s.line.hear(sayReleased, releaseIn+patience)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Serving takes over: after nil, the incumbent accepts no more connections, and
// ends. After a [Refused] it serves on, and nothing of what it let go may be
// used; after [ErrGone] it has died.
//
// Both ends agree about which it was, even if the last word is said at the very
// moment in which the incumbent gives up waiting: before it does, it closes the
// conversation in this direction. The kernel then either has the word, and the
// incumbent finds it, or fails to take it here.
func (s *Successor) Serving() error {
	err := s.line.send(message{Say: sayServing}, nil, patience)
	if errors.Is(err, ErrGone) { // and what has it said before?
		_, err = s.line.hear(sayRefused, patience)
	}
	if err == nil || errors.Is(err, ErrGone) {
		s.line.close()
	}
	return err
}

// Abandon says why this process does not take over, after all.
func (s *Successor) Abandon(why error) { s.line.refuse(why) }

// Upgrade asks the incumbent at path to start its successor, and returns when
// that serves. An error but that of ctx means that the incumbent serves on.
func Upgrade(ctx context.Context, path string) (by Process, err error) {
	l, err := dial(ctx, path)
	if err != nil {
		return by, err
	}
	defer l.close()
	ended := context.AfterFunc(ctx, func() { _ = l.conn.CloseRead() })
	defer ended()
	if err := l.send(message{Say: sayUpgrade}, nil, patience); err != nil {
		return by, err
	}
	m, err := l.hear(sayUpgraded, time.Hour)
	if ctx.Err() != nil {
		return by, ctx.Err()
	}
	return Process{m.PID, m.Version}, err
}
