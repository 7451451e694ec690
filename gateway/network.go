package gateway

import (
	"encoding/binary"
	"net/netip"
)

// network returns a number for the network that the client is in, as far as
// trusted proxies say: its IPv4 address, or the first 64 bits of its IPv6
// address, which is the least that one customer is given. It is 0 if the
// address is not known, and never 0 otherwise. Two networks have the same
// number once in four thousand million pairs. It is salted: without the secret
// nobody can tell the address from it.
func (rec *record) network() uint32 {
	if rec.from == 0 && rec.cell != nil {
		rec.from = networkOf(rec.peer.client, rec.cell.book.salt)
	}
	return rec.from
}

func networkOf(a netip.Addr, salt uint64) uint32 {
	if !a.IsValid() {
		return 0
	}
	a = a.Unmap()
	b := a.As16()
	h := binary.BigEndian.Uint64(b[:])
	if a.Is4() {
		h = binary.BigEndian.Uint64(b[8:]) // its upper half is that of no IPv6 network in use: ::ffff:0:0/96
	}
	// The finalizer of SplitMix64, so that neighbours fall far apart.
	h += 0x9e3779b97f4a7c15 ^ salt
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h>>31 ^ salt>>1
	h *= 0x9e3779b97f4a7c15
	return max(uint32(h>>32), 1)
}
