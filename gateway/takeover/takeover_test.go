package takeover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// An office is an incumbent with real sockets, and what it was told.
type office struct {
	*Incumbent
	path    string
	sockets []Socket

	mu    sync.Mutex // guards said
	said  []string
	taken chan struct{}
	slow  error // what Release and Upgrade return
}

func open(t *testing.T, serveIn time.Duration) *office {
	t.Helper()
	dir, err := os.MkdirTemp("", "take") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o := &office{path: filepath.Join(dir, "takeover"), taken: make(chan struct{})}
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(dir, "public")}} {
		ln, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		o.sockets = append(o.sockets, Socket{Network: at[0], Address: at[1], Listener: ln, Lent: at[0] == "unix"})
	}
	o.Incumbent = &Incumbent{
		Version: "1.1", Sockets: func() []Socket { return o.sockets }, serveIn: serveIn,
		Release: func(context.Context) error { o.say("release"); return o.hinders(nil, false) },
		Resume:  func() { o.say("resume") },
		Failed:  func(to Process, why error) { o.say("failed: " + why.Error()) },
		Taken: func(by Process, used []int) {
			o.say(fmt.Sprintf("taken by %s with %v", by.Version, used))
			close(o.taken)
		},
		Upgrade: func(context.Context) (Process, error) { return Process{4711, "1.2"}, o.hinders(nil, false) },
	}
	ln, err := net.Listen("unix", o.path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		o.Serve(context.Background(), ln)
	}()
	t.Cleanup(func() {
		ln.Close()
		<-served
	})
	return o
}

// hinders sets, and returns, what Release returns.
func (o *office) hinders(err error, set bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if set {
		o.slow = err
	}
	return o.slow
}

func (o *office) say(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.said = append(o.said, what)
}

// heard waits until the incumbent was told so many things, and returns them.
func (o *office) heard(t *testing.T, n int) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		o.mu.Lock()
		said := strings.Join(o.said, "; ")
		done := len(o.said) >= n
		o.mu.Unlock()
		if done {
			return said
		}
		if time.Now().After(end) {
			t.Fatalf("heard %q only", said)
		}
	}
}

func (o *office) call(t *testing.T) *Successor {
	t.Helper()
	s, err := Call(t.Context(), o.path, "1.2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, socket := range s.Sockets {
			socket.Listener.Close()
		}
	})
	return s
}

// Connections that nobody has accepted yet are with whoever accepts them.
func TestSocketsGoOverWithTheConnectionsThatWait(t *testing.T) {
	o := open(t, 0)
	var waiting []net.Conn
	for _, socket := range o.sockets {
		c, err := net.Dial(socket.Listener.Addr().Network(), socket.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		waiting = append(waiting, c)
	}
	s := o.call(t)
	if s.Incumbent != (Process{os.Getpid(), "1.1"}) || len(s.Sockets) != 2 {
		t.Fatalf("%+v", s)
	}
	if err := s.Ready(t.Context(), []int{0, 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Serving(); err != nil {
		t.Fatal(err)
	}
	if said := o.heard(t, 2); said != "release; taken by 1.2 with [0 1]" {
		t.Error(said)
	}
	for i, socket := range s.Sockets {
		if socket.Network != o.sockets[i].Network || socket.Address != o.sockets[i].Address || socket.Lent != o.sockets[i].Lent {
			t.Errorf("got %+v for %+v", socket, o.sockets[i])
		}
		if unix, ok := o.sockets[i].Listener.(*net.UnixListener); ok {
			unix.SetUnlinkOnClose(false)
		}
		o.sockets[i].Listener.Close()
		c, err := socket.Listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "hello")
		c.Close()
		buf := make([]byte, 5)
		if _, err := waiting[i].Read(buf); err != nil || string(buf) != "hello" {
			t.Errorf("%s: %q, %v", socket.Network, buf, err)
		}
	}
	if _, err := Call(t.Context(), o.path, "1.2"); err == nil || !strings.Contains(err.Error(), "has taken over already") {
		t.Errorf("a second takeover: %v", err)
	}
}

func TestWhateverBecomesOfTheSuccessorTheIncumbentServesOn(t *testing.T) {
	why := errors.New("the port is taken")
	for name, test := range map[string]struct {
		do   func(t *testing.T, o *office)
		want string
	}{
		"it dies when it has got the sockets": {func(t *testing.T, o *office) {
			o.call(t).line.close()
		}, "failed: the other process is gone"},
		"it refuses before": {func(t *testing.T, o *office) {
			o.call(t).Abandon(why)
		}, "failed: the port is taken"},
		"it dies when the incumbent has let go": {func(t *testing.T, o *office) {
			s := o.call(t)
			if err := s.Ready(t.Context(), nil); err != nil {
				t.Error(err)
			}
			s.line.close()
		}, "release; resume; failed: the other process is gone"},
		"it refuses then": {func(t *testing.T, o *office) {
			s := o.call(t)
			if err := s.Ready(t.Context(), nil); err != nil {
				t.Error(err)
			}
			s.Abandon(why)
		}, "release; resume; failed: the port is taken"},
		"it hangs": {func(t *testing.T, o *office) {
			s := o.call(t)
			if err := s.Ready(t.Context(), nil); err != nil {
				t.Error(err)
			}
			o.heard(t, 3)
			var refused *Refused
			if err := s.Serving(); !errors.As(err, &refused) || !strings.Contains(refused.Why, "does not serve after") {
				t.Errorf("when it wakes up it is told %v", err)
			}
		}, "release; resume; failed: it does not serve after 50ms"},
		"the incumbent can't let go": {func(t *testing.T, o *office) {
			o.hinders(errors.New("the disk hangs"), true)
			s := o.call(t)
			if err := s.Ready(t.Context(), nil); err == nil || err.Error() != "the disk hangs" {
				t.Error(err)
			}
		}, "release; resume; failed: the disk hangs"},
		"the incumbent ends": {func(t *testing.T, o *office) {
			s := o.call(t)
			o.End(errors.New("it is ending"))
			if err := s.Ready(t.Context(), nil); err == nil || err.Error() != "it is ending" {
				t.Error(err)
			}
			if _, err := Upgrade(t.Context(), o.path); err == nil || err.Error() != "it is ending" {
				t.Error(err)
			}
		}, "failed: it is ending"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 50*time.Millisecond)
			test.do(t, o)
			if said := o.heard(t, strings.Count(test.want, ";")+1); said != test.want {
				t.Errorf("got  %s\nwant %s", said, test.want)
			}
			if o.over() == nil { // and another may take over
				s := o.call(t)
				o.hinders(nil, true)
				if err := errors.Join(s.Ready(t.Context(), nil), s.Serving()); err != nil {
					t.Error(err)
				}
				<-o.taken
			}
		})
	}
}

