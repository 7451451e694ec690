package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/ficus-gateway/ficus/routes"
)

// listen makes a public listener of its socket: the PROXY protocol in front of
// TLS, and TLS.
func listen(ln net.Listener, l routes.Listener, certs *certificates) net.Listener {
	if len(l.ProxyProtocol) > 0 {
		ln = &proxyproto.Listener{
			Listener:          ln,
			ReadHeaderTimeout: 10 * time.Second,
			ConnPolicy:        proxyPolicy(l.ProxyProtocol),
		}
	}
	if len(l.TLS) > 0 {
		protocols := []string{"h2", "http/1.1"}
		ln = tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certs.get(l.TLS), NextProtos: protocols})
	}
	return ln
}

// proxyPolicy asks the named peers for a PROXY protocol header and refuses it
// from all others, who could claim any address with it.
func proxyPolicy(from []netip.Prefix) proxyproto.ConnPolicyFunc {
	return func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
		a, err := netip.ParseAddrPort(o.Upstream.String())
		if err != nil {
			return proxyproto.REQUIRE, nil // a unix socket, which only local proxies reach
		}
		for _, p := range from {
			if p.Contains(a.Addr().Unmap()) {
				return proxyproto.REQUIRE, nil
			}
		}
		return proxyproto.REJECT, nil
	}
}

// open opens a socket. A unix socket that a process has left behind is
// removed; one that somebody listens on is not.
func open(network, address string, mode fs.FileMode) (net.Listener, error) {
	if network != "unix" {
		var plain net.ListenConfig
		plain.SetMultipathTCP(false) // it has no filters, which the end needs; see deafen
		ln, err := plain.Listen(context.Background(), network, address)
		if err != nil {
			return nil, listenError(address, err)
		}
		return ln, nil
	}
	if info, err := os.Lstat(address); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("listen on unix:%s: a file that is not a socket is in the way; remove it or choose another path", address)
		}
		if c, err := net.DialTimeout("unix", address, time.Second); err == nil {
			c.Close()
			return nil, fmt.Errorf("listen on unix:%s: another process listens there; is ficus running already?", address)
		}
		if err := os.Remove(address); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("listen on unix:%s: remove the socket that was left behind: %w", address, err)
		}
	}
	ln, err := net.Listen("unix", address)
	if err != nil {
		return nil, socketError(address, err)
	}
	if err := os.Chmod(address, mode); err != nil {
		ln.Close()
		return nil, fmt.Errorf("listen on unix:%s: %w", address, err)
	}
	return ln, nil
}
