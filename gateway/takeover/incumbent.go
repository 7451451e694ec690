package takeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// How long the steps of a takeover may last. During the last two nobody can
// change anything, though all is served.
const (
	openIn    = 2 * time.Minute  // for the successor to open what it can
	releaseIn = 10 * time.Second // for the incumbent to let go
	serveIn   = 10 * time.Second // for the successor to open the rest
)

// An Incumbent is the process that serves, and hands over to another when it
// is asked. The fields are set before Serve.
type Incumbent struct {
	Version string
	Sockets func() []Socket // what it listens on

	// Release lets go of what only one process may have, and Resume takes it back,
	// also after an error of Release, if the successor did not serve in the end.
	Release func(ctx context.Context) error
	Resume  func()
	// Failed is told of every takeover that came to nothing, and why.
	Failed func(to Process, why error)
	// Taken is told who serves now, and which of the sockets that process uses,
	// counted from 0. Nothing is called after it.
	Taken func(by Process, used []int)
	// Upgrade starts a successor, and returns when it serves, or why it does not.
	Upgrade func(ctx context.Context) (Process, error)

	serveIn time.Duration // 0: serveIn

	turn sync.Mutex // held by the takeover that can't be called off

	mu    sync.Mutex // guards ended
	ended error      // why nobody can take over any more; nil: somebody can
}

// Serve answers those who call, until ln is closed or ctx ends.
func (i *Incumbent) Serve(ctx context.Context, ln net.Listener) {
	var calls sync.WaitGroup
	defer calls.Wait()
	few := make(chan struct{}, 8) // bounds the conversations
	for {
		c, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			time.Sleep(50 * time.Millisecond) // no descriptors left, perhaps
			continue
		}
		few <- struct{}{}
		calls.Go(func() {
			defer func() { <-few }()
			i.answer(ctx, &line{conn: c.(*net.UnixConn)})
		})
	}
}

// End lets nobody take over any more. It waits for a takeover that can't be
// called off.
func (i *Incumbent) End(why error) {
	i.mu.Lock()
	if i.ended == nil {
		i.ended = why
	}
	i.mu.Unlock()
	i.turn.Lock() // to have waited is all
	defer i.turn.Unlock()
}

func (i *Incumbent) over() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ended
}

func (i *Incumbent) answer(ctx context.Context, l *line) {
	defer l.close()
	ended := context.AfterFunc(ctx, func() { _ = l.conn.CloseRead() })
	defer ended()
	if err := ours(l.conn); err != nil {
		l.refuse(err)
		return
	}
	m, err := l.next(patience)
	switch {
	case err != nil:
	case m.Say == sayUpgrade:
		var by Process
		if err = i.over(); err == nil {
			by, err = i.Upgrade(ctx)
		}
		if err != nil {
			l.refuse(err)
			return
		}
		_ = l.send(message{Say: sayUpgraded, Version: by.Version, PID: by.PID}, nil, patience)
	case m.Say != sayHello:
		l.refuse(fmt.Errorf("%q is not understood", m.Say))
	case m.Protocol != protocol:
		l.refuse(fmt.Errorf("the gateway that runs hands over by version %d of the protocol, and this one asks for version %d: restart it instead", protocol, m.Protocol))
	default:
		to := Process{m.PID, m.Version}
		if err := i.hand(ctx, l, to); err != nil {
			l.refuse(err)
			i.Failed(to, err)
		}
	}
}

var errTurn = errors.New("another process is taking over at this moment; try again")

// hand hands over to the process at the other end. An error means that all is
// as it was before.
func (i *Incumbent) hand(ctx context.Context, l *line, to Process) error {
	if err := i.over(); err != nil {
		return err
	}
	if err := i.offer(l); err != nil {
		return err
	}
	ready, err := l.hear(sayReady, openIn)
	if err != nil {
		return err
	}
	if !i.turn.TryLock() {
		return errTurn
	}
	defer i.turn.Unlock()
	if err := i.over(); err != nil {
		return err
	}
	release, cancel := context.WithTimeout(ctx, releaseIn)
	defer cancel()
	if err = i.Release(release); err == nil {
		if err = l.send(message{Say: sayReleased}, nil, patience); err == nil {
			err = l.verdict(cmp.Or(i.serveIn, serveIn))
		}
	}
	if err != nil {
		l.refuse(err) // so that it lets go of what it may have taken
		i.Resume()
		return err
	}
	i.mu.Lock()
	i.ended = fmt.Errorf("process %d has taken over already", to.PID)
	i.mu.Unlock()
	i.Taken(to, ready.Used)
	return nil
}

// offer sends the sockets.
func (i *Incumbent) offer(l *line) error {
	for _, s := range i.Sockets() {
		raw, err := s.raw()
		if err != nil {
			return err
		}
		if err := l.send(message{Say: saySocket, Socket: &s}, raw, patience); err != nil {
			return fmt.Errorf("hand over the socket of %s:%s: %w", s.Network, s.Address, err)
		}
	}
	return l.send(message{Say: sayOffered, Version: i.Version, PID: os.Getpid()}, nil, patience)
}

// verdict returns nil if the successor serves; see [Successor.Serving].
func (l *line) verdict(within time.Duration) error {
	_, err := l.hear(sayServing, within)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if err := l.conn.CloseRead(); err != nil {
		return err
	}
	_, last := l.hear(sayServing, time.Second)
	if errors.Is(last, ErrGone) { // nothing had been said
		return fmt.Errorf("it does not serve after %v", within)
	}
	return last
}
