package gateway

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestNetworkOfAClient(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"one IPv4 address":              {"192.0.2.1", "192.0.2.1", true},
		"its form as an IPv6 address":   {"192.0.2.1", "::ffff:192.0.2.1", true},
		"neighbours":                    {"192.0.2.1", "192.0.2.2", false},
		"two addresses of one /64":      {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		"two /64 of one /48":            {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"with a zone and without":       {"fe80::1%eth0", "fe80::2", true},
		"the two loopbacks":             {"127.0.0.1", "::1", false},
		"the unspecified IPv4 and IPv6": {"0.0.0.0", "::", false},
	} {
		a, b := networkOf(netip.MustParseAddr(c.a), 1), networkOf(netip.MustParseAddr(c.b), 1)
		if (a == b) != c.same || a == 0 || b == 0 {
			t.Errorf("%s: %08x and %08x", name, a, b)
		}
	}
	if networkOf(netip.Addr{}, 1) != 0 {
		t.Error("an unknown address has a network")
	}
}

func TestNetworksHaveNumbersOfTheirOwn(t *testing.T) {
	seen := make(map[uint32]bool)
	for i := range 1 << 16 {
		seen[networkOf(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)] = true
	}
	if twice := 1<<16 - len(seen); twice > 8 { // half a pair is expected
		t.Errorf("%d addresses of %d share a number", twice, 1<<16)
	}
}

// Behind a trusted proxy the forwarded address counts, from others it does not.
func TestNetworkIsOfTheForwardedClient(t *testing.T) {
	of := func(peer, forwarded string) uint32 {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", forwarded)
		rec := &record{cell: &cell{book: &book{salt: 1}}, peer: peerOf(r, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})}
		return rec.network()
	}
	if got := of("10.1.2.3:5", "203.0.113.9"); got != networkOf(netip.MustParseAddr("203.0.113.9"), 1) {
		t.Errorf("behind a trusted proxy: %08x", got)
	}
	if got := of("198.51.100.1:5", "203.0.113.9"); got != networkOf(netip.MustParseAddr("198.51.100.1"), 1) {
		t.Errorf("from anybody: %08x", got)
	}
	if got := of("@", ""); got != 0 {
		t.Errorf("of no address: %08x", got)
	}
}

func BenchmarkNetwork(b *testing.B) {
	for _, text := range []string{"192.0.2.1", "2001:db8::1"} {
		b.Run(fmt.Sprint(text), func(b *testing.B) {
			rec := &record{cell: &cell{book: &book{salt: 1}}, peer: peer{client: netip.MustParseAddr(text)}}
			b.ReportAllocs()
			for b.Loop() {
				rec.network()
			}
		})
	}
}
