package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
)

// A binary is the real program in a directory of its own. It can be started
// again there after it has ended, however it did.
type binary struct {
	t      testing.TB
	dir    string
	listen string // host:port of its first listener
	admin  string // unix:PATH of its admin socket
	env    []string
	in     func(func() error) error // where it is started; nil: here
	stdout buffer
	stderr buffer
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the program has ended
}

// install makes the directory with a config, in which $LISTEN is an address.
func install(t testing.TB, config string) *binary {
	t.Helper()
	dir, err := os.MkdirTemp("", "ficus") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listen, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	config = strings.NewReplacer("$LISTEN", listen, "$DIR", dir).Replace(config)
	if err := os.WriteFile(filepath.Join(dir, "ficus.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &binary{t: t, dir: dir, listen: listen, admin: "unix:" + filepath.Join(dir, "ficus.sock")}
	t.Cleanup(func() { b.signal(syscall.SIGKILL) })
	return b
}

// start starts the program and waits until it is ready.
func (b *binary) start() {
	b.t.Helper()
	b.cmd = exec.Command("ficus", "run")
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = b.dir, &b.stdout, &b.stderr
	b.cmd.Env = append(os.Environ(), b.env...)
	start := b.cmd.Start
	if b.in != nil {
		start = func() error { return b.in(b.cmd.Start) }
	}
	if err := start(); err != nil {
		b.t.Fatal(err)
	}
	b.ended = make(chan struct{})
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait()
	}()
	c := b.client()
	defer c.Close()
	eventually(b.t, "the gateway is ready", func() bool {
		select {
		case <-b.ended:
			b.t.Fatalf("the gateway ended by itself:\n%s", b.stderr.String())
		default:
		}
		r, err := c.Ready(b.t.Context())
		return err == nil && r.Ready
	})
}

// client returns a client of the admin socket.
func (b *binary) client() *client.Client {
	b.t.Helper()
	token, _ := access.FindToken(filepath.Join(b.dir, access.TokenFile), "") // none before the first start
	c, err := client.New(b.admin, token, "ada")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// signal sends a signal and waits until the program has ended.
func (b *binary) signal(s syscall.Signal) {
	b.t.Helper()
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(s) // it may have ended
	select {
	case <-b.ended:
	case <-time.After(30 * time.Second):
		b.t.Errorf("the gateway does not end after %v", s)
		_ = b.cmd.Process.Kill()
		<-b.ended
	}
}
