package redislog

import (
	"context"
	"errors"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// errWhole ends an append of nothing.
var errWhole = errors.New("nothing is missing")

// Mend puts a log right that has lost what was seen of it ([ErrLost]): it
// takes what Redis has now for the log, and appends what makes up for the
// rest, as [migrations.Mend] decides. An empty one begins again with the state
// that was seen, and is frozen. seen is the state of who asks; where more was
// seen here, that counts. why says to people what has happened.
//
// Every gateway may do it at the same time: one is first, and the others find
// nothing that is missing, or only what that one had not seen. It returns the
// state, with which followers go on.
func (l *Log) Mend(ctx context.Context, seen migrations.State, why string) (migrations.State, error) {
	if err := l.take(ctx); err != nil {
		return seen, err
	}
	defer l.give()
	fold, reader, tip := l.fold, l.reader, l.seenTip()
	if fold.Seq() > seen.Seq {
		seen = fold.State()
	}
	l.see(Tip{})
	l.restart()
	var found uint64
	_, err := l.add(ctx, func(now migrations.State, at time.Time) (draft, error) {
		found = now.Seq
		events := migrations.Mend(seen, now, why)
		if now.Seq == 0 {
			events = begunAgain(seen, why)
		}
		if len(events) == 0 {
			return draft{}, errWhole
		}
		admitted, _, err := migrations.Admit(now, now.Seq, at, events...)
		return draft{script: appendScript, events: admitted}, err
	})
	if err != nil && !errors.Is(err, errWhole) {
		l.fold, l.reader = fold, reader
		l.see(tip)
		return seen, err
	}
	l.logger.Error("redis had lost events; the log goes on with what was known of them, and ramps are frozen until somebody has looked and thaws them",
		"log", l.String(), "seen", seen.Seq, "found", found, "head", l.reader.at.Seq, "why", why)
	return l.fold.State(), nil
}

// begunAgain are the first events of a log that was emptied.
func begunAgain(seen migrations.State, why string) []migrations.Event {
	events := []migrations.Event{{Migration: migrations.Every, Kind: migrations.Restored, State: &seen, Actor: "ficus", Reason: why}}
	if seen.Frozen == "" {
		events = append(events, migrations.Event{Migration: migrations.Every, Kind: migrations.Frozen, Actor: "ficus", Reason: why})
	}
	return events
}
