package toll

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A turn is a while of open load: requests begin when they are due, whatever
// became of those before.
type turn struct {
	Rate float64       // requests a second, with exponential gaps
	Span time.Duration // how long
	Seed uint64        // of the gaps: the same seed gives the same load
}

// A turned is how a turn went, in nanoseconds.
type turned struct {
	Took   []int64 // from when each request was due until its answer was whole, in the order of ending
	Late   []int64 // from when each was due until it was sent
	Failed int     // without an answer of status 200
	First  bool    // the load ran before everything else
}

// loadMain is the load generator: a program of its own, which reads turns
// from its standard input and writes how they went. It is one thread that
// waits for nothing but epoll, so that what it measures is not its own
// scheduler, and makes no garbage while it measures.
func loadMain() {
	runtime.LockOSThread()
	first := schedule(runFirst)                        // it takes privileges, and without them it measures its own waits as well
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // nanoseconds; it would be 50 µs
	debug.SetGCPercent(-1)
	addr := netip.MustParseAddrPort(os.Args[1])
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var t turn
		if err := in.Decode(&t); err != nil {
			return
		}
		l, err := openLoad(addr, t)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		l.done.First = first
		if err := out.Encode(l.run()); err != nil {
			os.Exit(1)
		}
		l.close()
		runtime.GC()
	}
}

// connections are the clients of a turn.
const connections = 512

// An openedLoad is a turn that is under way.
type openedLoad struct {
	epoll int
	due   []int64 // of each request, from the beginning
	conns []*loadConn
	byFD  map[int32]*loadConn
	free  []*loadConn // in a ring, the longest idle first
	next  int         // request to be sent
	open  int         // requests without an answer
	done  turned
}

// A loadConn is one connection, with one request on it at most.
type loadConn struct {
	fd      int
	request int // -1: none
	have    int // bytes of the answer in buf
	buf     [64 << 10]byte
}

func openLoad(addr netip.AddrPort, t turn) (*openedLoad, error) {
	l := &openedLoad{byFD: make(map[int32]*loadConn)}
	random := rand.New(rand.NewPCG(t.Seed, 1))
	for at := 0.0; at < t.Span.Seconds(); at += random.ExpFloat64() / t.Rate {
		l.due = append(l.due, int64(at*1e9))
	}
	l.done.Took = make([]int64, 0, len(l.due))
	l.done.Late = make([]int64, 0, len(l.due))
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	for range connections {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("socket: %w", err)
		}
		if err := connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, err
		}
		if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return nil, fmt.Errorf("epoll: %w", err)
		}
		c := &loadConn{fd: fd, request: -1}
		l.conns = append(l.conns, c)
		l.byFD[int32(fd)] = c
		l.free = append(l.free, c)
	}
	return l, nil
}

// connect connects a socket that blocks. A signal, which the runtime sends
// itself, may cut the call short; the connection is made all the same.
func connect(fd int, to unix.Sockaddr) error {
	switch err := unix.Connect(fd, to); err {
	case unix.EINTR, unix.EALREADY, unix.EINPROGRESS:
	default:
		return err
	}
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(patience/time.Millisecond)); err != nil && err != unix.EINTR {
		return err
	}
	if failed, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || failed != 0 {
		return errors.Join(err, unix.Errno(failed))
	}
	return nil
}

func (l *openedLoad) close() {
	for _, c := range l.conns {
		unix.Close(c.fd)
	}
	unix.Close(l.epoll)
}

// patience is how long a turn waits for answers after its last request.
const patience = 5 * time.Second

func (l *openedLoad) run() turned {
	start := time.Now()
	events := make([]unix.EpollEvent, connections)
	var head []byte
	for {
		now := int64(time.Since(start))
		for l.next < len(l.due) && l.due[l.next] <= now && len(l.free) > 0 {
			c := l.free[0]
			l.free = append(l.free[:0], l.free[1:]...)
			head = appendRequest(head[:0], l.next)
			c.request, c.have = l.next, 0
			l.next++
			if n, err := unix.Write(c.fd, head); n != len(head) || err != nil {
				l.done.Failed++
				continue // the connection is not used any more
			}
			l.open++
			now = int64(time.Since(start))
			l.done.Late = append(l.done.Late, now-l.due[c.request])
		}
		if l.next == len(l.due) && (l.open == 0 || now-l.due[l.next-1] > int64(patience)) || l.open == 0 && len(l.free) == 0 {
			l.done.Failed += l.open + len(l.due) - l.next
			return l.done
		}
		wait := int64(100 * time.Millisecond)
		if l.next < len(l.due) && len(l.free) > 0 {
			wait = max(l.due[l.next]-now, 0)
		}
		n := epollWait(l.epoll, events, wait)
		for _, e := range events[:n] {
			c := l.byFD[e.Fd]
			whole, ok := c.read()
			if !whole {
				continue
			}
			if c.request >= 0 {
				l.open--
				l.done.Took = append(l.done.Took, int64(time.Since(start))-l.due[c.request])
			}
			if !ok {
				l.done.Failed++
			}
			if c.request = -1; c.have >= 0 {
				l.free = append(l.free, c)
			} else {
				_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
			}
		}
	}
}

// epollWait waits up to so many nanoseconds; epoll_wait itself knows but milliseconds.
func epollWait(fd int, events []unix.EpollEvent, wait int64) int {
	limit := unix.NsecToTimespec(wait)
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(fd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

func appendRequest(b []byte, i int) []byte {
	b = append(b, "GET /api/orders/"...)
	b = strconv.AppendInt(b, int64(i%1000), 10)
	b = append(b, " HTTP/1.1\r\nHost: shop.example\r\nAccept: application/json\r\nUser-Agent: load\r\nX-User: u"...)
	b = strconv.AppendInt(b, int64(i%500), 10)
	return append(b, "\r\n\r\n"...)
}

var (
	headEnd = []byte("\r\n\r\n")
	length  = []byte("\r\nContent-Length: ")
	fine    = []byte("HTTP/1.1 200 ")
)

// read takes in what has come; whole says that the answer is, or that no more
// will come, ok that it is a good one. Have is negative once the connection
// is of no use.
func (c *loadConn) read() (whole, ok bool) {
	n, err := unix.Read(c.fd, c.buf[c.have:])
	if err == unix.EAGAIN {
		return false, false
	}
	if n <= 0 || err != nil {
		c.have = -1
		return true, false
	}
	c.have += n
	got := c.buf[:c.have]
	end := bytes.Index(got, headEnd)
	if end < 0 {
		return false, false
	}
	at := bytes.Index(got[:end], length)
	if at < 0 { // none of the applications answers so
		c.have = -1
		return true, false
	}
	size := 0
	for _, d := range got[at+len(length) : end] {
		if d < '0' || d > '9' {
			break
		}
		size = 10*size + int(d-'0')
	}
	if c.have < end+len(headEnd)+size {
		return false, false
	}
	return true, bytes.HasPrefix(got, fine)
}
