package filelog

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A disk is the open file of a log: an *os.File, or one that fails as real
// disks do.
type disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// replace writes a file as a whole: whoever reads it, after a crash too, finds
// the old content or the new, never a part.
func replace(path string, content []byte) error {
	temp := path + ".new"
	if err := writeSynced(temp, os.O_TRUNC, content); err != nil {
		return err
	}
	// If we crash here, the old file stands and the next replace overwrites temp.
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	// If we crash here, either file may stand; after the next line, the new one.
	return syncDir(path)
}

// writeSynced writes content to a file, which flag truncates or appends to,
// and waits until it is on disk. The directory entry may not be.
func writeSynced(path string, flag int, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// syncDir makes the entry of path in its directory survive a crash.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("%s: %w", dir.Name(), err)
	}
	return nil
}
