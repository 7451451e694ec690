package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A manager stands in for a service manager: it opens the sockets, keeps them
// open from one process to the next, and is told how they stand.
type manager struct {
	t *testing.T
	*relay
	sockets []*os.File
	names   []string
	notices *net.UnixConn
}

func newManager(t *testing.T, r *relay) *manager {
	t.Helper()
	path := filepath.Join(r.dir, "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &manager{t: t, relay: r, notices: c}
}

// listen opens a socket, and returns where.
func (m *manager) listen(network, address, name string) net.Addr {
	m.t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		m.t.Fatal(err)
	}
	f, err := ln.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		m.t.Fatal(err)
	}
	if unix, ok := ln.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	ln.Close()
	m.t.Cleanup(func() { f.Close() })
	m.sockets, m.names = append(m.sockets, f), append(m.names, name)
	return ln.Addr()
}

// start starts a process with the sockets.
func (m *manager) start() *turn {
	m.t.Helper()
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	from := len(m.said(0))
	// $$ is the number of the process that exec makes the gateway.
	cmd := exec.Command("sh", "-c", fmt.Sprintf("LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=%s WATCHDOG_USEC=200000 WATCHDOG_PID=$$ exec ficus run", len(m.sockets), strings.Join(m.names, ":")))
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = m.dir, log, log, m.sockets
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.notices.LocalAddr().String())
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	return m.follow(cmd.Process.Pid, from)
}

// told waits until the manager is told something, and returns the whole of it.
func (m *manager) told(what string) string {
	m.t.Helper()
	buf := make([]byte, 4096)
	_ = m.notices.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		n, err := m.notices.Read(buf)
		if err != nil {
			m.t.Fatalf("nobody says %q: %v", what, err)
		}
		if text := string(buf[:n]); strings.Contains(text, what) {
			return text
		}
	}
}

// TestTheServiceManagerOpensTheSockets: they are found by their names or their
// addresses; whoever comes while no process runs waits, and is served by the
// next; and the paths of sockets are not removed.
func TestTheServiceManagerOpensTheSockets(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, fmt.Sprintf(`
listen:
  - fd:web
  - $LISTEN
  - {address: "unix:$DIR/public.sock"}
admin: {address: none, socket: $DIR/ficus.sock}
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, named(t, "monolith"))))
	m := newManager(t, r)
	web := m.listen("tcp", "127.0.0.1:0", "web")
	m.listen("tcp", r.listen, "ficus.socket")
	m.listen("unix", filepath.Join(r.dir, "public.sock"), "ficus.socket")
	m.listen("unix", filepath.Join(r.dir, "ficus.sock"), "")

	early := make(chan string, 1)
	go func() { early <- fetch("http://" + r.listen + "/early") }()
	time.Sleep(20 * time.Millisecond)
	now := m.start()
	if text := <-early; !strings.Contains(text, "GET /early") {
		t.Errorf("who came early is answered with %s", text)
	}
	for range full(10, 3) { // restarts, during which nobody is refused
		var asked atomic.Int64
		over, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				if text := fetch("http://" + web.String() + "/web"); !strings.HasPrefix(text, "200") {
					t.Errorf("during a restart: %s", text)
				}
				asked.Add(1)
				select {
				case <-over:
					return
				default:
				}
			}
		}()
		eventually(t, "somebody asks", func() bool { return asked.Load() > 3 })
		now.signal(syscall.SIGTERM)
		if code := now.end(); code != exitOK {
			t.Errorf("exit code %d:\n%s", code, r.said(now.from))
		}
		now = m.start()
		r.says(now.from, nowServing)
		close(over)
		<-ended
	}
	// A process that takes over must not take them for its own either.
	next := r.upgrade()
	if code := now.end(); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, r.said(now.from))
	}
	if text := fetch("http://" + r.listen + "/later"); !strings.Contains(text, "GET /later") {
		t.Errorf("after a takeover: %s", text)
	}
	next.signal(syscall.SIGTERM)
	eventually(t, "the last one ends", func() bool { return next.ended() })
	for _, name := range []string{"public.sock", "ficus.sock"} {
		if _, err := os.Lstat(filepath.Join(r.dir, name)); err != nil {
			t.Errorf("the service manager's %s was removed: %v", name, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(r.dir, takeoverFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %s, %v", takeoverFile, err)
	}
}

func TestASocketOfTheServiceManagerThatNobodyWantsIsAnError(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, `
listen: [$LISTEN, "fd:web"]
admin: none
upstreams: {monolith: "http://127.0.0.1:1"}
routes: [{path: /*, upstream: monolith}]
`))
	m := newManager(t, r)
	address := m.listen("tcp", "127.0.0.1:0", "shop")
	if code := m.start().end(); code != exitFailed || !strings.Contains(r.said(0), "brings along no socket of that name; start the gateway by its socket unit, with FileDescriptorName=web") {
		t.Errorf("exit code %d:\n%s", code, r.said(0))
	}
	m.listen("tcp", "127.0.0.1:0", "web")
	s := m.start()
	if code := s.end(); code != exitFailed || !strings.Contains(r.said(s.from), "brings along the socket "+address.String()+" (shop), which no listener of the config names") {
		t.Errorf("exit code %d:\n%s", code, r.said(s.from))
	}
}

// TestTheServiceManagerIsTold when the gateway serves, reloads, lives, hands
// over and ends.
func TestTheServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	r := newRelay(install(t, fmt.Sprintf(`
listen: $LISTEN
admin: none
upstreams: {monolith: "%s"}
routes: [{path: /*, upstream: monolith}]
`, named(t, "monolith"))))
	m := newManager(t, r)
	first := m.start()
	if text := m.told("READY=1"); text != fmt.Sprintf("READY=1\nMAINPID=%d", first.pid) {
		t.Errorf("told %q", text)
	}
	if text := fetch("http://" + r.listen); !strings.Contains(text, "monolith GET /") {
		t.Errorf("when it is ready: %s", text)
	}
	m.told("WATCHDOG=1")
	first.signal(syscall.SIGHUP)
	if text := m.told("RELOADING=1"); !strings.HasPrefix(text, "RELOADING=1\nMONOTONIC_USEC=") || strings.HasSuffix(text, "=0") {
		t.Errorf("told %q", text)
	}
	m.told("READY=1")
	second := r.usr2(first)
	text := m.told("MAINPID=")
	if strings.HasPrefix(text, "READY=1") { // by the second of itself, which the manager may not believe yet
		text = m.told("MAINPID=")
	}
	if !strings.HasSuffix(text, fmt.Sprintf("MAINPID=%d", second.pid)) {
		t.Errorf("told %q", text)
	}
	if code := first.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	m.told("WATCHDOG=1") // by the second
	second.signal(syscall.SIGTERM)
	m.told("STOPPING=1")
	eventually(t, "the second ends", func() bool { return second.ended() })
}
