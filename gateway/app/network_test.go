//go:build linux

package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A network is a few hosts, each in a network namespace of its own, and the
// links between them, which run through a namespace that is their switch.
type network struct {
	t      testing.TB
	prefix string
	links  int
}

var networks atomic.Int64

// newNetwork makes hosts without links. It skips the test where that cannot be
// done.
func newNetwork(t testing.TB, hosts ...string) *network {
	t.Helper()
	n := &network{t: t, prefix: fmt.Sprintf("f%d%c", os.Getpid(), 'a'+rune(networks.Add(1)))}
	for _, host := range append([]string{"sw"}, hosts...) {
		if out, err := exec.Command("ip", "netns", "add", n.ns(host)).CombinedOutput(); err != nil {
			t.Skipf("NETWORK PARTITIONS ARE NOT TESTED: namespaces cannot be made here: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n.ns(host)).Run() })
		n.ip("-n", n.ns(host), "link", "set", "lo", "up")
	}
	return n
}

func (n *network) ns(host string) string { return n.prefix + host }

func (n *network) ip(args ...string) { n.run("ip", args...) }

func (n *network) run(name string, args ...string) {
	n.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		n.t.Errorf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// in does something as a process of a host would: sockets and processes that
// it makes are there.
func (n *network) in(host string, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer here.Close()
	there, err := os.Open("/var/run/netns/" + n.ns(host))
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = do()
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // this thread is lost
	}
	return err
}

// listen opens a socket of a host.
func (n *network) listen(host, address string) net.Listener {
	n.t.Helper()
	var ln net.Listener
	err := n.in(host, func() (err error) {
		ln, err = net.Listen("tcp", address)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { ln.Close() })
	return ln
}

// dialer opens connections from a host.
func (n *network) dialer(host string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		err = n.in(host, func() (err error) {
			var d net.Dialer
			conn, err = d.DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
}

// serve runs an application on a host and returns its URL.
func (n *network) serve(host, address string, h http.Handler) string {
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = n.listen(host, address)
	s.Start()
	n.t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// A link joins two hosts. Both are at addresses of its own.
type link struct {
	net    *network
	bridge string
	ports  [2]string // of the bridge
}

// join links hosts, which get 10.77.N.1, 10.77.N.2 and so on.
func (n *network) join(hosts ...string) (l *link, addresses []string) {
	n.t.Helper()
	n.links++
	l = &link{net: n, bridge: fmt.Sprint("br", n.links)}
	sw := n.ns("sw")
	n.ip("-n", sw, "link", "add", l.bridge, "type", "bridge", "forward_delay", "0")
	for i, host := range hosts {
		port, there := fmt.Sprintf("p%d-%d", n.links, i), fmt.Sprint("eth", n.links)
		address := fmt.Sprintf("10.77.%d.%d", n.links, i+1)
		n.ip("link", "add", port, "netns", sw, "type", "veth", "peer", "name", there, "netns", n.ns(host))
		n.ip("-n", sw, "link", "set", port, "master", l.bridge, "up")
		n.ip("-n", n.ns(host), "addr", "add", address+"/24", "dev", there)
		n.ip("-n", n.ns(host), "link", "set", there, "up")
		addresses = append(addresses, address)
		l.ports[i%2] = port
	}
	n.ip("-n", sw, "link", "set", l.bridge, "up")
	return l, addresses
}

// cut drops whatever is sent over the link, without a word to either side,
// until mend.
func (l *link) cut() { l.net.ip("-n", l.net.ns("sw"), "link", "set", l.bridge, "down") }

func (l *link) mend() { l.net.ip("-n", l.net.ns("sw"), "link", "set", l.bridge, "up") }

// squeeze makes the link so narrow that packets wait and are lost, until
// widen. Not every kernel has netem, which would lose them by a given rate.
func (l *link) squeeze() {
	for _, port := range l.ports {
		l.net.run("tc", "-n", l.net.ns("sw"), "qdisc", "add", "dev", port, "root", "tbf", "rate", "256kbit", "burst", "3000", "limit", "6000")
	}
}

func (l *link) widen() {
	for _, port := range l.ports {
		l.net.run("tc", "-n", l.net.ns("sw"), "qdisc", "del", "dev", port, "root")
	}
}
