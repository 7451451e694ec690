package filelog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/logtest"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(t *testing.T) logtest.Open {
		path := filepath.Join(t.TempDir(), "ficus.events")
		return func(t *testing.T) (logtest.Log, error) {
			return Open(path, Options{})
		}
	})
}

// A place is a directory with a log, and what the log has said aloud.
type place struct {
	path string
	said bytes.Buffer
}

func newPlace(t *testing.T) *place {
	return &place{path: filepath.Join(t.TempDir(), "ficus.events")}
}

func (p *place) options() Options {
	return Options{Logger: slog.New(slog.NewTextHandler(&p.said, nil))}
}

func (p *place) open(t *testing.T) *Log {
	t.Helper()
	l, err := Open(p.path, p.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// refused returns the error of opening.
func (p *place) refused(t *testing.T) string {
	t.Helper()
	l, err := Open(p.path, p.options())
	if err == nil {
		l.Close()
		t.Error("the log opened")
		return ""
	}
	return strings.ReplaceAll(err.Error(), filepath.Dir(p.path)+"/", "")
}

func (p *place) read(t *testing.T, suffix string) string {
	t.Helper()
	text, err := os.ReadFile(p.path + suffix)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (p *place) write(t *testing.T, suffix, text string) {
	t.Helper()
	if err := os.WriteFile(p.path+suffix, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *place) remove(t *testing.T, suffix string) {
	t.Helper()
	if err := os.Remove(p.path + suffix); err != nil {
		t.Fatal(err)
	}
}

func created(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id}
}

func live(id string, buckets int) migrations.Event {
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: buckets})
	if err != nil {
		panic(err)
	}
	return migrations.Event{Migration: id, Kind: migrations.Shifted, Split: split, Actor: "alice"}
}

func mustAppend(t *testing.T, l migrations.Log, events ...migrations.Event) uint64 {
	t.Helper()
	seq, err := l.Append(t.Context(), migrations.Unconditional, events...)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func latest(t *testing.T, l migrations.Log) migrations.State {
	t.Helper()
	s, err := migrations.Latest(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// filled makes a log of n events and closes it, and returns its state.
func (p *place) filled(t *testing.T, n int) migrations.State {
	t.Helper()
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	for i := 1; i < n; i++ {
		mustAppend(t, l, live("orders", i))
	}
	s := latest(t, l)
	mustClose(t, l)
	return s
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 2)
	for _, suffix := range []string{"", ".lock", ".checkpoint"} {
		info, err := os.Stat(p.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", info.Name(), info.Mode())
		}
	}
}

func TestSecondWriterIsToldWhoHoldsTheLog(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	want := fmt.Sprintf("ficus.events: in use by process %d; a file log has one gateway; end the other, take it over with ficus run --takeover, or give this one a state of its own", os.Getpid())
	if err := p.refused(t); err != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	mustClose(t, l)
	mustClose(t, p.open(t))
}

func TestOpenWithoutItsDirectoryIsAnError(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no", "ficus.events"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	p := newPlace(t)
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := noon
	options := p.options()
	options.Now = func() time.Time { return now }
	open := func() *Log {
		l, err := Open(p.path, options)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	var times []string
	note := func() { times = append(times, latest(t, l).Time.Format("15:04")) }
	mustAppend(t, l, created("orders"))
	note()
	now = noon.Add(-time.Hour)
	mustAppend(t, l, live("orders", 1))
	note()
	mustClose(t, l)
	l = open()
	mustAppend(t, l, live("orders", 2))
	note()
	now = noon.Add(time.Hour)
	mustAppend(t, l, live("orders", 3))
	note()
	mustClose(t, l)
	p.remove(t, "")
	now = noon
	l = open() // restored
	note()
	mustClose(t, l)
	if want := []string{"12:00", "12:00", "12:00", "13:00", "13:00"}; !cmp.Equal(times, want) {
		t.Errorf("events have the times %v, want %v", times, want)
	}
}

func TestCheckpointIsTheStateOfASecondAgoAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		l := p.open(t)
		defer l.Close()
		kept := func() uint64 {
			synctest.Wait()
			c, err := readCheckpoint(p.path)
			if err != nil {
				t.Fatal(err)
			}
			if c == nil {
				return 0
			}
			if want := latest(t, l); c.Seq == want.Seq && (!cmp.Equal(c.State, want) || c.Hash != l.hash) {
				t.Errorf("kept %+v, want %+v", c, want)
			}
			return c.Seq
		}
		mustAppend(t, l, created("orders"))
		time.Sleep(checkpointEvery + time.Millisecond)
		if kept() != 1 {
			t.Errorf("after a second, event %d is kept", kept())
		}
		for i := range 20 {
			mustAppend(t, l, live("orders", i))
			time.Sleep(100 * time.Millisecond)
		}
		if seq := kept(); seq < 11 {
			t.Errorf("of 21 events in two seconds, %d are kept", seq)
		}
		mustClose(t, l)
		if c, err := readCheckpoint(p.path); err != nil || c.Seq != 21 {
			t.Errorf("after Close: %+v, %v", c, err)
		}
	})
}

func TestAppendsThatRunTogetherShareAnFsync(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	slow := &faults{disk: l.file, delay: 5 * time.Millisecond}
	l.file = slow
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := l.Append(t.Context(), migrations.Unconditional, live("orders", 1)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := slow.syncs.Load(); n > 40 {
		t.Errorf("200 appends took %d fsyncs", n)
	}
}

func TestCloseWaitsForAppendsUnderWay(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	l.file = &faults{disk: l.file, delay: time.Millisecond}
	var all sync.WaitGroup
	var mu sync.Mutex
	last := uint64(0)
	for range 50 {
		all.Go(func() {
			for {
				seq, err := l.Append(context.Background(), migrations.Unconditional, live("orders", 1))
				if err != nil {
					if !errors.Is(err, migrations.ErrClosed) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				last = max(last, seq)
				mu.Unlock()
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	mustClose(t, l)
	all.Wait()
	if c, err := readCheckpoint(p.path); err != nil || c.Seq != last {
		t.Errorf("the checkpoint of the closed log is %+v (%v), the last append %d", c, err, last)
	}
	if s := latest(t, p.open(t)); s.Seq != last {
		t.Errorf("the reopened log ends at %d, the last append was %d", s.Seq, last)
	}
}

func TestLinesAreJSONThatOthersCanRead(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 5)
	for i, line := range strings.Split(strings.TrimSuffix(p.read(t, ""), "\n"), "\n") {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil || v["seq"] != float64(i+1) {
			t.Errorf("line %d: %v, %v", i+1, v, err)
		}
	}
}
