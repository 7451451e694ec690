package redislog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/migrations"
)

// Lines yields the lines of all events that there are now, as they stand in
// the stream, without line feeds.
func (l *Log) Lines(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r := l.from(0)
		for full := true; full; {
			if err := l.over(ctx); err != nil {
				yield(nil, err)
				return
			}
			p, err := again(ctx, func() (page, error) { return r.read(ctx, l.client.get(), pageLength) })
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range p.entries {
				if !yield(e.line, nil) {
					return
				}
			}
			full = p.full
		}
	}
}

// How an import is kept until it is complete, and how much of it is sent at once.
const (
	importFor   = 10 * time.Minute
	importBatch = 500
	importBytes = 1 << 20
)

// Import makes lines the log, which must be empty: as they are, so that
// numbers, times and hashes stay. All of them or none.
func (l *Log) Import(ctx context.Context, lines iter.Seq2[[]byte, error]) (seq uint64, err error) {
	if err := l.take(ctx); err != nil {
		return 0, err
	}
	defer l.give()
	if _, err := l.catchUp(ctx, ""); err != nil {
		return 0, err
	}
	if at := l.reader.at.Seq; at != 0 {
		return 0, fmt.Errorf("%s: there is a log already, of %d events; an import needs an empty one", l, at)
	}
	in := &importing{log: l, id: newAppendID()}
	in.key = l.key("events:import:" + in.id)
	defer func() { l.client.get().Del(context.WithoutCancel(ctx), in.key) }() // after success there is nothing there
	fold := new(migrations.Fold)
	for line, err := range lines {
		if err != nil {
			return 0, err
		}
		e, h, err := migrations.DecodeLine(in.tip.Hash, line)
		if err == nil {
			err = fold.Apply(e)
		}
		if err != nil {
			return 0, fmt.Errorf("the line after event %d: %w", in.tip.Seq, err)
		}
		if err := in.add(ctx, Tip{e.Seq, h}, line, e.More == 0); err != nil {
			return 0, err
		}
	}
	if in.open {
		return 0, fmt.Errorf("the lines end inside of an append, at event %d", in.tip.Seq)
	}
	if in.tip.Seq == 0 {
		return 0, errors.New("there are no lines to import")
	}
	if err := in.flush(ctx); err != nil {
		return 0, err
	}
	if err := in.run(ctx, adoptScript, []string{in.key, l.stream}); err != nil {
		return 0, err
	}
	_, err = l.catchUp(ctx, "")
	return in.tip.Seq, err
}

// An importing is an import under way, into a stream of its own.
type importing struct {
	log    *Log
	key    string
	id     string
	tip    Tip  // of what was added
	sent   Tip  // of what Redis has
	open   bool // the last append is not whole
	args   []any
	length int
}

func (in *importing) add(ctx context.Context, tip Tip, line []byte, whole bool) error {
	in.args = append(in.args, entryID(tip.Seq), string(line))
	in.length += len(line)
	in.tip, in.open = tip, !whole
	if len(in.args) >= 2*importBatch || in.length >= importBytes {
		return in.flush(ctx)
	}
	return nil
}

func (in *importing) flush(ctx context.Context) error {
	if len(in.args) == 0 {
		return nil
	}
	head, hash := "", ""
	if in.sent.Seq != 0 {
		head, hash = entryID(in.sent.Seq), in.sent.Hash.String()
	}
	err := in.run(ctx, stageScript, []string{in.key}, append([]any{head, hash, "", in.id, importFor.Milliseconds()}, in.args...)...)
	in.sent, in.args, in.length = in.tip, in.args[:0], 0
	return err
}

func (in *importing) run(ctx context.Context, script *redis.Script, keys []string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, in.log.timeout)
	defer cancel()
	outcome, err := script.Run(ctx, in.log.client.get(), keys, args...).Text()
	if err == nil && outcome != "added" {
		err = fmt.Errorf("%s: somebody else has begun the log meanwhile; nothing was imported", in.log)
		return err
	}
	return in.log.trouble(err)
}
