package routes

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A watchlist is what has to be followed so as not to miss a change of a config.
type watchlist struct {
	files []string // their content counts
	dirs  []string // all that exist and lead to a file; the names in them count
}

// newWatchlist lists the main file, the files and directories of the table that
// serves, and the files in which the problems are.
func newWatchlist(main string, t *Table, err error) watchlist {
	l := watchlist{files: append([]string{main}, t.Files...)}
	var ps Problems
	if errors.As(err, &ps) {
		for _, p := range ps {
			if p.At.File != "" {
				l.files = append(l.files, p.At.File)
			}
		}
	}
	slices.Sort(l.files)
	l.files = slices.Compact(l.files)
	for _, path := range l.files {
		l.dirs = append(l.dirs, dirsOf(path)...)
	}
	for _, d := range t.Dirs {
		l.dirs = append(l.dirs, dirsOf(filepath.Join(d, "*"))...)
	}
	slices.Sort(l.dirs)
	l.dirs = slices.Compact(l.dirs)
	return l
}

// dirsOf returns the directories in which something can happen that makes
// another file of a path: the directory of each symlink on the way (the
// "..data" of a ConfigMap, a whole directory that is swapped) and that of the
// file in the end. Where the way breaks off, it is the last one that exists.
func dirsOf(path string) []string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	var dirs []string
	at, todo := "/", strings.Split(abs, "/")
	for hops := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if name == "" || name == "." {
			continue
		}
		next := filepath.Join(at, name) // ".." is right: at is no symlink
		info, err := os.Lstat(next)
		if err != nil || len(todo) == 0 && info.Mode()&os.ModeSymlink == 0 {
			return append(dirs, at)
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		dirs = append(dirs, at)
		target, err := os.Readlink(next)
		if hops++; err != nil || hops > 40 {
			return dirs
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return dirs
}

// fingerprint changes with the content of the files and with the names in
// their directories. It costs less than reading a config, and spares doing so
// where the same directory holds files that are written all the time.
func (l watchlist) fingerprint() string {
	h := sha256.New()
	for _, path := range l.files {
		fmt.Fprintf(h, "file %q", path)
		if err := hashFile(h, path); err != nil {
			fmt.Fprintf(h, "error %q", err)
		}
	}
	for _, d := range l.dirs {
		fmt.Fprintf(h, "dir %q", d)
		entries, err := os.ReadDir(d)
		if err != nil {
			fmt.Fprintf(h, "error %q", err)
		}
		for _, e := range entries {
			fmt.Fprintf(h, "%q", e.Name())
		}
	}
	return string(h.Sum(nil))
}

func hashFile(w io.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // reading it might wait for ever
		_, err = fmt.Fprint(w, info.Mode())
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	const most = 64 << 20
	_, err = io.Copy(w, io.LimitReader(file, most))
	return err
}
