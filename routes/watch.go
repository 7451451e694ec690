package routes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Run follows the config's files until the context ends, then returns nil. A
// change is read when the files have been quiet for 100 ms, or at the latest
// after a second, so that a file is not read half-written. Directories are
// watched, not files: an editor that renames and a ConfigMap that swaps a
// symlink replace the file that was watched. For what is missed even so (network
// file systems, a limit on watches) the files are looked at every 30 s, or
// every 2 s where nothing can be watched, which is reported once.
//
// A table that differs from the one that serves is handed to check, which may
// refuse it, and then to swap, after which [Source.Table] returns it. A file
// that is bad, empty, cut off or gone, or a table that check refuses, changes
// nothing. Either way report is called once; the same error is not reported
// again. All three are called by Run's own goroutine, one after the other; check
// and report may be nil. Run can be called once.
func (s *Source) Run(ctx context.Context, check func(old, next *Table) error, swap func(next *Table), report func(Report)) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("the config is being followed already")
	}
	defer close(s.ended)
	h := hooks{check, swap, report}

	s.list = newWatchlist(s.path, s.Table(), nil)
	w := s.newWatch()
	defer w.close()
	w.set(s.list.dirs)
	s.reload(h, "start") // what changed before the directories were watched
	poll := time.NewTicker(s.poll)
	defer poll.Stop()
	var fast <-chan time.Time // nil while directories are watched
	quiet := time.NewTimer(0)
	quiet.Stop()
	defer quiet.Stop()
	var since time.Time // the first event that was not acted upon; zero: none
	cause := ""

	touched := func(trigger string) {
		now := time.Now()
		if since.IsZero() {
			since, cause = now, trigger
		}
		quiet.Reset(min(s.quiet, max(0, s.longest-now.Sub(since))))
	}
	done := func() {
		quiet.Stop()
		since = time.Time{}
		w.set(s.list.dirs)
	}
	for {
		if w.err != nil && fast == nil {
			ticker := time.NewTicker(s.fast)
			defer ticker.Stop()
			fast = ticker.C
			if report != nil {
				report(Report{Time: time.Now(), OK: s.Last().OK, Err: s.Last().Err, Hash: s.Table().Hash, Trigger: "watch",
					Warning: fmt.Sprintf("cannot watch the config's directories (%v); looking every %v instead", w.err, s.fast)})
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case reply := <-s.requests:
			r := s.reload(h, "request")
			done()
			reply <- r
		case e := <-w.events():
			if e.Op != fsnotify.Chmod {
				touched("watch")
			}
		case <-w.errors(): // events were lost
			touched("watch")
		case <-fast:
			if since.IsZero() && s.changed() {
				touched("poll")
			}
		case <-poll.C:
			// Also what the fingerprint does not cover, such as a file in a
			// directory that nobody knew of.
			if since.IsZero() {
				touched("poll")
				s.seen = ""
			}
		case <-quiet.C:
			if s.changed() {
				s.reload(h, cause)
			}
			done()
		}
	}
}

// changed reports whether the config may be another one than was last read.
func (s *Source) changed() bool {
	return s.seen == "" || s.seen != s.list.fingerprint()
}

// A watch tells of events in directories. Without a watcher there are none.
type watch struct {
	watcher *fsnotify.Watcher
	dirs    map[string]bool
	err     error // why not all directories are watched
}

func (s *Source) newWatch() *watch {
	w := &watch{dirs: map[string]bool{}}
	w.watcher, w.err = s.watch()
	return w
}

// set watches these directories and no others. Those that are watched already
// are named again, since another directory may be at their place by now.
func (w *watch) set(dirs []string) {
	if w.watcher == nil {
		return
	}
	wanted := map[string]bool{}
	for _, d := range dirs {
		wanted[d] = true
		if err := w.watcher.Add(d); err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // gone since it was found
				w.err = err
			}
			delete(w.dirs, d)
			continue
		}
		w.dirs[d] = true
	}
	for d := range w.dirs {
		if !wanted[d] {
			_ = w.watcher.Remove(d) // it may be gone
			delete(w.dirs, d)
		}
	}
}

func (w *watch) events() <-chan fsnotify.Event {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Events
}

func (w *watch) errors() <-chan error {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Errors
}

func (w *watch) close() {
	if w.watcher != nil {
		_ = w.watcher.Close()
	}
}