// However the last word and the end of the patience meet, both think the same.
func TestBothAgreeWhoServes(t *testing.T) {
	const patience = 3 * time.Millisecond
	agreed := map[bool]int{}
	for range 300 {
		o := open(t, patience)
		s := o.call(t)
		if err := s.Ready(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(patience - time.Millisecond + rand.N(2*time.Millisecond))
		err := s.Serving()
		said := o.heard(t, 2)
		if taken := strings.Contains(said, "taken"); taken != (err == nil) {
			t.Fatalf("the successor has %v, the incumbent %s", err, said)
		}
		agreed[err == nil]++
	}
	if agreed[true] == 0 || agreed[false] == 0 {
		t.Logf("no close call: %v", agreed)
	}
}

func TestOnlyOneTakesOver(t *testing.T) {
	o := open(t, 0)
	first, second := o.call(t), o.call(t)
	if err := first.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := second.Ready(t.Context(), nil); err == nil || err.Error() != errTurn.Error() {
		t.Errorf("the second: %v", err)
	}
	if err := first.Serving(); err != nil {
		t.Fatal(err)
	}
	<-o.taken
}

func TestWhoIsNotUnderstoodIsRefused(t *testing.T) {
	o := open(t, 0)
	for said, want := range map[string]string{
		`{"say":"hello","protocol":2}`:   "hands over by version 1 of the protocol, and this one asks for version 2",
		`{"say":"bonjour"}`:              `"bonjour" is not understood`,
		`GET / HTTP/1.1`:                 "",
		strings.Repeat("x", maxLine+1):   "",
		`{"say":"ready","used":[0,1]}`:   `"ready" is not understood`,
		`{"say":"upgrade","protocol":7}`: "",
	} {
		l, err := dial(t.Context(), o.path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = l.conn.Write([]byte(said + "\n"))
		m, err := l.next(10 * time.Second)
		switch {
		case want == "" && err == nil && m.Say == sayUpgraded:
		case want == "" && errors.Is(err, ErrGone):
		case m.Say != sayRefused || !strings.Contains(m.Why, want) || want == "":
			t.Errorf("%.40s: %+v, %v", said, m, err)
		}
		l.close()
	}
}

func TestThereMayBeNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	if _, err := Call(t.Context(), path, "1.2"); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	if _, err := Upgrade(t.Context(), path); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close() // as one that was killed leaves it
	if _, err := Call(t.Context(), path, "1.2"); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
}

func TestUpgradeTellsWhoServes(t *testing.T) {
	o := open(t, 0)
	if by, err := Upgrade(t.Context(), o.path); by != (Process{4711, "1.2"}) || err != nil {
		t.Error(by, err)
	}
	o.hinders(errors.New("its config is wrong"), true)
	if _, err := Upgrade(t.Context(), o.path); err == nil || err.Error() != "its config is wrong" {
		t.Error(err)
	}
}
