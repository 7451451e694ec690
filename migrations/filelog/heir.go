package filelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// An Heir follows a log that another process writes, and becomes its writer
// when that one has let go of it. It changes nothing on disk before that.
type Heir struct {
	path    string
	options Options
	read    *replay
}

// Inherit reads the log at path, which must exist, beside its writer.
func Inherit(path string, options Options) (*Heir, error) {
	options.fill()
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	h := &Heir{path, options, newReplay(path, file)}
	if err := h.follow(); err != nil {
		file.Close()
		return nil, err
	}
	return h, nil
}

// follow reads what was written since. An append that is under way is read later.
func (h *Heir) follow() error {
	if err := h.read.on(); err != nil && err != errTorn {
		return err
	}
	return nil
}

// State returns the state as far as it was read.
func (h *Heir) State() migrations.State { return h.read.state }

// Open waits until the writer has let go of the log, or ctx ends, and opens
// it. Little is left to do by then, however long the log is. After an error the
// heir may try again.
func (h *Heir) Open(ctx context.Context) (*Log, error) {
	for {
		locked, err := lock(h.path)
		if err == nil {
			return open(h.path, h.options, locked, h.read)
		}
		if !errors.Is(err, errInUse) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
		if err := h.follow(); err != nil {
			return nil, err
		}
	}
}

// Close gives up what was read. A log that was opened stays open.
func (h *Heir) Close() error { return h.read.file.Close() }
