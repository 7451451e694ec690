package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
)

// errElsewhere is the error of changing something here when another process has
// taken over.
var errElsewhere = errors.New("another process has taken over from this one; ask again")

// A tenure is a file log from when this process became its writer until after
// another has: then it is read only. In between, while it is not decided who the
// writer is, whoever asks waits.
type tenure struct {
	path   string
	logger *slog.Logger

	mu      sync.Mutex     // guards what follows
	writer  *filelog.Log   // nil: this process is not the writer
	reader  migrations.Log // beside the next writer; nil: there is none
	let     *filelog.Log   // the last writer; nil: there was none
	trouble error          // why this process could not become the writer again; nil: that is not known
	closed  bool
	changed chan struct{} // closed, and replaced, when any of these changes
}

func newTenure(path string, log *filelog.Log, logger *slog.Logger) *tenure {
	return &tenure{path: path, logger: logger, writer: log, changed: make(chan struct{})}
}

// now returns who answers at the moment; neither while that is undecided.
func (t *tenure) now() (w *filelog.Log, r migrations.Log, changed <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, nil, nil, migrations.ErrClosed
	}
	return t.writer, t.reader, t.changed, t.trouble
}

// set changes what is guarded, and wakes who waits.
func (t *tenure) set(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	close(t.changed)
	t.changed = make(chan struct{})
}

// log returns who answers, as soon as that is decided.
func (t *tenure) log(ctx context.Context) (w *filelog.Log, any migrations.Log, err error) {
	for {
		w, r, changed, err := t.now()
		switch {
		case err != nil:
			return nil, nil, err
		case w != nil:
			return w, w, nil
		case r != nil:
			return nil, r, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-changed:
		}
	}
}

// Append adds events; see [migrations.Log]. What it refuses because another
// process is about to take over it offers to whoever is the writer then.
func (t *tenure) Append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	for {
		w, _, err := t.log(ctx)
		switch {
		case err != nil:
			return 0, err
		case w == nil:
			return 0, errElsewhere
		}
		seq, err := w.Append(ctx, after, events...)
		if errors.Is(err, migrations.ErrClosed) { // nothing was added
			continue
		}
		return seq, err
	}
}

// Head returns the last event; see [migrations.Log].
func (t *tenure) Head(ctx context.Context) (uint64, error) {
	for {
		_, log, err := t.log(ctx)
		if err != nil {
			return 0, err
		}
		seq, err := log.Head(ctx)
		if errors.Is(err, migrations.ErrClosed) {
			continue
		}
		return seq, err
	}
}

// Follow yields the events after from, whoever writes them; see [migrations.Log].
func (t *tenure) Follow(ctx context.Context, from uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		for {
			_, log, err := t.log(ctx)
			if err != nil {
				yield(migrations.Event{}, err)
				return
			}
			for e, err := range log.Follow(ctx, from) {
				if errors.Is(err, migrations.ErrClosed) {
					break // by release, or for good
				}
				if !yield(e, err) || err != nil {
					return
				}
				from = e.Seq
			}
		}
	}
}

// release lets go of the log. It is undecided from now on who writes.
func (t *tenure) release() error {
	t.mu.Lock()
	w := t.writer
	t.mu.Unlock()
	if w == nil {
		return errors.New("the gateway that runs does not hold its event log at the moment")
	}
	t.set(func() { t.writer, t.let = nil, w })
	return w.Close()
}

// leave decides that another process writes.
func (t *tenure) leave() {
	t.set(func() { t.reader = t.let.After() })
}

// resume decides that this process writes again. It may be called again after
// an error; until it succeeds whoever asks is told why not.
func (t *tenure) resume() error {
	w, _, _, err := t.now()
	if w != nil || errors.Is(err, migrations.ErrClosed) {
		return err
	}
	log, err := filelog.Open(t.path, filelog.Options{Logger: t.logger})
	t.set(func() {
		switch {
		case err != nil:
			t.trouble = fmt.Errorf("the event log could not be taken back: %w", err)
		case t.closed:
			err = errors.Join(migrations.ErrClosed, log.Close())
		default:
			t.writer, t.trouble = log, nil
		}
	})
	return err
}

// Close closes the log, if this process has it, and ends all waiting.
func (t *tenure) Close() error {
	var w *filelog.Log
	t.set(func() { w, t.writer, t.closed = t.writer, nil, true })
	if w == nil {
		return nil
	}
	return w.Close()
}
