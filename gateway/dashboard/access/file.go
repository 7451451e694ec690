package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A file keeps one JSON value for its owner only. The zero value keeps
// nothing. It is the seam at which gateways that share who comes in would
// meet: what is kept is small, read at the start and written whole.
type file struct{ path string }

// read fills v; without a file it leaves v as it is.
func (f file) read(v any) error {
	if f.path == "" {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: others can read or change who may come in (mode %04o); run: chmod 600 %s", f.path, info.Mode().Perm(), f.path)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w; restore it from a backup, or delete it", f.path, err)
	}
	return nil
}

// write replaces what is kept. If we crash, the file holds the old or the new
// value, and one of another name may be left over.
func (f file) write(v any) error {
	if f.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	next, err := os.CreateTemp(dir, "."+filepath.Base(f.path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }() // there is none any more if all goes well
	_, err = next.Write(append(text, '\n'))
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), f.path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
