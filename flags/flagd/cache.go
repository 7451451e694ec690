package flagd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ficus-gateway/ficus/routes"
)

// A cache keeps the last good definition in a file. Its zero value keeps none.
type cache struct {
	path string
	hash string // of what the file has; empty: not known
}

// load returns what is kept.
func (c *cache) load(most int64) ([]byte, error) {
	if c.path == "" {
		return nil, errors.New("nothing is kept")
	}
	return readFile(c.path, most)
}

// keep replaces what is kept, or nothing: the file has the one or the other
// after a crash. It returns a warning if that fails, and tries again next time.
func (c *cache) keep(hash string, data []byte) *routes.Problem {
	if c.path == "" || hash == c.hash {
		return nil
	}
	if err := replaceFile(c.path, data); err != nil {
		return &routes.Problem{At: routes.Position{File: c.path}, Text: "the last good definition cannot be kept: " + err.Error(), Hint: "make the directory writable"}
	}
	c.hash = hash
	return nil
}

// replaceFile writes a file beside another, and puts it in its place.
func replaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name()) // what matters is why
		}
	}()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync() // or a crash after the rename leaves it empty
	}
	if e := temp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// readFile reads a regular file of at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // reading it might wait for ever
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, most, path)
}

// readAll reads at most so many bytes, and refuses more.
func readAll(r io.Reader, most int64, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes; split the flags over several sources, or raise the bound", name, most)
	}
	return data, err
}
