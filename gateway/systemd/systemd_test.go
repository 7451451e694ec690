package systemd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// activated tells a test binary that it is the service.
const activated = "FICUS_TEST_ACTIVATED"

func TestMain(m *testing.M) {
	if os.Getenv(activated) != "" {
		os.Exit(service())
	}
	os.Exit(m.Run())
}

// service says which sockets it was given, and answers one connection on each.
func service() int {
	sockets, err := Sockets()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, s := range sockets {
		fmt.Printf("%s %s\n", s.Name, s.Listener.Addr().Network())
		c, err := s.Listener.Accept()
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Fprintf(c, "from %s", s.Name)
		c.Close()
	}
	again, err := Sockets()
	fmt.Printf("%d sockets, %d the second time, %v, LISTEN_FDS=%q\n", len(sockets), len(again), err, os.Getenv("LISTEN_FDS"))
	return 0
}

// activate runs the service as the service manager does. $$ is the process id
// that exec keeps.
func activate(t *testing.T, env string, files ...*os.File) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", env+` exec "$0"`, self)
	cmd.Env = append(os.Environ(), activated+"=1")
	cmd.ExtraFiles = files
	out, _ := cmd.CombinedOutput() // it says what is wrong
	return string(out)
}

func TestSocketsOfTheServiceManager(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var files []*os.File
	var addresses []net.Addr
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", path}} {
		ln, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		f, err := ln.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files, addresses = append(files, f), append(addresses, ln.Addr())
	}
	var clients []net.Conn // who come before the service runs
	for _, a := range addresses {
		c, err := net.Dial(a.Network(), a.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	out := activate(t, "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:ficus.socket", files...)
	if want := "web tcp\nficus.socket unix\n2 sockets, 0 the second time, <nil>, LISTEN_FDS=\"\"\n"; out != want {
		t.Errorf("got %s, want %s", out, want)
	}
	for i, name := range []string{"web", "ficus.socket"} {
		if text, err := io.ReadAll(clients[i]); err != nil || string(text) != "from "+name {
			t.Errorf("%s answers %q, %v", name, text, err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the path of a socket that is not its own was removed: %v", err)
	}
}

func TestWhatIsNoListeningSocketIsRefused(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	connected, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	for env, test := range map[string]struct {
		file *os.File
		want string
	}{
		"LISTEN_PID=$$ LISTEN_FDS=1":                     {file, "descriptor 3 () that the service manager brings along can't be used: "},
		"LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=conn": {connected, "descriptor 3 (conn) that the service manager brings along can't be used: it does not listen; the socket unit must not say Accept=yes"},
		"LISTEN_PID=$$ LISTEN_FDS=two":                   {file, "LISTEN_FDS=two is not a number of sockets"},
		"LISTEN_PID=$$ LISTEN_FDS=-1":                    {file, "LISTEN_FDS=-1 is not a number of sockets"},
		"LISTEN_PID=1 LISTEN_FDS=1":                      {file, "0 sockets, 0 the second time"},
		"LISTEN_FDS=1":                                   {file, "0 sockets, 0 the second time"},
	} {
		if out := activate(t, env, test.file); !strings.Contains(out, test.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", env, out, test.want)
		}
	}
}

func TestNotifyTellsTheServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify("READY=1"); err != nil {
		t.Errorf("without one: %v", err)
	}
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), fmt.Sprintf("@ficus-test-%d", os.Getpid())} {
		ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", name)
		if err := Notify("READY=1", "MAINPID=7"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		_ = ln.SetDeadline(time.Now().Add(10 * time.Second))
		n, err := ln.Read(buf)
		if err != nil || string(buf[:n]) != "READY=1\nMAINPID=7" {
			t.Errorf("%s: %q, %v", name, buf[:n], err)
		}
		ln.Close()
		if err := Notify("READY=1"); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: nobody listens, and it says %v", name, err)
		}
	}
}

func TestWatchdogIsForThisProcessOnly(t *testing.T) {
	for _, test := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0}, {"20000000", "", 10 * time.Second}, {"20000000", fmt.Sprint(os.Getpid()), 10 * time.Second},
		{"20000000", "1", 0}, {"-1", "", 0}, {"soon", "", 0},
	} {
		t.Setenv("WATCHDOG_USEC", test.usec)
		t.Setenv("WATCHDOG_PID", test.pid)
		if got := Watchdog(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestASuccessorIsNotTakenForThisProcess(t *testing.T) {
	env := Inherited([]string{"PATH=/bin", "LISTEN_PID=7", "LISTEN_FDS=1", "LISTEN_FDNAMES=a", "WATCHDOG_PID=7", "WATCHDOG_USEC=1", "NOTIFY_SOCKET=@x"})
	if got := strings.Join(env, " "); got != "PATH=/bin WATCHDOG_USEC=1 NOTIFY_SOCKET=@x" {
		t.Error(got)
	}
}
