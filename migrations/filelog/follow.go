package filelog

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/ficus-gateway/ficus/migrations"
)

// Follow yields the events after from, as they stand on disk; see
// [migrations.Log].
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		for {
			l.mu.Lock()
			d, changed, closed := l.onDisk, l.changed, l.closed
			l.mu.Unlock()
			err := ctx.Err()
			switch {
			case err != nil:
			case closed:
				err = migrations.ErrClosed
			case d.state.Seq > from:
				var more bool
				if more, err = l.yieldFrom(ctx, d, max(from+1, d.first), yield); !more {
					return
				}
				from = d.state.Seq
			default:
				select {
				case <-ctx.Done():
				case <-l.closing:
				case <-changed:
				}
			}
			if err != nil {
				if errors.Is(err, os.ErrClosed) {
					err = migrations.ErrClosed
				}
				yield(migrations.Event{}, err)
				return
			}
		}
	}
}

// yieldFrom yields the events of d from seq on, and says whether more are wanted.
func (l *Log) yieldFrom(ctx context.Context, d onDisk, seq uint64, yield func(migrations.Event, error) bool) (more bool, err error) {
	at := d.offsets[seq-d.first]
	hash, err := hashBefore(l.file, at)
	if err != nil {
		return true, err
	}
	in := newLines(l.path, section(l.file, at, d.length))
	in.line, in.end, in.hash = int(seq-d.first), at, hash
	var buf []entry
	for {
		// Following may begin inside of an append, whose rest is read like a whole.
		buf, err = in.next(buf[:0])
		switch {
		case err == io.EOF:
			return true, nil
		case err != nil:
			return true, err
		}
		for _, e := range buf {
			if err := ctx.Err(); err != nil {
				return true, err
			}
			if !yield(e.event, nil) {
				return false, nil
			}
		}
	}
}

// hashBefore returns the hash of the line that ends before an offset.
func hashBefore(file io.ReaderAt, at int64) (h migrations.Hash, err error) {
	if at == 0 {
		return h, nil
	}
	end := make([]byte, min(at, 128))
	if _, err := file.ReadAt(end, at-int64(len(end))); err != nil {
		return h, err
	}
	return migrations.LineHash(end[:len(end)-1])
}
