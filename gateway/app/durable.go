package app

import (
	"os"
	"path/filepath"
)

// writeDurably writes a file that only its owner may read, as a whole: whoever
// reads it, after a crash too, finds the old content or the new.
func writeDurably(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // nothing is there once it has been renamed
	if _, err = temp.Write(content); err == nil {
		err = temp.Sync()
	}
	if e := temp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// If we crash here, the old file stands.
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
