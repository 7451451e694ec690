package redislog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// archiveFor is how long the events before a checkpoint are kept.
const archiveFor = 7 * 24 * time.Hour

// Checkpoint makes the log short: it begins again with one Restored event
// that has state, and the events before are put aside, where Redis forgets
// them after a week. Export them first if the history matters. It returns the
// number of the Restored event, which followers get like any other.
//
// Nothing is trimmed that state does not hold: it must be what the log folds
// to, to the last event. If an event is newer, the error is
// [migrations.ErrConflict].
func (l *Log) Checkpoint(ctx context.Context, state migrations.State) (uint64, error) {
	if err := l.take(ctx); err != nil {
		return 0, err
	}
	defer l.give()
	return l.add(ctx, func(now migrations.State, at time.Time) (draft, error) {
		switch {
		case now.Seq == 0:
			return draft{}, fmt.Errorf("%s: nothing to trim: the log is empty", l)
		case now.Seq > state.Seq:
			return draft{}, fmt.Errorf("%w: the checkpoint is of event %d, and event %d is the last", migrations.ErrConflict, state.Seq, now.Seq)
		}
		if same, err := sameState(now, state); err != nil || !same {
			return draft{}, fmt.Errorf("%s: nothing was trimmed: the checkpoint of event %d is not what the log says (%v)", l, state.Seq, err)
		}
		events, _, err := migrations.Admit(migrations.State{}, migrations.Unconditional, at, migrations.Event{
			Migration: migrations.Every,
			Kind:      migrations.Restored,
			State:     &state,
			Actor:     "ficus",
			Reason:    "the log was made short; it begins with the state of all events before",
		})
		return draft{
			script: restartScript, events: events, restart: true,
			archive: l.key(fmt.Sprintf("events:before:%d", state.Seq+1)),
		}, err
	})
}

// sameState compares two states as they are written.
func sameState(a, b migrations.State) (bool, error) {
	textA, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	textB, err := json.Marshal(b)
	return bytes.Equal(textA, textB), err
}
