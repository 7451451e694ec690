package app

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A redisServer is a real Redis of one test. It can be started again after it
// has ended.
type redisServer struct {
	t       testing.TB
	dir     string
	address string                                                               // host:port
	args    []string                                                             // besides those that say where
	env     []string                                                             // besides this process'
	where   func(func() error) error                                             // where it is started; nil: here
	dial    func(ctx context.Context, network, address string) (net.Conn, error) // to it; nil: from here
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// newRedis starts a Redis on the loopback, which keeps nothing on disk unless
// args say so.
func newRedis(t testing.TB, args ...string) *redisServer {
	t.Helper()
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, dir: t.TempDir(), address: address, args: args}
	r.start()
	return r
}

// durable are the arguments of a Redis that loses nothing.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

func (r *redisServer) start() {
	r.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		r.t.Skip("redis-server is not installed: SEVERAL GATEWAYS ARE NOT TESTED")
	}
	host, port, err := net.SplitHostPort(r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	args := []string{"--save", "", "--appendonly", "no", "--port", port, "--bind", host, "--dir", r.dir}
	r.cmd = exec.Command(path, append(args, r.args...)...)
	r.cmd.Env = append(os.Environ(), r.env...)
	var said bytes.Buffer
	r.cmd.Stdout, r.cmd.Stderr = &said, &said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := r.cmd.Start
	if r.where != nil {
		r.cmd.SysProcAttr = nil // it would end with the thread that started it
		start = func() error { return r.where(r.cmd.Start) }
	}
	if err := start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	r.ended = ended
	cmd := r.cmd
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	r.t.Cleanup(r.kill)
	eventually(r.t, "redis-server answers", func() bool {
		select {
		case <-ended:
			r.t.Fatalf("redis-server ended:\n%s", &said)
		default:
		}
		return r.try("PING") == nil
	})
}

// kill kills the process as a crash does.
func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

func (r *redisServer) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

func (r *redisServer) url() string { return "redis://" + r.address }

func (r *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.address, Protocol: 2, MaxRetries: -1, Dialer: r.dial})
}

func (r *redisServer) try(args ...any) error {
	c := r.client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return c.Do(ctx, args...).Err()
}

// do runs a command.
func (r *redisServer) do(args ...any) {
	r.t.Helper()
	if err := r.try(args...); err != nil {
		r.t.Fatalf("%v: %v", args, err)
	}
}

// together begins the config of a gateway whose log is in Redis.
func (r *redisServer) together() string {
	return fmt.Sprintf(`
listen: 127.0.0.1:0
admin: {address: 127.0.0.1:0, socket: none}
state: {url: "%s", checkpoint: $DIR/ficus.checkpoint}
`, r.url())
}
