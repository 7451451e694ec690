package filelog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestReaderReadsBesideTheWriter(t *testing.T) {
	p := newPlace(t)
	l := p.open(t)
	mustAppend(t, l, created("orders"), live("orders", 1))
	r, err := OpenReadOnly(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(latest(t, l), latest(t, r)); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Append(t.Context(), 0, live("orders", 2)); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	mustClose(t, l)
	if s := latest(t, r); s.Seq != 2 {
		t.Errorf("without a writer: %+v", s)
	}
	if _, err := OpenReadOnly(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestReaderFollowsWhatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.filled(t, 2)
		whole := p.read(t, "")
		l := p.open(t)
		mustAppend(t, l, live("orders", 70), live("orders", 80))
		mustClose(t, l)
		appended := strings.TrimPrefix(p.read(t, ""), whole)
		p.write(t, "", whole)

		r, err := OpenReadOnly(p.path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var seqs []uint64
		var last error
		go func() {
			for e, err := range r.Follow(ctx, 1) {
				if err != nil {
					last = err
					return
				}
				seqs = append(seqs, e.Seq)
			}
		}()
		see := func(want ...uint64) {
			t.Helper()
			time.Sleep(2 * pollEvery)
			synctest.Wait()
			if !cmp.Equal(seqs, want) {
				t.Fatalf("saw %v, want %v", seqs, want)
			}
		}
		see(2)
		for _, n := range []int{1, 100, strings.IndexByte(appended, '\n') + 1, len(appended) - 1} {
			p.write(t, "", whole+appended[:n])
			see(2) // an append is seen when it is whole
		}
		p.write(t, "", whole+appended)
		see(2, 3, 4)
		p.write(t, "", whole)
		see(2, 3, 4)
		if last == nil || !strings.Contains(last.Error(), "has become shorter") {
			t.Error(last)
		}
		last = nil
		go func() {
			for _, err := range r.Follow(ctx, 2) {
				last = err
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(last, context.Canceled) {
			t.Error(last)
		}
	})
}

func TestReaderRefusesCorruption(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 5)
	p.write(t, "", strings.Replace(p.read(t, ""), "alice", "mallo", 1))
	r, err := OpenReadOnly(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Latest(t.Context(), r); err == nil || !strings.Contains(err.Error(), "ficus.events:2: the hash does not fit") {
		t.Error(err)
	}
	for _, err := range r.Follow(t.Context(), 0) {
		if err != nil && !strings.Contains(err.Error(), "ficus.events:2: the hash does not fit") {
			t.Error(err)
		}
	}
}
