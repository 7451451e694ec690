package redislog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrLost is the error of a log that no longer has what was seen of it: Redis
// was flushed, came back without its data, or with that of another history.
// The state that was seen stands until a person or the gateway begins the log
// again with it (by appending a Restored event, which an empty log admits) or
// gives it up ([Log.Adopt]).
var ErrLost = errors.New("redis has lost events that were seen")

// ErrForeign is the error of a stream with an entry that this program did not
// write or does not understand.
var ErrForeign = errors.New("the stream has an entry that this program does not know")

// ErrUncertain is the error of an Append that was sent and not answered: its
// events may or may not be kept. Reading on tells.
var ErrUncertain = errors.New("redis did not say whether the events were kept")

// A Trouble is what keeps the log from being used, in one word: a label for a
// metric, and the headline of a status page.
type Trouble string

// The troubles.
const (
	Down     Trouble = "down"      // nobody answers at the address
	Slow     Trouble = "slow"      // no answer in time
	Starting Trouble = "starting"  // Redis, or the cluster, is coming up or changing its master
	ReadOnly Trouble = "read-only" // a replica, or a Redis that takes no writes at the moment
	Full     Trouble = "full"      // out of memory
	Denied   Trouble = "denied"    // wrong password, or a user without the right
	Lost     Trouble = "lost"      // see [ErrLost]
	Foreign  Trouble = "foreign"   // see [ErrForeign]
	Refused  Trouble = "refused"   // anything else that Redis objects to
)

// Passes reports whether time alone may end the trouble.
func (t Trouble) Passes() bool {
	return t == Down || t == Slow || t == Starting || t == ReadOnly
}

// hints say what each trouble means and what a person can do.
var hints = map[Trouble]string{
	Down:     "redis cannot be reached; is it running, and is the address right?",
	Slow:     "redis does not answer in time",
	Starting: "redis is not ready yet",
	ReadOnly: "redis takes no writes: it is a replica, or lacks replicas or disk; point the state at the master",
	Full:     "redis is out of memory: free some, or raise maxmemory",
	Denied:   "redis does not let us in: check the user, its password and its rights",
	Refused:  "redis refused",
}

// An Error is a trouble with a log.
type Error struct {
	Trouble Trouble
	where   string
	text    string
	kind    error // ErrLost, ErrForeign or nil
}

// Error names the log, says what the trouble is, and what can be done.
func (e *Error) Error() string { return e.where + ": " + e.text }

// Unwrap returns [ErrLost] or [ErrForeign], or nil. What the client library
// said is text only, so that its time-outs are not taken for the caller's.
func (e *Error) Unwrap() error { return e.kind }

// TroubleOf returns the trouble that an error is about, "" if there is none.
func TroubleOf(err error) Trouble {
	var e *Error
	if errors.As(err, &e) {
		return e.Trouble
	}
	return ""
}

func (d *door) lost(format string, args ...any) *Error {
	return &Error{Lost, d.String(), ErrLost.Error() + ": " + fmt.Sprintf(format, args...) + "; the last state stands, and nothing moves forward, until the log is restored", ErrLost}
}

func (d *door) foreign(err error) error {
	return &Error{Foreign, d.String(), fmt.Sprintf("%s: %s: %v; if a newer ficus wrote it, upgrade this one; otherwise take out what wrote it, or give this installation another name",
		ErrForeign, d.key("events"), err), ErrForeign}
}

// trouble puts an error of the client library into words.
func (d *door) trouble(err error) error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	t := diagnose(err)
	return &Error{Trouble: t, where: d.String(), text: hints[t] + ": " + d.password.hide(d.sentinelPassword.hide(err.Error()))}
}

var replies = []struct {
	prefix  string
	trouble Trouble
}{
	{"OOM ", Full},
	{"READONLY ", ReadOnly}, {"NOREPLICAS ", ReadOnly}, {"MISCONF ", ReadOnly},
	{"LOADING ", Starting}, {"CLUSTERDOWN ", Starting}, {"MASTERDOWN ", Starting}, {"TRYAGAIN ", Starting}, {"UNBLOCKED ", Starting}, {"MOVED ", Starting}, {"ASK ", Starting},
	{"BUSY ", Slow},
	{"NOAUTH ", Denied}, {"WRONGPASS ", Denied}, {"NOPERM ", Denied}, {"ERR invalid password", Denied}, {"ERR AUTH ", Denied},
	{"ERR The user executing the script can't", Denied},
	{"ERR max number of clients", Down},
}

// Diagnose returns the trouble that an error of the client library is about,
// "" if it is nil.
func Diagnose(err error) Trouble {
	if err == nil {
		return ""
	}
	return diagnose(err)
}

func diagnose(err error) Trouble {
	var reply redis.Error
	if errors.As(err, &reply) {
		text := reply.Error()
		for _, r := range replies {
			if strings.HasPrefix(text, r.prefix) || strings.HasPrefix(text, "ERR Error running script") && strings.Contains(text, r.prefix) {
				return r.trouble
			}
		}
		return Refused
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return Slow
	}
	return Down
}
