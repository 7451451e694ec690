package app

import (
	"context"
	"net"
	"os"
	"time"
)

// handshakes is how long the connections that are being opened when the end
// begins have to come through. Whoever begins to open one meanwhile is heard
// by the next process on this address, or refused, a second later.
const handshakes = 30 * time.Millisecond

// deafen makes sockets take no new connections, and waits until those that
// the kernel has begun are accepted. Closing a socket at once would reset
// them, with the requests that their clients have sent already.
func deafen(ctx context.Context, sockets []net.Listener) {
	for _, ln := range sockets {
		switch ln := ln.(type) {
		case *net.TCPListener:
			_ = ignoreSYN(ln) // then those few are lost
		case *net.UnixListener:
			ln.SetUnlinkOnClose(false) // by then the path may be another process's
			_ = os.Remove(ln.Addr().String())
		}
	}
	tick := time.NewTicker(handshakes)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		waiting := 0
		for _, ln := range sockets {
			if ln, ok := ln.(*net.TCPListener); ok {
				waiting += queued(ln)
			}
		}
		if waiting == 0 {
			return
		}
	}
}
