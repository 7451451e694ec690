package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the program as people run it, on the command line. Besides
// the usual commands the scripts have those of [scriptCommands].
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", os.Getenv("GORACE"))
			e.Setenv("FICUS_ACTOR", "ada")
			return nil
		},
	})
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	// upstream NAME starts an application that answers with its name, and sets
	// $NAME to its URL. With ?wait=1s it takes its time.
	"upstream": func(ts *testscript.TestScript, _ bool, args []string) {
		for _, name := range args {
			s := httptest.NewServer(application(name))
			ts.Defer(s.Close)
			ts.Setenv(name, s.URL)
		}
	},
	// redis NAME starts a Redis and sets $NAME to its URL.
	"redis": func(ts *testscript.TestScript, _ bool, args []string) {
		if _, err := exec.LookPath("redis-server"); err != nil {
			ts.Fatalf("redis-server is not installed; run: make setup")
		}
		address, err := freePort()
		ts.Check(err)
		_, port, _ := strings.Cut(address, ":")
		cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", ts.MkAbs("."))
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		ts.Check(cmd.Start())
		ts.Defer(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		for range 500 {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				ts.Setenv(args[0], "redis://"+address)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		ts.Fatalf("redis-server does not answer")
	},
	// document NAME BODY starts a service that answers everything with a JSON
	// body, in which NONCE is another number each time, and sets $NAME to its URL.
	"document": func(ts *testscript.TestScript, _ bool, args []string) {
		var n atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintln(w, strings.ReplaceAll(args[1], "NONCE", strconv.FormatInt(n.Add(1), 10)))
		}))
		ts.Defer(s.Close)
		ts.Setenv(args[0], s.URL)
	},
	// finding FILTER sets $FINDING to the id of the first finding that a table on
	// standard output shows with that text.
	"finding": func(ts *testscript.TestScript, _ bool, args []string) {
		for line := range strings.Lines(ts.ReadFile("stdout")) {
			if strings.Contains(line, args[0]) && !strings.HasPrefix(line, "ID ") {
				ts.Setenv("FINDING", strings.Fields(line)[0])
				return
			}
		}
		ts.Fatalf("no line with %q", args[0])
	},
	// port NAME... finds free addresses and sets $NAME to them.
	"port": func(ts *testscript.TestScript, _ bool, args []string) {
		for _, name := range args {
			address, err := freePort()
			ts.Check(err)
			ts.Setenv(name, address)
		}
	},
	// expand FILE... replaces $NAME in files by the variables of the script.
	"expand": func(ts *testscript.TestScript, _ bool, args []string) {
		for _, name := range args {
			text := os.Expand(ts.ReadFile(name), ts.Getenv)
			ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
		}
	},
	// edit FILE OLD NEW replaces a text in a file, as an editor does: by a rename.
	"edit": func(ts *testscript.TestScript, _ bool, args []string) {
		text := ts.ReadFile(args[0])
		if !strings.Contains(text, args[1]) {
			ts.Fatalf("%s does not hold %q", args[0], args[1])
		}
		path := ts.MkAbs(args[0])
		ts.Check(os.WriteFile(path+"~", []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
		ts.Check(os.Rename(path+"~", path))
	},
	// signal NAME sends a signal to the gateway that was started last.
	"signal": func(ts *testscript.TestScript, _ bool, args []string) {
		running := slices.DeleteFunc(ts.BackgroundCmds(), func(c *exec.Cmd) bool { return filepath.Base(c.Path) != "ficus" })
		ts.Check(running[len(running)-1].Process.Signal(signals[args[0]]))
	},
	// code N COMMAND... runs a command that must end with the exit code N.
	"code": func(ts *testscript.TestScript, _ bool, args []string) {
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		err = ts.Exec(args[1], args[2:]...)
		got := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			got = exit.ExitCode()
		} else {
			ts.Check(err)
		}
		if got != want {
			ts.Fatalf("the exit code is %d, want %d", got, want)
		}
	},
	// eventually URL TEXT asks until the answer, status included, holds a text.
	"eventually": func(ts *testscript.TestScript, neg bool, args []string) {
		var last string
		for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if last = fetch(args[0]); strings.Contains(last, args[1]) != neg {
				fmt.Fprintln(ts.Stdout(), last)
				return
			}
		}
		ts.Fatalf("%s answers\n%s", args[0], last)
	},
	// fetch URL [FIELD...] prints the status and the body of an answer.
	"fetch": func(ts *testscript.TestScript, _ bool, args []string) {
		fmt.Fprintln(ts.Stdout(), fetch(args[0], args[1:]...))
	},
}

var signals = map[string]os.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}

// freePort returns a free address of the loopback, for programs that are told
// where to listen. It lies below the ports that clients are given.
func freePort() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if ln, err := net.Listen("tcp", address); err == nil {
			return address, ln.Close()
		}
	}
	return "", errors.New("no free port")
}

// application answers with its name and the request line.
func application(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil {
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, "%s %s %s\n", name, r.Method, r.RequestURI)
	})
}

// fetch asks without keeping a connection; what went wrong is the answer too.
func fetch(url string, fields ...string) string {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ":")
		r.Header.Set(name, strings.TrimSpace(value))
	}
	r.Close = true
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	var b bytes.Buffer
	fmt.Fprintln(&b, res.Status)
	if _, err := io.Copy(&b, res.Body); err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}
