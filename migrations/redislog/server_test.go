package redislog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
)

// A server is a real Redis of one test, on loopback.
type server struct {
	dir  string
	port string
	args []string
	cmd  *exec.Cmd
	dead chan struct{} // closed when the process has ended
}

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	os.Exit(m.Run())
}

// quiet keeps the client library from chatting about servers that tests kill.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// newServer starts a Redis that keeps nothing on disk, unless args say so.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: THE REDIS LOG IS NOT TESTED")
	}
	s := &server{dir: t.TempDir(), args: append([]string{path, "--save", "", "--appendonly", "no"}, args...)}
	s.port = freePort(t)
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (s *server) socket() string { return filepath.Join(s.dir, "redis.sock") }

// start starts the process and waits until it answers.
func (s *server) start(t testing.TB) {
	t.Helper()
	args := append(s.args[1:len(s.args):len(s.args)], "--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir, "--unixsocket", s.socket())
	if s.args[1] == "--sentinel" {
		args = []string{filepath.Join(s.dir, "sentinel.conf"), "--sentinel"}
	}
	s.cmd = exec.Command(s.args[0], args...)
	var said bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &said, &said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dead := make(chan struct{})
	s.dead = dead
	cmd := s.cmd
	go func() {
		cmd.Wait()
		close(dead)
	}()
	for range 500 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			conn.SetDeadline(time.Now().Add(time.Second))
			fmt.Fprint(conn, "PING\r\n")
			buf := make([]byte, 64)
			n, _ := conn.Read(buf)
			conn.Close()
			if n > 0 && !bytes.HasPrefix(buf, []byte("-LOADING")) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.kill()
	t.Fatalf("redis-server does not start:\n%s", &said)
}

// kill kills the process as a crash does.
func (s *server) kill() {
	s.cmd.Process.Kill()
	<-s.dead
}

func (s *server) url() string { return "redis://127.0.0.1:" + s.port }

// do runs a command beside the log.
func (s *server) do(t testing.TB, args ...any) any {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + s.port, Protocol: 2})
	defer c.Close()
	v, err := c.Do(t.Context(), args...).Result()
	if err != nil && err != redis.Nil {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}

// A journal keeps what a log says aloud.
type journal struct {
	mu   sync.Mutex // guards the following
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) options() Options {
	return Options{Logger: slog.New(slog.NewTextHandler(j, nil))}
}

// still are options of a log that says nothing.
func still() Options { return Options{Logger: slog.New(slog.DiscardHandler)} }

func open(t testing.TB, url string, o Options) *Log {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l, err := Open(context.Background(), url, o)
	if err != nil {
		t.Fatal("open:", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func created(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id, Actor: "ficus"}
}

func live(id string, buckets int) migrations.Event {
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: buckets})
	if err != nil {
		panic(err)
	}
	return migrations.Event{Migration: id, Kind: migrations.Shifted, Split: split, Actor: "alice"}
}

func mustAppend(t testing.TB, l *Log, events ...migrations.Event) uint64 {
	t.Helper()
	seq, err := l.Append(t.Context(), migrations.Unconditional, events...)
	if err != nil {
		t.Fatal("append:", err)
	}
	return seq
}

func latest(t testing.TB, l *Log) migrations.State {
	t.Helper()
	s, err := migrations.Latest(t.Context(), l)
	if err != nil {
		t.Fatal("latest:", err)
	}
	return s
}

func wantHead(t testing.TB, l *Log, want uint64) {
	t.Helper()
	if seq, err := l.Head(t.Context()); err != nil || seq != want {
		t.Errorf("the head is %d (%v), want %d", seq, err, want)
	}
}

// wantTrouble holds an error to what it must be about, and returns its text.
func wantTrouble(t testing.TB, err error, want Trouble) string {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want trouble %q", want)
	}
	if got := TroubleOf(err); got != want {
		t.Errorf("trouble %q, want %q: %v", got, want, err)
	}
	return err.Error()
}

// following collects what one follower gets, in the background.
func follow(ctx context.Context, l *Log, from uint64) <-chan result {
	results := make(chan result, 10_000)
	go func() {
		defer close(results)
		for e, err := range l.Follow(ctx, from) {
			results <- result{e, err}
		}
	}()
	return results
}

type result struct {
	event migrations.Event
	err   error
}

func next(t testing.TB, results <-chan result) result {
	t.Helper()
	select {
	case r, ok := <-results:
		if !ok {
			t.Fatal("follow ended without an error")
		}
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return result{}
	}
}

func wantNext(t testing.TB, results <-chan result, seq uint64) {
	t.Helper()
	if r := next(t, results); r.err != nil || r.event.Seq != seq {
		t.Fatalf("got event %d (%v), want event %d", r.event.Seq, r.err, seq)
	}
}

// A proxy stands between a log and its server.
type proxy struct {
	net.Listener
	to string

	mu    sync.Mutex                // guards the following
	cut   func(request []byte) bool // whether to forward this one and then break the connection
	conns []net.Conn
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.breakAll()
		all.Wait()
	})
	return p
}

func (p *proxy) url() string { return "redis://" + p.Addr().String() }

// cutAfter makes the proxy break the connection once it has forwarded a
// request that has text in it, before any of the answer comes back.
func (p *proxy) cutAfter(text string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = func(request []byte) bool {
		if times == 0 || !strings.Contains(strings.ToLower(string(request)), text) {
			return false
		}
		times--
		return true
	}
}

func (p *proxy) breakAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		cut := p.cut != nil && p.cut(buf[:n])
		p.mu.Unlock()
		if cut {
			client.Close()
			server.Write(buf[:n])
			time.Sleep(50 * time.Millisecond) // the request arrives; nobody hears the answer
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}
