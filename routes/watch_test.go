package routes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A followed is a Source that runs. Its config is one word in each file, the
// included ones in routes.d; its hash is all of them.
type followed struct {
	*Source
	t       *testing.T
	main    string
	mu      sync.Mutex // guards reports and swapped
	reports []Report
	swapped []string
	stop    func()
}

// words loads a config of words. A word without a full stop is cut off.
func words(main string) (*Table, error) {
	t := &Table{File: main, Files: []string{main}, Dirs: []string{filepath.Join(filepath.Dir(main), "routes.d")}}
	more, err := filepath.Glob(filepath.Join(t.Dirs[0], "*.yaml"))
	if err != nil {
		return nil, err
	}
	t.Files = append(t.Files, more...)
	for _, path := range t.Files {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		word := strings.TrimSpace(string(b))
		if !strings.HasSuffix(word, ".") {
			return nil, Problems{{At: Position{path, 1, 1}, Text: fmt.Sprintf("%q has no full stop", word)}}
		}
		t.Hash += word
	}
	return t, nil
}

func startFollowing(t *testing.T, main string, check func(old, next *Table) error, edits ...func(*Source)) *followed {
	t.Helper()
	s, err := Open(main, func() (*Table, error) { return words(main) })
	if err != nil {
		t.Fatal(err)
	}
	s.quiet, s.longest, s.poll, s.fast = 20*time.Millisecond, 200*time.Millisecond, time.Hour, time.Hour
	for _, e := range edits {
		e(s)
	}
	f := &followed{Source: s, t: t, main: main}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- s.Run(ctx, check, func(next *Table) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.swapped = append(f.swapped, next.Hash)
		}, func(r Report) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.reports = append(f.reports, r)
		})
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(f.stop)
	f.Reload(ctx) // returns when Run watches
	f.mu.Lock()
	f.reports = nil
	f.mu.Unlock()
	return f
}

func (f *followed) wait(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("waiting for %s: the table is %q, the last report %+v", what, f.Table().Hash, f.Last())
		}
	}
}

func (f *followed) serves(hash string) {
	f.t.Helper()
	f.wait(fmt.Sprintf("%q", hash), func() bool { return f.Table().Hash == hash && f.Last().OK && f.Last().Hash == hash })
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.swapped); n > 0 && f.swapped[n-1] != hash {
		f.t.Errorf("swapped last: %q, want %q", f.swapped[n-1], hash)
	}
}

