package takeover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// protocol is the version of what is spoken; another one is refused, and the
// incumbent serves on.
const protocol = 1

// What is said.
const (
	sayHello    = "hello"
	saySocket   = "socket"
	sayOffered  = "offered"
	sayReady    = "ready"
	sayReleased = "released"
	sayServing  = "serving"
	sayRefused  = "refused"
	sayUpgrade  = "upgrade"
	sayUpgraded = "upgraded"
)

// A message is one line.
type message struct {
	Say      string  `json:"say"`
	Protocol int     `json:"protocol,omitempty"`
	Version  string  `json:"version,omitempty"`
	PID      int     `json:"pid,omitempty"`
	Socket   *Socket `json:"socket,omitempty"`
	Used     []int   `json:"used,omitempty"`
	Why      string  `json:"why,omitempty"`
}

// A Process is one end of a takeover.
type Process struct {
	PID     int
	Version string // of its program
}

// The bounds of a conversation.
const (
	maxLine    = 64 << 10
	maxSockets = 1024
)

// ErrGone is the error of a conversation whose other end has died or hung up
// without a word.
var ErrGone = errors.New("the other process is gone")

// A Refused is what the other end has said instead of going on.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// A line is a conversation with another process of this machine.
type line struct {
	conn *net.UnixConn
	rest []byte     // read, and not understood yet
	came []*os.File // descriptors, in their order
}

// send says m, with a descriptor if there is one.
func (l *line) send(m message, file syscall.RawConn, within time.Duration) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	text = append(text, '\n')
	if file == nil {
		_, err = l.conn.Write(text)
		return gone(err)
	}
	var sent error
	err = file.Control(func(fd uintptr) {
		_, _, sent = l.conn.WriteMsgUnix(text, syscall.UnixRights(int(fd)), nil)
	})
	return gone(errors.Join(err, sent))
}

// hear waits for the next message, which must say what.
func (l *line) hear(what string, within time.Duration) (message, error) {
	m, err := l.next(within)
	switch {
	case err != nil:
		return m, err
	case m.Say == sayRefused:
		return m, &Refused{m.Why}
	case m.Say != what:
		return m, fmt.Errorf("the other process says %q where %q is due", m.Say, what)
	}
	return m, nil
}

// next returns the next message.
func (l *line) next(within time.Duration) (m message, err error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return m, err
	}
	buf, oob := make([]byte, 4<<10), make([]byte, syscall.CmsgSpace(16*4))
	for {
		if text, rest, ok := bytes.Cut(l.rest, []byte{'\n'}); ok {
			l.rest = rest
			if err := json.Unmarshal(text, &m); err != nil {
				return m, fmt.Errorf("the other process is not understood: %w", err)
			}
			return m, nil
		}
		if len(l.rest) > maxLine {
			return m, errors.New("the other process is not understood: a line that does not end")
		}
		n, oobn, flags, _, err := l.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return m, gone(err)
		}
		if flags&syscall.MSG_CTRUNC != 0 {
			return m, errors.New("sockets were lost on their way: too many files are open")
		}
		if err := l.take(oob[:oobn]); err != nil {
			return m, err
		}
		if n == 0 && oobn == 0 {
			return m, ErrGone
		}
		l.rest = append(l.rest, buf[:n]...)
	}
}

// take keeps the descriptors that came with a read.
func (l *line) take(oob []byte) error {
	if len(oob) == 0 {
		return nil
	}
	controls, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return err
	}
	for _, c := range controls {
		fds, err := syscall.ParseUnixRights(&c)
		if err != nil {
			return err
		}
		for _, fd := range fds {
			l.came = append(l.came, os.NewFile(uintptr(fd), "socket"))
		}
	}
	if len(l.came) > maxSockets {
		return errors.New("too many sockets")
	}
	return nil
}

// refuse says why it does not go on, and hangs up.
func (l *line) refuse(why error) {
	_ = l.send(message{Say: sayRefused, Why: why.Error()}, nil, time.Second) // it may be gone
	l.close()
}

func (l *line) close() {
	_ = l.conn.Close()
	for _, f := range l.came {
		_ = f.Close()
	}
	l.came = nil
}

// gone makes one error of all the ways in which the other end is gone.
func gone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return ErrGone
	}
	return err
}
