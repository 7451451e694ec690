package flagd

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A file is a source on disk. Directories are watched, not the file: an editor
// that renames and a ConfigMap that swaps a symlink replace the file that was
// watched. For what is missed even so the file is looked at every 30 s, or
// every 2 s where nothing can be watched.
type file struct {
	path string
	o    Options

	last, good [sha256.Size]byte // of what was read last, and of what was kept last
}

func (f *file) name() string { return f.path }

func (f *file) kept() { f.good = f.last }

func (f *file) read(context.Context) (data []byte, unchanged bool, err error) {
	data, err = readFile(f.path, f.o.MaxBytes)
	if err != nil {
		return nil, false, err
	}
	f.last = sha256.Sum256(data)
	return data, f.last == f.good, nil
}

// follow looks when the directories have been quiet for 100 ms, or at the
// latest after a second, so that a file is not read half-written.
func (f *file) follow(ctx context.Context, look func(trigger string)) {
	var events <-chan fsnotify.Event
	var lost <-chan error
	watch := func() bool { return false }
	if w, err := f.o.watch(); err == nil {
		defer w.Close()
		events, lost = w.Events, w.Errors
		watch = func() bool { return f.watch(w) }
	}
	interval := f.o.poll
	if !watch() {
		interval = f.o.fast
		slog.Warn("flag definitions: cannot watch the directory; looking again and again instead", "file", f.path, "every", interval)
	}
	poll := time.NewTicker(interval)
	defer poll.Stop()
	quiet := time.NewTimer(f.o.quiet) // for what changed before the directories were watched
	defer quiet.Stop()
	var since time.Time // the first event that was not acted upon; zero: none
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if e.Op == fsnotify.Chmod {
				continue
			}
		case <-lost: // events were
		case <-poll.C:
			if since.IsZero() { // else somebody is writing
				watch()
				look("poll")
			}
			continue
		case <-quiet.C:
			since = time.Time{}
			watch() // another directory may be at their place by now
			look("watch")
			continue
		}
		now := time.Now()
		if since.IsZero() {
			since = now
		}
		quiet.Reset(min(f.o.quiet, max(0, f.o.longest-now.Sub(since))))
	}
}

// watch watches the directories that lead to the file, and no others.
func (f *file) watch(w *fsnotify.Watcher) (ok bool) {
	dirs := directories(f.path)
	for _, d := range w.WatchList() {
		if !slices.Contains(dirs, d) {
			_ = w.Remove(d) // it may be gone
		}
	}
	ok = true
	for _, d := range dirs {
		if err := w.Add(d); err != nil && !errors.Is(err, fs.ErrNotExist) { // gone since it was found
			ok = false
		}
	}
	return ok
}

// directories returns the directory of a file and of each symlink that leads
// to it.
func directories(path string) []string {
	const most = 40 // symlinks that a system follows
	var dirs []string
	for range most {
		abs, err := filepath.Abs(path)
		if err != nil {
			break
		}
		dirs = append(dirs, filepath.Dir(abs))
		target, err := os.Readlink(abs)
		if err != nil {
			break // a file, or nothing yet
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(abs), target)
		}
		path = target
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		dirs = append(dirs, filepath.Dir(real))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
