package filelog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// checkpointEvery is the least time between two checkpoints.
const checkpointEvery = time.Second

// A checkpoint is the state kept apart from the log that it was folded from.
type checkpoint struct {
	Seq   uint64           `json:"seq"`
	Hash  migrations.Hash  `json:"hash"` // of line Seq
	State migrations.State `json:"state"`
}

func checkpointPath(path string) string { return path + ".checkpoint" }

// readCheckpoint returns the checkpoint of the log at path, nil if there is none.
func readCheckpoint(path string) (*checkpoint, error) {
	text, err := os.ReadFile(checkpointPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", checkpointPath(path), err)
	}
	if c.Seq == 0 || c.Seq != c.State.Seq {
		return nil, fmt.Errorf("%s: not a checkpoint", checkpointPath(path))
	}
	return &c, nil
}

func (c checkpoint) write(path string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return replace(checkpointPath(path), append(text, '\n'))
}

// checkpoints writes the state to disk after commits, until Close. It is the
// only writer of the file. A checkpoint that fails is no more than an old one.
func (l *Log) checkpoints(last uint64) {
	defer close(l.checkpointed)
	for {
		l.mu.Lock()
		c, changed, closed := checkpoint{l.state.Seq, l.hash, l.state}, l.changed, l.flushed
		l.mu.Unlock()
		if c.Seq > last {
			if err := c.write(l.path); err == nil {
				last = c.Seq
			} else {
				l.logger.Warn("the state could not be kept beside the log", "file", checkpointPath(l.path), "error", err)
			}
		}
		if closed {
			return
		}
		<-changed
		select {
		case <-l.closing:
		case <-time.After(checkpointEvery):
		}
	}
}