// refuses waits for a failure and checks that the old table serves on.
func (f *followed) refuses(err, hash string) {
	f.t.Helper()
	f.wait("the error "+err, func() bool { r := f.Last(); return r.Err != nil && strings.Contains(r.Err.Error(), err) })
	if r := f.Last(); r.OK || r.Changed || r.Hash != hash || f.Table().Hash != hash {
		f.t.Errorf("after a failure %q serves, report %+v", f.Table().Hash, r)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func newMain(t *testing.T) string {
	main := filepath.Join(t.TempDir(), "ficus.yaml")
	write(t, main, "one.")
	return main
}

func TestEveryWayOfSavingIsSeen(t *testing.T) {
	for name, save := range map[string]func(t *testing.T, path, text string){
		"in place": write,
		"another file renamed over it": func(t *testing.T, path, text string) {
			write(t, path+".tmp", text)
			must(t, os.Rename(path+".tmp", path))
		},
		"a backup made by renaming": func(t *testing.T, path, text string) {
			must(t, os.Rename(path, path+"~"))
			write(t, path, text)
			must(t, os.Remove(path+"~"))
		},
		"removed and made again": func(t *testing.T, path, text string) {
			must(t, os.Remove(path))
			time.Sleep(5 * time.Millisecond)
			write(t, path, text)
		},
		"bit by bit": func(t *testing.T, path, text string) {
			for i := range len(text) + 1 {
				write(t, path, text[:i])
				time.Sleep(5 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFollowing(t, newMain(t), nil)
			for _, text := range []string{"two.", "three.", "four."} {
				save(t, f.main, text)
				f.serves(text)
			}
		})
	}
}

func TestConfigMapSwapIsSeen(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "ficus.yaml")
	write(t, filepath.Join(dir, "..2026_01", "ficus.yaml"), "one.")
	must(t, os.Symlink("..2026_01", filepath.Join(dir, "..data")), os.Symlink("..data/ficus.yaml", main))
	f := startFollowing(t, main, nil)
	old := "..2026_01"
	for i, text := range []string{"two.", "three.", "four."} { // as the kubelet does
		next := fmt.Sprintf("..2026_1%d", i)
		write(t, filepath.Join(dir, next, "ficus.yaml"), text)
		must(t, os.Symlink(next, filepath.Join(dir, "..data_tmp")),
			os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")),
			os.RemoveAll(filepath.Join(dir, old)))
		f.serves(text)
		old = next
	}
}

func TestSwappedDirectoryIsSeen(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "releases/1/etc/ficus.yaml"), "one.")
	must(t, os.Symlink("releases/1", filepath.Join(dir, "current")))
	f := startFollowing(t, filepath.Join(dir, "current/etc/ficus.yaml"), nil)
	write(t, filepath.Join(dir, "releases/2/etc/ficus.yaml"), "two.")
	must(t, os.Symlink("releases/2", filepath.Join(dir, "next")), os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
	f.serves("two.")
	write(t, filepath.Join(dir, "releases/2/etc/ficus.yaml"), "three.")
	f.serves("three.")
}

func TestIncludedFilesComeChangeAndGo(t *testing.T) {
	f := startFollowing(t, newMain(t), nil)
	more := filepath.Join(filepath.Dir(f.main), "routes.d", "a.yaml")
	write(t, more, "and a.") // not even the directory was there
	f.serves("one.and a.")
	write(t, more, "and b.")
	f.serves("one.and b.")
	write(t, filepath.Join(filepath.Dir(more), "b.yaml"), "and c.")
	f.serves("one.and b.and c.")
	must(t, os.Remove(more))
	f.serves("one.and c.")
}

func TestPollingDoesWithoutWatching(t *testing.T) {
	f := startFollowing(t, newMain(t), nil, func(s *Source) {
		s.fast = 10 * time.Millisecond
		s.watch = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	})
	write(t, f.main, "two.")
	f.serves("two.")
	write(t, f.main, "bad")
	f.refuses("bad", "two.")
	write(t, f.main, "three.")
	f.serves("three.")
	f.stop()
	if len(f.reports) != 4 || !strings.Contains(f.reports[0].Warning, "too many open files") {
		// The warning may have come before the first request returned.
		if len(f.reports) != 3 {
			t.Errorf("%d reports: %+v", len(f.reports), f.reports)
		}
	}
}

func TestSlowPollSeesWhatTheWatchMissed(t *testing.T) {
	f := startFollowing(t, newMain(t), nil, func(s *Source) {
		s.poll = 20 * time.Millisecond
		s.watch = func() (*fsnotify.Watcher, error) { return nil, errors.New("no inotify") }
	})
	write(t, f.main, "two.")
	f.serves("two.")
}

func TestManyEditsEndAtTheLast(t *testing.T) {
	f := startFollowing(t, newMain(t), nil)
	for i := range 200 {
		write(t, f.main+".tmp", fmt.Sprintf("edit %d.", i))
		must(t, os.Rename(f.main+".tmp", f.main))
		time.Sleep(time.Millisecond)
	}
	f.serves("edit 199.")
	f.stop()
	if len(f.swapped) > 100 {
		t.Errorf("%d of 200 edits were swapped in; bursts should be read once", len(f.swapped))
	}
}

func TestOtherFilesOfTheDirectoryCostNoReading(t *testing.T) {
	main := newMain(t)
	events := filepath.Join(filepath.Dir(main), "ficus.events")
	write(t, events, "")
	var mu sync.Mutex
	loads := 0
	f := startFollowing(t, main, nil, func(s *Source) {
		load := s.load
		s.load = func() (*Table, error) {
			mu.Lock()
			loads++
			mu.Unlock()
			return load()
		}
	})
	mu.Lock()
	before := loads
	mu.Unlock()
	for i := range 50 {
		write(t, events, fmt.Sprint(i))
		time.Sleep(2 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	f.stop()
	if loads != before {
		t.Errorf("read %d times because of a file that is not the config's", loads-before)
	}
}
