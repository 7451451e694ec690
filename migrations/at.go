package migrations

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Latest returns the state at the head of a log.
func Latest(ctx context.Context, log Log) (State, error) {
	return foldUntil(ctx, log, func(Event) bool { return false }, nil)
}

// StateAt returns the state as it was at a moment, in log time: after the
// last event that is not younger.
func StateAt(ctx context.Context, log Log, until time.Time) (State, error) {
	return foldUntil(ctx, log, func(e Event) bool { return e.Time.After(until) },
		func(s State) bool { return !s.Time.After(until) })
}

// StateAtSeq returns the state as it was after event seq. It is an error if
// the log does not reach as far.
func StateAtSeq(ctx context.Context, log Log, seq uint64) (State, error) {
	s, err := foldUntil(ctx, log, func(e Event) bool { return e.Seq > seq },
		func(s State) bool { return s.Seq == seq })
	if err == nil && s.Seq < seq {
		return s, fmt.Errorf("there is no event %d yet; the last one is %d", seq, s.Seq)
	}
	return s, err
}

// foldUntil folds the events before the first that is too young. If that is
// the Restored event with which the log begins, the state it restores is the
// answer if early says so.
func foldUntil(ctx context.Context, log Log, young func(Event) bool, early func(State) bool) (State, error) {
	fold := new(Fold)
	for e, err := range existing(ctx, log) {
		if err != nil {
			return fold.State(), err
		}
		if young(e) {
			if e.Kind != Restored {
				break
			}
			if early(*e.State) {
				return *e.State, nil
			}
			return State{}, fmt.Errorf("the log begins with event %d at %s; what was before is not known", e.Seq, e.Time.Format(time.RFC3339))
		}
		if err := fold.Next(e); err != nil {
			return fold.State(), err
		}
	}
	return fold.State(), nil
}

// existing yields the events that a log has now.
func existing(ctx context.Context, log Log) func(yield func(Event, error) bool) {
	return func(yield func(Event, error) bool) {
		head, err := log.Head(ctx)
		if err != nil {
			yield(Event{}, err)
			return
		}
		if head == 0 {
			return
		}
		for e, err := range log.Follow(ctx, 0) {
			if !yield(e, err) || err != nil || e.Seq >= head {
				return
			}
		}
	}
}

// A Filter chooses events of a log. The zero value chooses all.
type Filter struct {
	Migration string    // its events, also those under former names, and those of [Every]
	Kinds     []Kind    // any of these
	Since     time.Time // not older, in log time
	Until     time.Time // not younger, in log time
}

func (f Filter) has(e Event) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(f.Since.IsZero() || !e.Time.Before(f.Since)) &&
		(f.Until.IsZero() || !e.Time.After(f.Until))
}

// History returns the events of a log that filter chooses, newest first, at
// most limit; all of them if limit is 0.
func History(ctx context.Context, log Log, filter Filter, limit int) ([]Event, error) {
	tails := make(map[string][]Event) // by migration, "" if all are wanted
	for e, err := range existing(ctx, log) {
		if err != nil {
			return nil, err
		}
		id := e.Migration
		if filter.Migration == "" {
			id = ""
		} else if e.Kind == Renamed {
			tails[id] = tails[e.From]
			delete(tails, e.From)
		}
		if !filter.has(e) {
			continue
		}
		tail := append(tails[id], e)
		if limit > 0 && len(tail) >= 2*limit {
			tail = slices.Clone(tail[len(tail)-limit:])
		}
		tails[id] = tail
	}
	found := tails[filter.Migration]
	if filter.Migration != "" && filter.Migration != Every {
		found = append(found, tails[Every]...)
	}
	slices.SortFunc(found, func(a, b Event) int {
		if a.Seq > b.Seq {
			return -1
		}
		return 1
	})
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found, nil
}
