package filelog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ficus-gateway/ficus/migrations"
)

// load opens the file, or begins one, and reads all of it, or what an heir has
// not read yet. It returns the last event that the checkpoint has seen. Nothing
// is changed on disk before everything has been found right.
func (l *Log) load(ahead *replay) (kept uint64, err error) {
	point, pointErr := readCheckpoint(l.path)
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := l.begin(point, pointErr); err != nil {
			return 0, err
		}
		file, err = os.OpenFile(l.path, os.O_RDWR, 0)
	}
	if err != nil {
		return 0, err
	}
	if pointErr != nil {
		l.logger.Warn("the state kept beside the log cannot be read; a new one will be written", "error", pointErr)
	}
	if point != nil {
		kept = point.Seq
	}
	l.file = file
	if ahead == nil || !ahead.of(file) {
		ahead = newReplay(l.path, file)
	}
	if err := l.replay(ahead, file, point); err != nil {
		file.Close()
		return 0, err
	}
	return kept, nil
}

// begin makes the file: empty, or if there is a checkpoint of a log that is no
// more, with its state.
func (l *Log) begin(point *checkpoint, pointErr error) error {
	if pointErr != nil {
		return fmt.Errorf("%s: missing, and the state kept beside it cannot be read: %w; restore the file from a backup, or remove the checkpoint to begin with every migration at off", l.path, pointErr)
	}
	if point == nil {
		if err := writeSynced(l.path, os.O_EXCL, nil); err != nil {
			return err
		}
		// If we crash here, the file may or may not be there; empty, it is the
		// same as none.
		return syncDir(l.path)
	}
	events, _, err := migrations.Admit(migrations.State{}, migrations.Unconditional, l.now(), migrations.Event{
		Migration: migrations.Every,
		Kind:      migrations.Restored,
		State:     &point.State,
		Actor:     "ficus",
		Reason:    "the log was missing; it begins again with the state that was kept beside it",
	})
	if err != nil {
		return fmt.Errorf("%s: missing, and the state kept beside it does not do: %w; restore the file from a backup", l.path, err)
	}
	line, _, err := migrations.EncodeLine(migrations.Hash{}, events[0])
	if err != nil {
		return err
	}
	l.logger.Error("the event log is missing; beginning a new one with the state that was kept beside it; its history is lost unless the file is restored from a backup",
		"file", l.path, "checkpoint", checkpointPath(l.path), "event", point.Seq, "migrations", len(point.State.Migrations))
	// An empty file beside a checkpoint would say that the log was cut short, so
	// the file appears with its first line or not at all.
	return replace(l.path, append(line, '\n'))
}

// replay reads the file to its end, compares it with the checkpoint, and only
// then takes off what a crash left at its end.
func (l *Log) replay(r *replay, file *os.File, point *checkpoint) error {
	err := r.on()
	if err != nil && err != errTorn {
		return err
	}
	l.onDisk = r.onDisk
	if point != nil && l.state.Seq < point.Seq {
		return fmt.Errorf("%s: ends at event %d, but %s has seen event %d: the file was cut short; restore it from a backup, or move it away to begin again with the state that was kept",
			l.path, l.state.Seq, checkpointPath(l.path), point.Seq)
	}
	if point != nil && point.Seq >= l.first {
		line := int(point.Seq - l.first)
		hash, err := hashBefore(file, l.endOf(line))
		if err != nil {
			return err
		}
		if hash != point.Hash {
			return fmt.Errorf("%s:%d: %s belongs to a log with another event %d: one of the two was replaced; restore the right pair from a backup, or remove the one that is wrong",
				l.path, line+1, checkpointPath(l.path), point.Seq)
		}
	}
	if err == errTorn {
		return l.mend(file)
	}
	return nil
}

// mend moves what follows the last whole append into the .torn file.
func (l *Log) mend(file *os.File) error {
	rest, err := io.ReadAll(io.NewSectionReader(file, l.length, 1<<62))
	if err != nil {
		return err
	}
	torn := l.path + ".torn"
	l.logger.Warn("the last lines of the event log were only half written, as a crash leaves them; nobody was told that they were kept; moving them aside",
		"file", l.path, "line", len(l.offsets)+1, "bytes", len(rest), "to", torn)
	if err := writeSynced(torn, os.O_APPEND, append(rest, '\n')); err != nil {
		return err
	}
	// If we crash here, the next start moves the same bytes once more.
	if err := file.Truncate(l.length); err != nil {
		return err
	}
	// If we crash here, the file may have its old length: the same again.
	return file.Sync()
}
