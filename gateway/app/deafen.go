package app

import (
	"net"
	"os"
	"time"
)

// handshakes is how long the connections that are being opened when the end
// begins have to come through. Whoever begins to open one meanwhile is heard
// by the next process on this address, or refused, a second later.
const handshakes = 30 * time.Millisecond

// deafen makes a socket take no new connections while it can still accept
// those that the kernel has begun. Closing it at once would reset them, with
// the requests that their clients have sent already.
func deafen(ln net.Listener) {
	switch ln := ln.(type) {
	case *net.TCPListener:
		_ = ignoreSYN(ln) // then those few are lost
	case *net.UnixListener:
		_ = os.Remove(ln.Addr().String())
	}
}
