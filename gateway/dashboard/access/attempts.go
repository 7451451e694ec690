package access

import (
	"net/netip"
	"sync"
	"time"
)

// attempts bounds how often somebody may try to sign in, by address: a burst
// of ten and then one a second. One address does not use up another's. An IPv6
// address counts as its network of 64 bits, since whoever has one has all.
type attempts struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	from map[netip.Prefix]*limiter
	rest limiter // of those that come when from is full
}

// maxAddresses bounds the addresses that are told apart.
const maxAddresses = 1024

// allow reports whether somebody at an address, with a port or without, may
// try now.
func (a *attempts) allow(from string) bool {
	where := prefixOf(from)
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.from[where]
	if l == nil && len(a.from) >= maxAddresses {
		a.forget()
	}
	switch {
	case l != nil:
	case len(a.from) >= maxAddresses:
		l = &a.rest
		l.now = a.now
	default:
		if a.from == nil {
			a.from = map[netip.Prefix]*limiter{}
		}
		l = &limiter{now: a.now}
		a.from[where] = l
	}
	ok, _ := l.allow()
	return ok
}

// forget drops the addresses whose burst is whole again.
func (a *attempts) forget() {
	now := a.now()
	for where, l := range a.from {
		if now.Sub(l.last) >= burst*time.Second {
			delete(a.from, where)
		}
	}
}

// prefixOf is whom an attempt counts for; the zero Prefix where the address is
// none, as on a unix socket.
func prefixOf(from string) netip.Prefix {
	addr, err := netip.ParseAddr(from)
	if at, withPort := netip.ParseAddrPort(from); withPort == nil {
		addr, err = at.Addr(), nil
	}
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := addr.Unmap().WithZone(""), 128
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(min(bits, addr.BitLen()))
	return p
}
