package filelog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// pollEvery is how often a Reader looks for new lines.
const pollEvery = 200 * time.Millisecond

// A Reader is a [migrations.Log] that only reads: for tools, beside a running
// gateway or without one, and for a gateway that drains while another process
// writes. It needs no lock and changes nothing on disk. It may see events that
// the writer is about to take back because its disk refused them.
type Reader struct {
	path string
	from mark // before which nothing is verified once more
}

// ErrReadOnly is the error of appending to a Reader.
var ErrReadOnly = errors.New("the log is open for reading only")

// OpenReadOnly returns a reader of the log at path, which must exist.
func OpenReadOnly(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Reader{path: path}, file.Close()
}

// After returns a reader for when the log has been closed, and another process
// writes it: it goes on from here without reading all of the file.
func (l *Log) After() *Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.onDisk.after(l.path)
}

// Append always returns [ErrReadOnly].
func (r *Reader) Append(context.Context, uint64, ...migrations.Event) (uint64, error) {
	return 0, fmt.Errorf("%s: %w", r.path, ErrReadOnly)
}

// Head verifies the file and returns the sequence number of its last event.
func (r *Reader) Head(ctx context.Context) (uint64, error) {
	file, err := os.Open(r.path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	seq := r.from.seq
	in, err := r.from.open(r.path, file, seq)
	if err != nil {
		return 0, err
	}
	for buf := []entry(nil); ; {
		buf, err = in.next(buf[:0])
		switch {
		case err == io.EOF || err == errTorn:
			return seq, nil
		case err != nil:
			return seq, err
		case ctx.Err() != nil:
			return seq, ctx.Err()
		}
		seq = buf[len(buf)-1].event.Seq
	}
}

// Follow yields the events after from, and looks for new ones from time to
// time. An append that is half written is waited for.
func (r *Reader) Follow(ctx context.Context, from uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		file, err := os.Open(r.path)
		if err != nil {
			yield(migrations.Event{}, err)
			return
		}
		defer file.Close()
		in, err := r.from.open(r.path, file, from)
		if err != nil {
			yield(migrations.Event{}, err)
			return
		}
		var buf []entry
		for {
			if err = ctx.Err(); err == nil {
				buf, err = in.next(buf[:0])
			}
			switch {
			case err == io.EOF || err == errTorn:
				if in, err = r.wait(ctx, file, in); err == nil {
					continue
				}
				fallthrough
			case err != nil:
				yield(migrations.Event{}, err)
				return
			}
			for _, e := range buf {
				if e.event.Seq > from && !yield(e.event, nil) {
					return
				}
			}
		}
	}
}

// wait waits until the file has changed its length, and returns what reads on
// behind the last whole append.
func (r *Reader) wait(ctx context.Context, file *os.File, in *lines) (*lines, error) {
	read, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return in, err
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return in, ctx.Err()
		case <-ticker.C:
		}
		info, err := file.Stat()
		switch {
		case err != nil:
			return in, err
		case info.Size() < in.end:
			return in, fmt.Errorf("%s: has become shorter than what was read", r.path)
		case info.Size() != read:
			if _, err := file.Seek(in.end, io.SeekStart); err != nil {
				return in, err
			}
			next := newLines(r.path, file)
			next.end, next.hash, next.line = in.end, in.hash, in.whole
			return next, nil
		}
	}
}
