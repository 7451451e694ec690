//go:build linux

package app

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A slowLine carries connections to a server, and may take its time, stall, or
// break them all.
type slowLine struct {
	to    func() (net.Conn, error)
	delay atomic.Int64 // of each way, in nanoseconds

	mu    sync.Mutex // guards what follows
	conns map[net.Conn]bool
}

// serve carries what ln accepts, until it is closed.
func (s *slowLine) serve(ln net.Listener) {
	s.conns = make(map[net.Conn]bool)
	for {
		in, err := ln.Accept()
		if err != nil {
			s.reset()
			return
		}
		go func() {
			out, err := s.to()
			if err != nil {
				in.Close()
				return
			}
			s.mu.Lock()
			s.conns[in], s.conns[out] = true, true
			s.mu.Unlock()
			var both sync.WaitGroup
			both.Go(func() { s.carry(in, out) })
			both.Go(func() { s.carry(out, in) })
			both.Wait()
			s.mu.Lock()
			delete(s.conns, in)
			delete(s.conns, out)
			s.mu.Unlock()
		}()
	}
}

// carry copies one way, each piece later by the delay of the moment.
func (s *slowLine) carry(from, to net.Conn) {
	type piece struct {
		due  time.Time
		data []byte
	}
	ctx, cancel := context.WithCancel(context.Background())
	pieces := make(chan piece, 1024)
	go func() {
		defer cancel()
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				return
			}
		}
	}()
	defer from.Close()
	defer close(pieces)
	for buf := make([]byte, 64<<10); ; {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		select {
		case pieces <- piece{time.Now().Add(time.Duration(s.delay.Load())), append([]byte(nil), buf[:n]...)}:
		case <-ctx.Done():
			return
		}
	}
}

// reset breaks all connections.
func (s *slowLine) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}
