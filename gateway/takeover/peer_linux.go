package takeover

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// ours refuses processes of other users, but root's. The mode of the socket
// does so too, but for the moment between its beginning and that mode.
func ours(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var peer *syscall.Ucred
	var asked error
	err = raw.Control(func(fd uintptr) {
		peer, asked = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	switch {
	case err != nil:
		return err
	case asked != nil:
		return asked
	case int(peer.Uid) != os.Geteuid() && peer.Uid != 0:
		return fmt.Errorf("the gateway that runs is another user's; run this as user %d", os.Geteuid())
	}
	return nil
}
