package migrations

import (
	"errors"
	"fmt"
	"time"
)

// Admit decides what an Append of events would do to a log whose fold is s:
// it returns the events as they would be written, with Seq, Time and More
// set, and the state after them; or the error that refuses all of them. It is
// the whole of law 5, and pure: every log calls it, under its own lock.
//
// now is the storage's clock; the time of an event is never before that of
// the one before it. A Restored event, which only an empty log admits, is
// numbered after the state that it restores.
func Admit(s State, after uint64, now time.Time, events ...Event) ([]Event, State, error) {
	if len(events) == 0 {
		return nil, s, errors.New("nothing to append")
	}
	if after != Unconditional {
		for _, e := range events {
			newest := s.LastSeq(e.Migration)
			if e.Kind == Renamed {
				newest = max(newest, s.LastSeq(e.From))
			}
			if newest > after {
				return nil, s, fmt.Errorf("%w: event %d concerns %q, and %d was expected to be the last", ErrConflict, newest, e.Migration, after)
			}
		}
	}
	now = now.UTC().Truncate(time.Microsecond) // also takes the monotonic reading off
	admitted := make([]Event, len(events))
	next := s
	for i, e := range events {
		e.Seq, e.Time, e.More = next.Seq+1, now, len(events)-1-i
		if e.Kind == Restored && e.State != nil {
			e.Seq = e.State.Seq + 1
			if now.Before(e.State.Time) {
				e.Time = e.State.Time
			}
		}
		if e.Time.Before(next.Time) {
			e.Time = next.Time
		}
		var err error
		if next, err = Apply(next, e); err != nil {
			return nil, s, err
		}
		admitted[i] = e
	}
	return admitted, next, nil
}
