package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// countsEvery is how often the counts are kept: what a crash may lose of them.
const countsEvery = 5 * time.Second

// recall takes up what the process before this one has counted, so that a step
// need not begin anew with every restart.
func (p *Process) recall(path string) {
	p.counted = path
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var all map[string]evidence.Counts
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		p.log.Warn("the counts of before can't be read; the tests under way begin anew", "file", path, "error", err)
		return
	}
	for id, c := range all {
		p.gateway.Restore(id, c)
	}
}

// remember keeps the counts until ctx ends, and then once more.
func (p *Process) remember(ctx context.Context) {
	ticker := time.NewTicker(countsEvery)
	defer ticker.Stop()
	var last string
	for {
		if err := p.keepCounts(&last); err != nil {
			p.log.Warn("the counts would not outlast a restart", "file", p.counted, "error", err)
		}
		select {
		case <-ctx.Done():
			if err := p.keepCounts(&last); err != nil {
				p.log.Warn("the counts do not outlast this process", "file", p.counted, "error", err)
			}
			return
		case <-ticker.C:
		}
	}
}

// keepCounts writes what has changed since last.
func (p *Process) keepCounts(last *string) error {
	all := make(map[string]evidence.Counts)
	for id := range p.source.Table().Plans {
		c := p.gateway.Evidence(id)
		c.At = time.Time{} // when they were read says nothing of them
		all[id] = c
	}
	text, err := json.Marshal(all)
	if err != nil || string(text) == *last {
		return err
	}
	*last = string(text)
	return writeDurably(p.counted, text)
}
