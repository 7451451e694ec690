package filelog

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ficus-gateway/ficus/migrations"
)

func TestHeirWritesOnWhenTheWriterHasLetGo(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 3)
	old := p.open(t)
	h, err := Inherit(p.path, p.options())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if diff := cmp.Diff(latest(t, old), h.State()); diff != "" {
		t.Errorf("beside the writer: %s", diff)
	}
	mustAppend(t, old, live("orders", 40), live("orders", 41))
	var closed atomic.Bool
	go func() {
		time.Sleep(50 * time.Millisecond)
		mustAppend(t, old, live("orders", 42))
		closed.Store(true)
		mustClose(t, old)
	}()
	next, err := h.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if !closed.Load() {
		t.Error("two writers")
	}
	if s := latest(t, next); s.Seq != 6 {
		t.Errorf("the heir begins at event %d", s.Seq)
	}
	mustAppend(t, next, live("orders", 43))
	// The one before reads on, and only what is new to it.
	var seqs []uint64
	for e, err := range old.After().Follow(t.Context(), 6) {
		if err != nil {
			t.Fatal(err)
		}
		if seqs = append(seqs, e.Seq); e.Seq == 7 {
			break
		}
	}
	if head, err := old.After().Head(t.Context()); !cmp.Equal(seqs, []uint64{7}) || head != 7 || err != nil {
		t.Errorf("the one before sees %v and head %d, %v", seqs, head, err)
	}
	mustClose(t, next)
	if s := latest(t, p.open(t)); s.Seq != 7 {
		t.Errorf("read from its beginning the log ends at %d", s.Seq)
	}
	if p.said.Len() > 0 {
		t.Errorf("said: %s", p.said.String())
	}
}

func TestHeirChangesNothingBeforeItIsTheWriter(t *testing.T) {
	p := newPlace(t)
	p.filled(t, 3)
	l := p.open(t)
	torn := p.read(t, "") + `{"seq":4,`
	p.write(t, "", torn)
	h, err := Inherit(p.path, p.options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := h.Open(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("while there is a writer: %v", err)
	}
	if p.read(t, "") != torn || h.State().Seq != 3 {
		t.Errorf("the heir has changed the file, or read half an append: %d", h.State().Seq)
	}
	mustClose(t, l)
	next, err := h.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, next, live("orders", 44))
	mustClose(t, next)
	if s := latest(t, p.open(t)); s.Seq != 4 {
		t.Errorf("the log ends at %d", s.Seq)
	}
}

// What the heir has read may be replaced before it becomes the writer; then
// that is read anew, and held to the checkpoint.
func TestHeirOfAReplacedFileReadsItAnew(t *testing.T) {
	for name, test := range map[string]struct {
		replace func(p *place)
		want    string
	}{
		"by another": {func(p *place) {
			p.write(t, ".next", chained(t, created("carts"), live("carts", 1), live("carts", 2)))
			if err := os.Rename(p.path+".next", p.path); err != nil {
				t.Fatal(err)
			}
		}, "belongs to a log with another event 3"},
		"cut short": {func(p *place) {
			lines := strings.SplitAfter(p.read(t, ""), "\n")
			p.write(t, "", lines[0]+lines[1])
		}, "the file was cut short"},
	} {
		p := newPlace(t)
		p.filled(t, 3)
		h, err := Inherit(p.path, p.options())
		if err != nil {
			t.Fatal(err)
		}
		test.replace(p)
		if _, err := h.Open(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if l, err := lock(p.path); err != nil {
			t.Errorf("%s: the lock is kept: %v", name, err)
		} else {
			l.Close()
		}
	}
}

func TestNothingCanBeInheritedFromALogThatIsBad(t *testing.T) {
	p := newPlace(t)
	if _, err := Inherit(p.path, p.options()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	p.filled(t, 3)
	p.write(t, "", strings.Replace(p.read(t, ""), "alice", "mallo", 1))
	if _, err := Inherit(p.path, p.options()); err == nil || !strings.Contains(err.Error(), "ficus.events:2: the hash does not fit") {
		t.Error(err)
	}
}

var _ migrations.Log = (*Reader)(nil)
