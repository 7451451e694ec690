package app

import (
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"sync"
	"time"
)

// lastCall is how long a connection is kept at the end though nothing happens
// on it. Closing it sooner would lose what its client is just sending; every
// client that does send is told to close.
const lastCall = time.Second

// kept are the connections of a public server, and since when they rest. They
// are spread over shards, since every request notes its begin and its end.
type kept struct {
	seed   maphash.Seed
	shards [16]keptShard
}

type keptShard struct {
	mu    sync.Mutex // guards conns
	conns map[net.Conn]time.Time
	_     [32]byte // keeps neighbours out of the cache line
}

// watch keeps an eye on the connections of a server that does not serve yet.
func watch(server *http.Server) *kept {
	k := &kept{seed: maphash.MakeSeed()}
	for i := range k.shards {
		k.shards[i].conns = make(map[net.Conn]time.Time)
	}
	before := server.ConnState
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if before != nil {
			before(c, state)
		}
		k.note(c, state)
	}
	return k
}

func (k *kept) note(c net.Conn, state http.ConnState) {
	s := &k.shards[maphash.Comparable(k.seed, c)%uint64(len(k.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		s.conns[c] = time.Now()
	case http.StateActive:
		s.conns[c] = time.Time{}
	default:
		delete(s.conns, c)
	}
}

// settle waits until every connection is closed or has rested for the time of
// a last call that begins now, or until ctx ends.
func (k *kept) settle(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); !k.settled(began); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (k *kept) settled(began time.Time) bool {
	for i := range k.shards {
		if !k.shards[i].settled(began) {
			return false
		}
	}
	return true
}

func (s *keptShard) settled(began time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, since := range s.conns {
		if since.IsZero() {
			return false
		}
		if since.Before(began) {
			since = began
		}
		if time.Since(since) < lastCall {
			return false
		}
	}
	return true
}
