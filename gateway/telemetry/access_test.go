package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sink collects what is written; every may look at a write and refuse it.
type sink struct {
	mu    sync.Mutex // guards what follows
	buf   bytes.Buffer
	every func(p []byte) (int, error)
}

func (s *sink) Write(p []byte) (int, error) {
	if s.every != nil {
		if n, err := s.every(p); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.buf.Write(p[:n])
			return n, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *sink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Split(strings.TrimSuffix(s.buf.String(), "\n"), "\n")
}

func TestEveryRequestHasItsLine(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "access")
	if err != nil {
		t.Fatal(err)
	}
	a := NewAccessLog(file, AccessOptions{Buffer: 64 << 20, Every: time.Millisecond})
	const workers, each = 16, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			x := anExchange()
			for i := range each {
				x.RequestID = fmt.Sprintf("%d-%d", w, i)
				a.Log(&Trace{}, &x)
			}
		})
	}
	wg.Wait()
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[any]bool)
	for l := range bytes.Lines(written) {
		seen[checkLine(t, l)["request_id"]] = true
	}
	if len(seen) != workers*each || a.Dropped() != 0 {
		t.Errorf("%d lines, %d dropped", len(seen), a.Dropped())
	}
}

func TestALineIsWrittenWithinTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sink
		a := NewAccessLog(&s, AccessOptions{})
		x := anExchange()
		a.Log(&Trace{}, &x)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if l := s.lines(); len(l) != 1 || l[0] == "" {
			t.Errorf("after 100 ms: %q", l)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASlowSinkNeverBlocksARequest(t *testing.T) {
	release := make(chan struct{})
	s := &sink{every: func([]byte) (int, error) { <-release; return 0, nil }}
	a := NewAccessLog(s, AccessOptions{Buffer: 64 << 10, Every: time.Millisecond})
	const n = 20_000
	x := anExchange()
	begin := time.Now()
	for range n { // the sink stands still
		a.Log(&Trace{}, &x)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("requests took %v", d)
	}
	held := 0
	for i := range a.shards {
		a.shards[i].mu.Lock()
		held += len(a.shards[i].buf)
		a.shards[i].mu.Unlock()
	}
	if held > 64<<10 {
		t.Errorf("%d bytes are held", held)
	}
	close(release)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines, told := 0, uint64(0)
	for _, l := range s.lines() {
		var m struct {
			Msg     string
			Level   string
			Dropped uint64
		}
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		if m.Msg == "request" {
			lines++
		} else if m.Level == "WARN" {
			told += m.Dropped
		}
	}
	if a.Dropped() == 0 || told != a.Dropped() || lines+int(told) != n {
		t.Errorf("%d lines, %d dropped, %d told of", lines, a.Dropped(), told)
	}
}

func TestAFailingSinkIsCountedAndReported(t *testing.T) {
	full := errors.New("disk full")
	var fail atomic.Bool
	s := &sink{every: func(p []byte) (int, error) {
		if fail.Load() {
			return min(len(p), 10), full // cut within a line
		}
		return 0, nil
	}}
	synctest.Test(t, func(t *testing.T) {
		a := NewAccessLog(s, AccessOptions{})
		x := anExchange()
		fail.Store(true)
		a.Log(&Trace{}, &x)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := a.Dropped(); n != 1 {
			t.Errorf("%d dropped, want 1", n)
		}
		fail.Store(false)
		a.Log(&Trace{}, &x)
		if err := a.Close(t.Context()); !errors.Is(err, full) {
			t.Errorf("Close returned %v", err)
		}
	})
	whole, notices := 0, 0
	for _, l := range s.lines() {
		switch {
		case strings.Contains(l, `"msg":"request"`) && json.Valid([]byte(l)):
			whole++
		case strings.Contains(l, `"dropped":1`) && json.Valid([]byte(l)):
			notices++
		}
	}
	if whole != 1 || notices != 1 {
		t.Errorf("%d whole lines, %d notices in %q", whole, notices, s.lines())
	}
}

func TestCloseDoesNotWaitForeverForTheSink(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	a := NewAccessLog(&sink{every: func([]byte) (int, error) { <-release; return 0, nil }}, AccessOptions{})
	x := anExchange()
	a.Log(&Trace{}, &x)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := a.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close returned %v", err)
	}
}

func TestLinesAfterCloseAreCounted(t *testing.T) {
	a := NewAccessLog(io.Discard, AccessOptions{})
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := anExchange()
	a.Log(&Trace{}, &x)
	if a.Dropped() != 1 {
		t.Errorf("%d dropped", a.Dropped())
	}
}

func TestNoAccessLogLogsNothing(t *testing.T) {
	var a *AccessLog
	a.Log(&Trace{}, &Exchange{})
	if err := a.Close(t.Context()); err != nil || a.Dropped() != 0 {
		t.Error(err, a.Dropped())
	}
}

func BenchmarkAccessLog(b *testing.B) {
	tr := NewTracer(TracerOptions{}).Begin(nil)
	x := anExchange()
	for _, parallel := range []bool{false, true} {
		b.Run(fmt.Sprintf("parallel=%v", parallel), func(b *testing.B) {
			a := NewAccessLog(io.Discard, AccessOptions{Buffer: 64 << 20})
			defer a.Close(context.Background())
			b.ReportAllocs()
			if parallel {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						a.Log(&tr, &x)
					}
				})
			} else {
				for b.Loop() {
					a.Log(&tr, &x)
				}
			}
			b.ReportMetric(float64(a.Dropped())/float64(b.N), "dropped/op")
		})
	}
}
