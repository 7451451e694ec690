package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hostListed refuses requests for a host that is not on the list. A page of
// evil.example may point that name at the loopback and then read the API as
// its own origin; but its requests still ask for evil.example.
//
// Probes ask for whatever address they know, so /healthz and /readyz are open,
// without detail.
func (a *api) hostListed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.listed(r) && !isProbe(r) {
			a.refuse(w, r, problem(HostNotListed, http.StatusMisdirectedRequest,
				"%q is not a host of this listener; ask for localhost, or add the name to the hosts of admin in the config", plain(r.Host, 100)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) listed(r *http.Request) bool {
	local := localAddr(r)
	if isUnix(local) {
		return true // no browser speaks to a unix socket
	}
	host := hostName(r.Host)
	if a.hosts[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	// An address can't be pointed elsewhere, so the very one connected to is as good as a listed name.
	return ip.Unmap().IsLoopback() || ip.Unmap() == tcpAddr(local)
}

func hostSet(hosts []string) map[string]bool {
	set := map[string]bool{"localhost": true}
	for _, h := range hosts {
		set[hostName(h)] = true
	}
	delete(set, "")
	return set
}

// hostName returns a Host without its port, brackets and final dot, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// localAddr returns the address that the client connected to, nil if unknown.
func localAddr(r *http.Request) net.Addr {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return addr
}

func isUnix(addr net.Addr) bool { return addr != nil && addr.Network() == "unix" }

// tcpAddr returns the IP of a TCP address, and the zero Addr of any other.
func tcpAddr(addr net.Addr) netip.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}
