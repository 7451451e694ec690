package filelog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

// faults is a real file on a disk that is slow or fails.
type faults struct {
	disk
	delay    time.Duration // of each fsync
	room     int           // bytes that can be written before writeErr
	writeErr error
	syncErr  error // of the next fsync only
	truncErr error
	hang     chan struct{} // if set, an fsync waits for its end
	syncs    atomic.Int32
}

func (f *faults) WriteAt(p []byte, at int64) (int, error) {
	if f.writeErr == nil || len(p) <= f.room {
		return f.disk.WriteAt(p, at)
	}
	n, err := f.disk.WriteAt(p[:f.room], at)
	if err == nil {
		err = f.writeErr
	}
	return n, err
}

func (f *faults) Sync() error {
	f.syncs.Add(1)
	time.Sleep(f.delay)
	if f.hang != nil {
		<-f.hang
	}
	if err := f.syncErr; err != nil {
		f.syncErr = nil
		return err
	}
	return f.disk.Sync()
}

func (f *faults) Truncate(size int64) error {
	if f.truncErr != nil {
		return f.truncErr
	}
	return f.disk.Truncate(size)
}

// A disk that is full at any byte of an append loses that append, and nothing else.
func TestFullDiskRefusesAppendsUntilThereIsRoom(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	f := &faults{disk: l.file}
	l.file = f
	for room := 0; ; room += 7 {
		before, text := latest(t, l), p.read(t, "")
		f.room, f.writeErr = room, syscall.ENOSPC
		_, err := l.Append(t.Context(), before.Seq, live("orders", 1), live("orders", 2))
		if err == nil {
			break // it had room
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if p.read(t, "") != text {
			t.Fatalf("with room for %d bytes, a part stayed in the file", room)
		}
		if diff := cmp.Diff(before, latest(t, l)); diff != "" {
			t.Fatal(diff)
		}
		f.writeErr = nil
		mustAppend(t, l, live("orders", 3))
	}
	want := latest(t, l)
	mustClose(t, l)
	if diff := cmp.Diff(want, latest(t, p.open(t))); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(p.said.String(), "cannot be written") {
		t.Error("nothing was said")
	}
}

func TestFailedFsyncTakesTheEventsBack(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	f := &faults{disk: l.file}
	l.file = f
	text := p.read(t, "")
	f.syncErr = syscall.EIO
	if _, err := l.Append(t.Context(), 1, live("orders", 1)); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	if p.read(t, "") != text {
		t.Error("the events stayed in the file")
	}
	if seq := mustAppend(t, l, live("orders", 2)); seq != 2 {
		t.Errorf("the next event has number %d", seq)
	}
}

func TestLogThatCannotBeMendedIsReadOnly(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	f := &faults{disk: l.file, syncErr: syscall.EIO, truncErr: syscall.EROFS}
	l.file = f
	for range 2 {
		_, err := l.Append(t.Context(), 1, live("orders", 1))
		if !errors.Is(err, syscall.EIO) || !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "read-only, since a failed write could not be undone") {
			t.Error(err)
		}
	}
	if s := latest(t, l); s.Seq != 1 {
		t.Errorf("what is read ends at event %d", s.Seq)
	}
	mustClose(t, l)
}

// Those who wait behind a write that fails get the error too: they were
// numbered after events that are no more.
func TestAppendsBehindAFailedWriteFail(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"), created("carts"))
	f := &faults{disk: l.file, hang: make(chan struct{}), syncErr: syscall.EIO}
	l.file = f
	results := make(chan error)
	add := func(after uint64, e migrations.Event) {
		go func() {
			_, err := l.Append(context.Background(), after, e)
			results <- err
		}()
	}
	add(2, live("orders", 1))
	for f.syncs.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	add(2, live("carts", 1))
	add(2, live("orders", 2)) // conflicts with the first, if that is kept
	waiting := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.pending != nil
	}
	for !waiting() {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	close(f.hang)
	var failed, kept int
	for range 3 {
		switch err := <-results; {
		case err == nil:
			kept++
		case errors.Is(err, syscall.EIO):
			failed++
		default:
			t.Error(err)
		}
	}
	// The second of orders was refused for the sake of the first. That being
	// gone, it is kept; unless it came so late that it found nothing to wait for.
	if failed != 2 || kept != 1 {
		t.Errorf("%d failed and %d were kept", failed, kept)
	}
	if s := latest(t, l); s.Seq != 3 || s.Migrations["orders"].Split.Share(migrations.Live) != 2 {
		t.Errorf("%+v", s)
	}
}

func TestAppendToAHangingDiskEndsWithItsContext(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	f := &faults{disk: l.file, hang: make(chan struct{})}
	l.file = f
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := l.Append(ctx, 1, live("orders", 1))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "may or may not be kept") {
		t.Error(err)
	}
	if s := latest(t, l); s.Seq != 1 {
		t.Errorf("a follower saw event %d before it was on disk", s.Seq)
	}
	close(f.hang)
	for l := migrations.Log(l); latest(t, l).Seq != 2; {
		time.Sleep(time.Millisecond)
	}
}

func TestFollowersSeeOnlyWhatIsOnDisk(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"))
	f := &faults{disk: l.file}
	l.file = f
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan string, 100)
	go func() {
		defer close(seen)
		for e, err := range l.Follow(ctx, 1) {
			if err != nil {
				return
			}
			seen <- fmt.Sprint(e.Seq, " ", e.Split)
		}
	}()
	f.syncErr = syscall.EIO
	if _, err := l.Append(ctx, 1, live("orders", 1000)); err == nil {
		t.Error("kept")
	}
	mustAppend(t, l, live("orders", 2000))
	if got := <-seen; got != "2 live=2% off=98%" {
		t.Errorf("a follower saw %s", got)
	}
}
