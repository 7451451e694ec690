package app

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Shutdown ends the process without dropping a request: readiness goes off
// and clients are told to close; after the configured delay the listeners
// close; requests under way, those that come on connections that are kept, and
// upgraded connections have the configured time to finish. Ctx ends the
// patience early.
func (p *Process) Shutdown(ctx context.Context) error {
	s := p.source.Table().Server.Shutdown
	p.draining.Store(true)
	p.gateway.Drain()
	p.log.Info("draining", "delay", s.Delay, "timeout", s.Timeout, "in_flight", p.gateway.InFlight())
	select {
	case <-time.After(s.Delay):
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	deafen(ctx, p.sockets)
	for _, ln := range p.public {
		_ = ln.Close()
	}
	var err error
	var mu sync.Mutex // guards err
	var wait sync.WaitGroup
	for i := range p.public {
		server, kept, accepting := p.server[i], p.kept[i], p.accepting[i]
		wait.Go(func() {
			<-accepting // nothing more comes
			kept.settle(ctx)
			e := server.Shutdown(ctx)
			if e == nil || errors.Is(e, net.ErrClosed) { // the listener is closed already
				return
			}
			_ = server.Close() // those that would not end
			mu.Lock()
			defer mu.Unlock()
			err = e
		})
	}
	wait.Go(func() { p.gateway.Close(ctx) })
	wait.Wait()
	for i := range p.admin {
		_ = p.server[len(p.public)+i].Close()
	}
	p.abandon()
	p.log.Info("ended", "clean", err == nil)
	return err
}

// abandon closes whatever is open. It works on a process that has only half begun.
func (p *Process) abandon() {
	p.stop()
	for _, ln := range append(p.public, p.admin...) {
		_ = ln.Close()
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
	if p.door != nil {
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
