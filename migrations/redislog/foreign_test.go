package redislog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ficus-gateway/ficus/migrations"
)

// lineAfter returns the line of an event that follows the last one, whatever
// the event is.
func lineAfter(t *testing.T, l *Log, content string) string {
	t.Helper()
	return sealed(l.Seen().Hash, content)
}

// What is not ours is refused by whoever meets it, and what came before is not.
func TestForeignEntriesAreRefusedNotSkipped(t *testing.T) {
	const begin = `{"seq":3,"time":"2100-01-01T00:00:00Z","migration":"orders",`
	for name, add := range map[string]func(t *testing.T, l *Log) []any{
		"other fields": func(t *testing.T, l *Log) []any { return []any{"3-0", "hello", "world"} },
		"other id": func(t *testing.T, l *Log) []any {
			return []any{"1526919030474-55", "line", lineAfter(t, l, begin+`"kind":"held"`), "append", "x"}
		},
		"newer field": func(t *testing.T, l *Log) []any {
			return []any{"3-0", "line", lineAfter(t, l, begin+`"kind":"held"`), "append", "x", "since", "v9"}
		},
		"newer member": func(t *testing.T, l *Log) []any {
			return []any{"3-0", "line", lineAfter(t, l, begin+`"kind":"held","teleport":true`), "append", "x"}
		},
		"newer kind": func(t *testing.T, l *Log) []any {
			return []any{"3-0", "line", lineAfter(t, l, begin+`"kind":"teleported"`), "append", "x"}
		},
		"other number": func(t *testing.T, l *Log) []any {
			return []any{"4-0", "line", lineAfter(t, l, begin+`"kind":"held"`), "append", "x"}
		},
		"wrong hash": func(t *testing.T, l *Log) []any {
			return []any{"3-0", "line", sealed(migrations.Hash{}, begin+`"kind":"held"`), "append", "x"}
		},
		"no append": func(t *testing.T, l *Log) []any {
			return []any{"3-0", "line", lineAfter(t, l, begin+`"kind":"held"`), "append", ""}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			l := open(t, s.url(), still())
			mustAppend(t, l, created("orders"), live("orders", 1))
			waiting := follow(t.Context(), l, 0)
			wantNext(t, waiting, 1)
			wantNext(t, waiting, 2)
			s.do(t, append([]any{"XADD", l.stream}, add(t, l)...)...)
			r := next(t, waiting)
			if r.err == nil && r.event.Kind == "teleported" { // what it means is not the log's to know
				_, r.err = migrations.Apply(latestUntil(t, l, 2), r.event)
				if r.err == nil {
					t.Error("the newer kind was applied")
				}
			} else if !errors.Is(r.err, ErrForeign) {
				t.Errorf("a follower got event %d, %v", r.event.Seq, r.err)
			} else if TroubleOf(r.err) != Foreign || !strings.Contains(r.err.Error(), "upgrade this one") {
				t.Error(r.err)
			}
			if _, err := l.Append(t.Context(), migrations.Unconditional, live("orders", 2)); !errors.Is(err, ErrForeign) {
				t.Errorf("append: %v", err)
			}
			if again, err := Open(t.Context(), s.url(), still()); !errors.Is(err, ErrForeign) {
				t.Errorf("open: %v", err)
				again.Close()
			}
			if n := s.do(t, "XLEN", l.stream); n != int64(3) {
				t.Errorf("there are %d entries", n)
			}
		})
	}
}

func latestUntil(t *testing.T, l *Log, seq uint64) migrations.State {
	t.Helper()
	var s migrations.State
	for e, err := range l.Follow(t.Context(), 0) {
		if err == nil {
			s, err = migrations.Apply(s, e)
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq == seq {
			break
		}
	}
	return s
}

func TestWhatOthersHaveTakenOutIsMissed(t *testing.T) {
	for name, command := range map[string][]any{
		"trimmed":             {"XTRIM", "ficus:{ficus}:events", "MINID", "3-0"},
		"removed in between":  {"XDEL", "ficus:{ficus}:events", "2-0"},
		"something else":      {"SET", "ficus:{ficus}:events", "hello"},
		"removed at the seam": {"XDEL", "ficus:{ficus}:events", "1-0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			l := open(t, s.url(), still())
			for i := range 4 {
				mustAppend(t, l, created(fmt.Sprint("m", i)))
			}
			s.do(t, command...)
			for _, from := range []uint64{0, 1, 2} {
				for r := range follow(t.Context(), l, from) {
					if r.err == nil && r.event.Seq <= from+1 && r.event.Seq < 3 && name != "trimmed" {
						continue
					}
					if r.err == nil && name == "removed at the seam" && from == 2 {
						break
					}
					if r.err == nil {
						t.Fatalf("follow from %d yields event %d", from, r.event.Seq)
					}
					if want := map[bool]Trouble{false: Foreign, true: Refused}[name == "something else"]; TroubleOf(r.err) != want {
						t.Errorf("follow from %d: %v", from, r.err)
					}
					break
				}
			}
		})
	}
}
