package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Destination is a log that takes lines as they are, all or none, if it is
// empty, and returns the number of the last event.
type Destination interface {
	Import(ctx context.Context, lines iter.Seq2[[]byte, error]) (seq uint64, err error)
}

// Import verifies lines and makes them the log, which must be an empty
// [Destination]. After an error it is as empty as before.
func Import(ctx context.Context, r io.Reader, log migrations.Log) (Summary, error) {
	to, ok := log.(Destination)
	if !ok {
		return Summary{}, errors.New("import: this log takes no lines; a file log is begun by importing into its file")
	}
	check := newVerifier()
	if _, err := to.Import(ctx, verified(r, check)); err != nil {
		return check.summary(), fmt.Errorf("import: %w", err)
	}
	return check.summary(), nil
}

// ImportFile verifies lines and makes them the file of a file log, which must
// not exist or be empty. Whoever looks, after a crash too, finds all of them
// or none.
func ImportFile(r io.Reader, path string) (Summary, error) {
	fail := func(s Summary, err error) (Summary, error) { return s, fmt.Errorf("import: %w", err) }
	for name, what := range map[string]string{path: "there is a log already", path + ".checkpoint": "it belongs to another log"} {
		info, err := os.Stat(name)
		if err == nil && info.Size() > 0 {
			return fail(Summary{}, fmt.Errorf("%s: %s; move it away first", name, what))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail(Summary{}, err)
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".import-*") // for its owner only
	if err != nil {
		return fail(Summary{}, err)
	}
	defer os.Remove(temp.Name()) // after success there is nothing there
	check := newVerifier()
	out := bufio.NewWriter(temp)
	for line, err := range verified(r, check) {
		if err == nil {
			_, err = out.Write(append(line, '\n'))
		}
		if err != nil {
			temp.Close()
			return fail(check.summary(), err)
		}
	}
	err = errors.Join(out.Flush(), temp.Sync(), temp.Close())
	// If we crash here, a file with another name is left over.
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fail(check.summary(), err)
	}
	return check.summary(), nil
}

// verified yields lines as long as they are right, and an error if none are
// there or the last append is incomplete.
func verified(r io.Reader, check *verifier) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line, err := range lines(r) {
			if err == nil {
				err = check.add(line)
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
		err := check.end()
		if check.Events == 0 {
			err = errors.New("there are no lines")
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
