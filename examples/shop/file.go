package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A file keeps a store as JSON. Several processes may share one: each takes
// the lock to write, and reads anew what another has written.
type file struct {
	path string
	seen os.FileInfo // of what was read or written last
}

// lock waits for the right to write, which a lock beside the file gives, since
// the file itself is replaced at each write.
func (f *file) lock() (unlock func(), err error) {
	l, err := os.OpenFile(f.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX); err != nil {
		l.Close()
		return nil, fmt.Errorf("lock %s: %w", l.Name(), err)
	}
	return func() { l.Close() }, nil // closing unlocks
}

// read returns the data in the file, or nil if there is no file or nothing
// new in it.
func (f *file) read() (*data, error) {
	in, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if f.seen != nil && os.SameFile(info, f.seen) && info.ModTime().Equal(f.seen.ModTime()) {
		return nil, nil
	}
	d := new(data)
	if err := json.NewDecoder(in).Decode(d); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.path, err)
	}
	d.index()
	f.seen = info
	return d, nil
}

// write replaces the file. A crash leaves the old one or the new one; after an
// error the next read gives what is in the file.
func (f *file) write(d *data) error {
	f.seen = nil
	out, err := os.CreateTemp(filepath.Dir(f.path), filepath.Base(f.path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // fails once it is renamed
	err = json.NewEncoder(out).Encode(d)
	if err == nil {
		err = out.Sync()
	}
	info, statErr := out.Stat()
	if err = errors.Join(err, statErr, out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), f.path); err != nil {
		return err
	}
	f.seen = info
	return nil
}
