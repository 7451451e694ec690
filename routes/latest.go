package routes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A Source keeps the last good table of a config file. [Open] reads the file,
// [Source.Run] follows it.
type Source struct {
	path string
	load func() (*Table, error)

	table    atomic.Pointer[Table]  // the last good one
	last     atomic.Pointer[Report] // what Last returns
	running  atomic.Bool
	requests chan chan Report // from Reload to Run
	ended    chan struct{}    // closed by Run

	// Set before Run, by tests.
	quiet   time.Duration // without an event before files are read
	longest time.Duration // that events can put reading off
	poll    time.Duration // between looks without an event
	fast    time.Duration // the same, where directories cannot be watched
	watch   func() (*fsnotify.Watcher, error)

	// Owned by Run.
	list watchlist // what decides whether reading again is worth it
	seen string    // fingerprint of that when it was last read; empty: look
}

// A Report says how one reading of the config went.
type Report struct {
	Time    time.Time     // when it began
	OK      bool          // the files are good, and serve
	Changed bool          // a new table serves
	Hash    string        // of the table that serves now
	Err     error         // why not OK: [Problems], or of the file system
	Warning string        // what does not work as it should though the table is good; may be empty
	Took    time.Duration // to read, check and swap
	Trigger string        // "start", "watch", "poll" or "request"
}

// Open loads the config for the first time, which must succeed. The path is
// that of the main file; load is called whenever it or one of the table's
// other files may have changed.
func Open(path string, load func() (*Table, error)) (*Source, error) {
	s := &Source{
		path:     path,
		load:     load,
		requests: make(chan chan Report),
		ended:    make(chan struct{}),
		quiet:    100 * time.Millisecond,
		longest:  time.Second,
		poll:     30 * time.Second,
		fast:     2 * time.Second,
		watch:    fsnotify.NewWatcher,
	}
	start := time.Now()
	t, err := load()
	if err != nil {
		return nil, err
	}
	s.table.Store(t)
	s.last.Store(&Report{Time: start, OK: true, Changed: true, Hash: t.Hash, Took: time.Since(start), Trigger: "start"})
	return s, nil
}

// Table returns the last good table.
func (s *Source) Table() *Table { return s.table.Load() }

// Last returns the report of the last reload. A failure stays the last one
// until a reload succeeds.
func (s *Source) Last() Report { return *s.last.Load() }

// Reload reads the config now, whether or not it seems to have changed, and
// returns how that went. It needs a [Source.Run] to do it, and waits for one
// until the context ends.
func (s *Source) Reload(ctx context.Context) Report {
	failed := func(err error) Report {
		return Report{Time: time.Now(), Hash: s.Table().Hash, Err: fmt.Errorf("reloading the config: %w", err), Trigger: "request"}
	}
	reply := make(chan Report, 1)
	select {
	case s.requests <- reply:
	case <-ctx.Done():
		return failed(ctx.Err())
	case <-s.ended:
		return failed(errEnded)
	}
	select {
	case r := <-reply:
		return r
	case <-ctx.Done():
		return failed(ctx.Err())
	}
}

var errEnded = errors.New("the gateway is shutting down")

// hooks are what Run was given.
type hooks struct {
	check  func(old, next *Table) error
	swap   func(next *Table)
	report func(Report)
}

// reload reads the config and lets a good one serve. Nothing that serves is
// touched before all that can fail has succeeded. It reports what is news, and
// all that was asked for.
func (s *Source) reload(h hooks, trigger string) Report {
	old := s.Table()
	r := Report{Time: time.Now(), Trigger: trigger, Hash: old.Hash}
	before := s.list.fingerprint()
	next, err := s.load()
	if err == nil && next.Hash != old.Hash && h.check != nil {
		err = h.check(old, next)
	}
	switch {
	case err != nil:
		r.Err = err
	case next.Hash == old.Hash:
		r.OK = true
	default:
		h.swap(next)
		s.table.Store(next)
		r.OK, r.Changed, r.Hash = true, true, next.Hash
	}
	r.Took = time.Since(r.Time)

	// If it is other files now, the next look reads once more: a fingerprint of
	// them taken now might be newer than what was read.
	s.seen = before
	s.list = newWatchlist(s.path, s.Table(), r.Err)

	last := s.Last()
	if trigger == "request" || r.Changed || r.OK != last.OK || !r.OK && r.Err.Error() != last.Err.Error() {
		s.last.Store(&r)
		if h.report != nil {
			h.report(r)
		}
	}
	return r
}
