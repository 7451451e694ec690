package routes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReloadErrorKeepsServing(t *testing.T) {
	f := startFollowing(t, newMain(t), nil)
	for _, c := range []struct {
		text, err string
		edit      func(string) error
	}{
		{"bad", `"bad" has no full stop`, nil},
		{"", `"" has no full stop`, nil},
		{"", "no such file", os.Remove},
		{"on", `"on" has no full stop`, nil},
	} {
		if c.edit != nil {
			must(t, c.edit(f.main))
		} else {
			write(t, f.main, c.text)
		}
		f.refuses(c.err, "one.")
	}
	write(t, f.main, "one.") // as it was: the error goes, nothing is swapped
	f.serves("one.")
	f.stop()
	if len(f.swapped) > 0 {
		t.Errorf("swapped %q", f.swapped)
	}
	if len(f.reports) != 5 {
		t.Errorf("%d reports, want one for each error and one for its end: %+v", len(f.reports), f.reports)
	}
}

func TestTheSameErrorIsReportedOnce(t *testing.T) {
	f := startFollowing(t, newMain(t), nil, func(s *Source) { s.poll = 10 * time.Millisecond })
	write(t, f.main, "bad")
	f.refuses("bad", "one.")
	time.Sleep(100 * time.Millisecond)
	f.stop()
	if len(f.reports) != 1 {
		t.Errorf("%d reports: %+v", len(f.reports), f.reports)
	}
}

func TestRefusedTableIsNotSwapped(t *testing.T) {
	f := startFollowing(t, newMain(t), func(old, next *Table) error {
		if next.Hash == "two." {
			return fmt.Errorf("%s does not follow %s", next.Hash, old.Hash)
		}
		return nil
	})
	write(t, f.main, "two.")
	f.refuses("two. does not follow one.", "one.")
	write(t, f.main, "three.")
	f.serves("three.")
	f.stop()
	if len(f.swapped) != 1 {
		t.Errorf("swapped %q", f.swapped)
	}
}

func TestReloadIsDoneAtOnceAndAlwaysReported(t *testing.T) {
	f := startFollowing(t, newMain(t), nil, func(s *Source) { s.quiet, s.longest = time.Hour, time.Hour })
	ctx := t.Context()
	if r := f.Reload(ctx); !r.OK || r.Changed || r.Hash != "one." || r.Trigger != "request" {
		t.Errorf("nothing new: %+v", r)
	}
	write(t, f.main, "two.")
	if r := f.Reload(ctx); !r.OK || !r.Changed || r.Hash != "two." || f.Table().Hash != "two." {
		t.Errorf("a good edit: %+v", r)
	}
	write(t, f.main, "bad")
	for range 2 {
		if r := f.Reload(ctx); r.OK || r.Changed || r.Hash != "two." || r.Err == nil {
			t.Errorf("a bad edit: %+v", r)
		}
	}
	f.stop()
	if len(f.reports) != 4 {
		t.Errorf("%d reports: %+v", len(f.reports), f.reports)
	}
	if r := f.Reload(ctx); !errors.Is(r.Err, errEnded) {
		t.Errorf("after the end: %+v", r)
	}
}

func TestReloadWaitsForRunUntilItsContextEnds(t *testing.T) {
	main := newMain(t)
	s, err := Open(main, func() (*Table, error) { return words(main) })
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if r := s.Reload(ctx); !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("%+v", r)
	}
	if r := s.Last(); !r.OK || r.Trigger != "start" {
		t.Errorf("last: %+v", r)
	}
}

func TestRunTwiceIsRefused(t *testing.T) {
	f := startFollowing(t, newMain(t), nil)
	if err := f.Run(t.Context(), nil, func(*Table) {}, nil); err == nil {
		t.Error("a second Run was allowed")
	}
}

func TestOpenNeedsAGoodFile(t *testing.T) {
	main := filepath.Join(t.TempDir(), "ficus.yaml")
	if _, err := Open(main, func() (*Table, error) { return words(main) }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestRealConfigIsFollowed(t *testing.T) {
	const config = `listen: 127.0.0.1:0
upstreams: {monolith: "http://127.0.0.1:3000", orders: "http://127.0.0.1:3001"}
routes:
  - {path: /*, upstream: monolith}
`
	main := filepath.Join(t.TempDir(), "ficus.yaml")
	write(t, main, config+"  - {path: /a, upstream: orders}\n")
	s, err := Open(main, func() (*Table, error) { return Load(main) })
	must(t, err)
	swapped := make(chan *Table)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx, nil, func(next *Table) { swapped <- next }, nil) }()
	write(t, main, config+"  - {path: /b, upstream: orders}\n")
	if got := (<-swapped).Match(request("GET", "/b")).Upstream; got != "orders" {
		t.Errorf("/b goes to %q", got)
	}
	write(t, main, config+"  - {path: /b, upstream: order}\n")
	if r := s.Reload(ctx); r.OK || s.Table().Match(request("GET", "/b")).Upstream != "orders" {
		t.Errorf("after a bad edit: %+v", r)
	}
	cancel()
	must(t, <-ended)
}
