package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"
)

// A File is a [Place] on this machine, for a log that one gateway has alone: it
// is always held.
type File struct {
	path  string
	write func(path string, text []byte) error

	mu   sync.Mutex // guards told, and the file
	told map[string]uint64
}

// OpenFile opens a place that is kept in a file, which need not be there yet.
// write must write a file so that it outlasts a crash.
func OpenFile(path string, write func(path string, text []byte) error) (*File, error) {
	f := &File{path: path, write: write, told: make(map[string]uint64)}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f.told)
	}
	if err != nil {
		return nil, fmt.Errorf("what hooks have been told: %w; remove %s, and they are told from now on", err, path)
	}
	return f, nil
}

// Hold returns how far a hook was told.
func (f *File) Hold(_ context.Context, hook string, begin uint64) (uint64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if told, ok := f.told[hook]; ok {
		return told, true, nil
	}
	return begin, true, f.keep(hook, begin)
}

// Told keeps how far a hook was told.
func (f *File) Told(_ context.Context, hook string, seq uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keep(hook, seq)
}

// Release does nothing: there is nobody else.
func (f *File) Release(context.Context, string) error { return nil }

// keep needs f.mu.
func (f *File) keep(hook string, seq uint64) error {
	next := maps.Clone(f.told)
	next[hook] = seq
	text, err := json.Marshal(next)
	if err == nil {
		err = f.write(f.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keeping what hooks have been told: %w", err)
	}
	f.told = next
	return nil
}
