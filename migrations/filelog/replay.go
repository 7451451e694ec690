package filelog

import (
	"fmt"
	"io"
	"os"

	"github.com/ficus-gateway/ficus/migrations"
)

// A replay folds the file of a log, as far as it has been read.
type replay struct {
	onDisk
	path string
	file *os.File
	fold *migrations.Fold
}

func newReplay(path string, file *os.File) *replay {
	return &replay{path: path, file: file, fold: new(migrations.Fold)}
}

// of reports whether file is the one that has been read.
func (r *replay) of(file *os.File) bool {
	ours, err := r.file.Stat()
	if err != nil {
		return false
	}
	theirs, err := file.Stat()
	return err == nil && os.SameFile(ours, theirs) && theirs.Size() >= r.length
}

// on reads what has come since it was last called. It returns errTorn if there
// is less than a whole append at the end.
func (r *replay) on() error {
	in := newLines(r.path, io.NewSectionReader(r.file, r.length, 1<<62))
	in.line, in.whole, in.end, in.hash = len(r.offsets), len(r.offsets), r.length, r.hash
	var buf []entry
	for {
		var err error
		if buf, err = in.next(buf[:0]); err == io.EOF || err == errTorn {
			r.state, r.hash, r.length = r.fold.State(), in.hash, in.end
			if err == io.EOF {
				return nil
			}
			return err
		} else if err != nil {
			return err
		}
		for _, e := range buf {
			if err := r.fold.Apply(e.event); err != nil {
				return &corruptError{r.path, e.line, err}
			}
			r.add(e)
		}
	}
}

// after returns a reader of what follows what has been read.
func (d *onDisk) after(path string) *Reader {
	return &Reader{path: path, from: mark{seq: d.state.Seq, lines: len(d.offsets), end: d.length, hash: d.hash}}
}

// A mark is the end of a part of a file that was read and verified. The zero
// value is the beginning of the file.
type mark struct {
	seq   uint64 // of the last event; 0: none
	lines int
	end   int64
	hash  migrations.Hash
}

// open returns what reads on behind the mark, or all of the file if something
// before it is wanted.
func (m mark) open(path string, file *os.File, from uint64) (*lines, error) {
	if m.seq == 0 || from < m.seq {
		return newLines(path, file), nil
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < m.end {
		return nil, fmt.Errorf("%s: has become shorter than what was read", path)
	}
	if _, err := file.Seek(m.end, io.SeekStart); err != nil {
		return nil, err
	}
	in := newLines(path, file)
	in.line, in.whole, in.end, in.hash = m.lines, m.lines, m.end, m.hash
	return in, nil
}
