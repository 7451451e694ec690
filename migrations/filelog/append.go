package filelog

import (
	"context"
	"errors"
	"fmt"

	"github.com/ficus-gateway/ficus/migrations"
)

// A batch is what one fsync makes durable: the lines of one or more appends.
type batch struct {
	text    []byte
	entries []entry // with offsets from the beginning of text
	tip     tip     // of the log after them
	done    chan struct{}
	err     error // set before done is closed
}

// Append adds events; see [migrations.Log].
func (l *Log) Append(ctx context.Context, after uint64, events ...migrations.Event) (uint64, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b, seq, err := l.stage(after, events)
		if b == nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%s: the disk does not answer, so the events may or may not be kept: %w", l.path, ctx.Err())
		case <-b.done:
		}
		if err == nil {
			return seq, b.err
		}
	}
}

// stage puts events into the pending batch. A refusal comes with the batch
// that it rests on, if that is not on disk yet: should the disk refuse it, the
// refusal does not hold.
func (l *Log) stage(after uint64, events []migrations.Event) (*batch, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, 0, migrations.ErrClosed
	}
	if l.broken != nil {
		return nil, 0, l.broken
	}
	now := l.now()
	admitted, state, err := migrations.Admit(l.staged.state, after, now, events...)
	if err != nil {
		if _, _, stands := migrations.Admit(l.state, after, now, events...); stands != nil {
			return nil, 0, err
		}
		if l.pending != nil {
			return l.pending, 0, err
		}
		return l.flying, 0, err
	}
	var text []byte
	var entries []entry
	hash := l.staged.hash
	for _, e := range admitted {
		line, h, err := migrations.EncodeLine(hash, e)
		if err != nil {
			return nil, 0, err
		}
		if len(line) >= maxLine {
			return nil, 0, fmt.Errorf("event %d: a line of %d bytes is longer than %d MiB", e.Seq, len(line), maxLine>>20)
		}
		entries = append(entries, entry{event: e, offset: int64(len(text))})
		text, hash = append(append(text, line...), '\n'), h
	}
	if l.pending == nil {
		l.pending = &batch{done: make(chan struct{})}
		l.kick <- struct{}{}
	}
	b := l.pending
	for _, e := range entries {
		e.offset += int64(len(b.text))
		b.entries = append(b.entries, e)
	}
	b.text = append(b.text, text...)
	b.tip = tip{state, hash}
	l.staged = b.tip
	return b, state.Seq, nil
}

// commits writes one pending batch after the other until Close. It is the
// only writer of the file.
func (l *Log) commits() {
	defer close(l.committed)
	for range l.kick {
		l.mu.Lock()
		b, at := l.pending, l.length
		l.pending, l.flying = nil, b
		l.mu.Unlock()

		broken, err := l.write(b.text, at)

		settled := []*batch{b}
		l.mu.Lock()
		l.flying = nil
		if err == nil {
			for _, e := range b.entries {
				e.offset += at
				l.add(e)
			}
			l.tip, l.length = b.tip, at+int64(len(b.text))
			close(l.changed)
			l.changed = make(chan struct{})
		} else {
			if l.pending != nil { // was numbered after what is lost
				settled = append(settled, l.pending)
				l.pending = nil
				<-l.kick // its token
			}
			l.staged, l.broken = l.tip, broken
		}
		l.mu.Unlock()
		for _, b := range settled {
			b.err = err
			close(b.done)
		}
	}
}

// write makes text durable at the end of the file. After an error the file is
// what it was; if that fails too, broken says why nothing can be appended.
func (l *Log) write(text []byte, at int64) (broken, err error) {
	_, err = l.file.WriteAt(text, at)
	// If we crash here, a part of text may be on disk, and nobody was told that
	// any is: the next start moves an incomplete append aside.
	if err == nil {
		err = l.file.Sync()
	}
	// If we crash here, text is on disk, and nobody was told: it stays.
	if err == nil {
		return nil, nil
	}
	err = fmt.Errorf("the events were not kept: %w", err)
	l.logger.Error("the event log cannot be written", "file", l.path, "error", err)
	// An error of fsync says nothing about later ones, so the bytes must go:
	// they may be in memory only, and would seem to be kept.
	undo := l.file.Truncate(at)
	if undo == nil {
		undo = l.file.Sync()
	}
	if undo == nil {
		return nil, err
	}
	broken = fmt.Errorf("%s: read-only, since a failed write could not be undone: %w; make room or replace the disk, and restart", l.path, errors.Join(err, undo))
	l.logger.Error("the event log is read-only until a restart", "file", l.path, "error", undo)
	return broken, broken
}
