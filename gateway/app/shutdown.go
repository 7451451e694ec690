package app

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Shutdown ends the process without dropping a request: readiness goes off
// and clients are told to close; after the configured delay the listeners
// close; requests under way, those that come on connections that are kept, and
// upgraded connections have the configured time to finish. Ctx ends the
// patience early. If another process has taken over, readiness is its business,
// and there is no delay.
func (p *Process) Shutdown(ctx context.Context) error {
	if p.incumbent != nil {
		p.incumbent.End(errors.New("the gateway that runs is ending"))
	}
	s := p.source.Table().Server.Shutdown
	p.draining.Store(true)
	p.gateway.Drain()
	if !p.handed.done() {
		p.log.Info("draining", "delay", s.Delay, "timeout", s.Timeout, "in_flight", p.gateway.InFlight())
		select {
		case <-time.After(s.Delay):
		case <-ctx.Done():
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	deafen(ctx, p.last())
	for _, ln := range p.public {
		_ = ln.Close()
	}
	var err error
	var mu sync.Mutex // guards err
	var wait sync.WaitGroup
	for i := range p.public {
		wait.Go(func() {
			e := p.drain(ctx, i)
			if e == nil || errors.Is(e, net.ErrClosed) { // the listener is closed already
				return
			}
			_ = p.server[i].Close() // those that would not end
			mu.Lock()
			defer mu.Unlock()
			err = e
		})
	}
	wait.Go(func() { p.gateway.Close(ctx) })
	if p.handed.done() {
		wait.Go(p.leaveAdmin)
	}
	wait.Wait()
	for i := range p.admin {
		_ = p.server[len(p.public)+i].Close()
	}
	p.abandon()
	p.log.Info("ended", "clean", err == nil)
	return err
}

// drain waits until a server whose listener is closed has nothing to do.
func (p *Process) drain(ctx context.Context, server int) error {
	<-p.accepting[server] // nothing more comes
	p.kept[server].settle(ctx)
	return p.server[server].Shutdown(ctx)
}

// last returns the sockets of the public listeners that nobody else listens on.
func (p *Process) last() (sockets []net.Listener) {
	for i, s := range p.sockets[:len(p.public)] {
		if !s.lent && !p.handed.has(i) {
			sockets = append(sockets, s.Listener)
		}
	}
	return sockets
}

// adminEnd is how long requests to the admin listener have to end when another
// process has taken over. Those that never end, as pages that are kept up to
// date, begin again there.
const adminEnd = 2 * time.Second

// leaveAdmin ends the admin listeners. Their sockets stay open until the end, so
// that nobody but the process that has taken over is asked in place of this one.
func (p *Process) leaveAdmin() {
	ctx, cancel := context.WithTimeout(context.Background(), adminEnd)
	defer cancel()
	var wait sync.WaitGroup
	for i, ln := range p.admin {
		if s, ok := p.sockets[len(p.public)+i].Listener.(interface{ File() (*os.File, error) }); ok {
			if f, err := s.File(); err == nil {
				defer f.Close()
			}
		}
		_ = ln.Close()
		wait.Go(func() {
			_ = p.drain(ctx, len(p.public)+i)
			_ = p.server[len(p.public)+i].Close()
		})
	}
	wait.Wait()
}

// abandon closes whatever is open. It works on a process that has only half begun.
func (p *Process) abandon() {
	p.stop()
	for _, ln := range append(p.public, p.admin...) {
		_ = ln.Close()
	}
	for _, s := range append(p.sockets, p.came...) {
		_ = s.Close()
	}
	if p.shadow != nil {
		p.closeShadow()
	}
	if p.events != nil {
		_ = p.events.Close()
	}
	if p.shared != nil {
		defer p.shared.close()
	}
	p.tasks.Wait()
	_ = p.duties.stop(context.Background())
	if p.door != nil && !p.handed.done() {
		_ = p.door.Close()
	}
	if p.assigner != nil {
		_ = p.assigner.Close()
	} else if p.flags != nil {
		p.flags.close()
	}
	flush, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if p.access != nil {
		_ = p.access.Close(flush)
	}
	if p.tools != nil {
		_ = p.tools.close(flush)
	}
}
