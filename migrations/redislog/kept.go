package redislog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Kept is what a gateway keeps on its own disk of a log in Redis: what it
// serves by when it starts and Redis is out of reach, and how it finds out
// that Redis has lost something.
type Kept struct {
	Log   string           `json:"log"`   // see [Log.String]; what was kept of another one is no use
	Seen  Tip              `json:"seen"`  // newest event seen, perhaps not applied yet
	State migrations.State `json:"state"` // as far as it was applied
}

// ReadKept reads what [Kept.Write] has written, nil if there is nothing.
func ReadKept(path string) (*Kept, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var k Kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if k.Log == "" {
		return nil, fmt.Errorf("%s: not a state that was kept of a log in Redis", path)
	}
	return &k, nil
}

// Write puts k into the place of what was kept before: whoever reads the file,
// after a crash too, finds one of the two. It returns when k is on disk.
func (k Kept) Write(path string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	// If we crash here, the old file stands and the next write overwrites temp.
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
