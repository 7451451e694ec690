package toll

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
)

// A road is a gateway with its load and its applications.
type road struct {
	t       testing.TB
	gateway *client.Client
	in      *json.Encoder // turns, to the load
	out     *json.Decoder
	pids    map[string]string // by role
}

// A setup says what lies at the ends of a road.
type setup struct {
	wait  time.Duration // of both applications
	hangs bool          // the service never answers
}

// build starts everything.
func build(t testing.TB, s setup) *road {
	t.Helper()
	r := &road{t: t, pids: map[string]string{"": strconv.Itoa(os.Getpid())}}
	dir, err := os.MkdirTemp("", "toll") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listen := freePort(t)
	config := fmt.Sprintf(`
listen: %s
admin: {address: none, socket: %s/ficus.sock}
state: file:%[2]s/ficus.events
upstreams: {monolith: "http://%s", orders: "http://%s"}
migrations:
  orders: {from: monolith, to: orders, key: ["header:X-User"]}
routes:
  - {path: /api/orders/*, migration: orders, repeatable: true}
  - {path: /*, upstream: monolith}
`, listen, dir, r.application("monolith", s.wait), r.application("service", s.wait, "-last", "-hangs="+strconv.FormatBool(s.hangs)))
	file := filepath.Join(dir, "ficus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.begin("gateway", exec.Command("ficus", "run", "-c", file)) // its logs go nowhere
	r.connect(dir)
	in, answers := r.spawn("load", "toll-load", listen)
	r.in, r.out = json.NewEncoder(in), json.NewDecoder(answers)
	return r
}

func freePort(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// connect waits until the gateway is ready.
func (r *road) connect(dir string) {
	r.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		token, err := access.FindToken(filepath.Join(dir, access.TokenFile), "")
		if err != nil {
			continue
		}
		if r.gateway, err = client.New("unix:"+filepath.Join(dir, "ficus.sock"), token, "toll"); err != nil {
			r.t.Fatal(err)
		}
		if ready, err := r.gateway.Ready(r.t.Context()); err == nil && ready.Ready {
			r.t.Cleanup(r.gateway.Close)
			return
		}
		r.gateway.Close()
	}
	r.t.Fatal("the gateway does not become ready")
}

// spawn starts a program and returns its two ends.
func (r *road) spawn(role, name string, args ...string) (io.Writer, *bufio.Reader) {
	r.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.begin(role, cmd)
	return in, bufio.NewReader(out)
}

// begin starts a program, which ends with the test.
func (r *road) begin(role string, cmd *exec.Cmd) {
	r.t.Helper()
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.pids[role] = strconv.Itoa(cmd.Process.Pid)
	r.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// application starts one and returns its address.
func (r *road) application(role string, wait time.Duration, args ...string) string {
	r.t.Helper()
	_, out := r.spawn(role, "toll-application", append(args, "-wait", wait.String())...)
	line, err := out.ReadString('\n')
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// shift puts everybody at a stage.
func (r *road) shift(stage migrations.Stage) {
	r.t.Helper()
	m, err := r.gateway.Migration(r.t.Context(), "orders")
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.gateway.Shift(r.t.Context(), "orders", migrations.All(stage), "measure", m.Seq); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
}
