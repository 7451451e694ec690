package shadow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
)

const (
	// maxStore bounds the file that keeps what is known, in bytes. What is
	// larger is kept without the examples that were drawn at random.
	maxStore = 32 << 20
	// maxSpill bounds each of the two files of findings that had to go.
	maxSpill = 8 << 20
)

// kept is the file that keeps what is known between two runs. Values in it are
// masked already, and keys are marks.
type kept struct {
	Version    int                  `json:"version"`
	Migrations map[string]keptStudy `json:"migrations"`
}

type keptStudy struct {
	Noise    *compare.Noise    `json:"noise"`
	Findings *compare.Findings `json:"findings"`
	Accepted []compare.Rule    `json:"accepted,omitempty"`
}

// Load reads what Save has written; migrations that are watched later begin
// with it. A file that is not there is no error; one that can't be read is,
// and nothing is lost by going on without it but what was learned.
func (s *Shadow) Load(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was found: %w", err)
	}
	defer f.Close()
	var k kept
	if err := json.NewDecoder(io.LimitReader(f, 2*maxStore)).Decode(&k); err != nil {
		return fmt.Errorf("read what was found in %s: %w", path, err)
	}
	if k.Version != 1 {
		return fmt.Errorf("read what was found in %s: it is of version %d, which this program does not know", path, k.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = k.Migrations
	return nil
}

// Save writes what is known, if anything has changed: to a file beside path
// first, which then takes its place. Findings that had to go are appended to
// path.spilled, of which one older file is kept.
func (s *Shadow) Save(path string) error {
	k := kept{Version: 1, Migrations: make(map[string]keptStudy)}
	changed := false
	var gone []*compare.Finding
	var text []byte
	var err error
	s.Each(func(w *Watch) {
		w.judge.mu.Lock()
		defer w.judge.mu.Unlock()
		changed = changed || w.judge.changed
		w.judge.changed = false
		gone = append(gone, w.judge.evicted...)
		w.judge.evicted = nil
		var one []byte
		if one, err = marshal(&w.judge); err == nil {
			k.Migrations[w.id], err = unmarshal(one)
		}
	})
	if err != nil || !changed {
		return err
	}
	if text, err = json.Marshal(k); err != nil {
		return err
	}
	if len(text) > maxStore {
		for _, study := range k.Migrations {
			study.Findings.Thin()
		}
		if text, err = json.Marshal(k); err != nil {
			return err
		}
	}
	if err := spill(path+".spilled", gone); err != nil {
		return err
	}
	return replace(path, text)
}

// marshal and unmarshal take a copy of a study, so that it is written without
// holding its lock. Which requests show a finding is written with it: the
// requests themselves are not.
func marshal(j *judge) ([]byte, error) {
	j.study.Explain()
	return json.Marshal(keptStudy{j.study.Noise, j.study.Findings, j.accepted})
}

func unmarshal(text []byte) (k keptStudy, err error) {
	k = keptStudy{Noise: compare.NewNoise(compare.NoiseOptions{}), Findings: compare.NewFindings(compare.FindingsOptions{})}
	return k, json.Unmarshal(text, &k)
}

// spill appends findings, one JSON object per line.
func spill(path string, gone []*compare.Finding) error {
	if len(gone) == 0 {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxSpill {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	for _, g := range gone {
		if err := enc.Encode(g); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

// replace writes a file that is there whole or not at all. What is known can
// be learned again, so it is not synced to disk.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

const sweepEvery = 10 * time.Minute

// Keep saves to path every so often and sweeps what is over, until ctx ends or
// the shadow is closed; the caller saves once more after that.
func (s *Shadow) Keep(ctx context.Context, path string, every, retention time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	swept := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ctx.Done():
			return
		case now := <-t.C:
			if now.Sub(swept) > sweepEvery {
				swept = now
				s.Each(func(w *Watch) { w.Sweep(now, retention) })
			}
			if err := s.Save(path); err != nil {
				s.log.Error("what the comparison has found could not be saved; it is in memory only", "error", err)
			}
		}
	}
}
