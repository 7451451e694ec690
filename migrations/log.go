package migrations

import (
	"context"
	"errors"
	"iter"
)

// ErrConflict is the error of an Append whose expectation does not hold: an
// event of the same migration, or of all, is newer. The caller reads on and
// decides again.
var ErrConflict = errors.New("the migration has moved on")

// ErrClosed is the error of a log after it has been closed.
var ErrClosed = errors.New("the log is closed")

// A Log keeps the events, the one truth that every gateway follows (law 1).
// The conformance suite in logtest holds every implementation to this text.
type Log interface {
	// Append adds events, all or none, and returns the sequence number of the
	// last. It sets their Seq, Time and More, and refuses what [Apply] refuses.
	// It returns ErrConflict if an event of a migration named by one of them,
	// or of [Every], is newer than after; an event of Every conflicts with any
	// newer event. [Admit] is that decision. A nil error means that the events
	// survive a crash, and that a Head or Follow begun from now on sees them;
	// after an ErrConflict it sees the newer event. If ctx ends while Append
	// waits for the storage, the events may be added nevertheless.
	Append(ctx context.Context, after uint64, events ...Event) (seq uint64, err error)

	// Follow yields the events after from, first those that exist, then new
	// ones as they come, until ctx ends or the log is closed; then it yields
	// one error, ctx.Err(), ErrClosed or another. After another error the
	// caller may follow again from the last event it got. Only events that
	// survive a crash are yielded. Several may follow at once. A log that began
	// with a Restored event yields that first to whoever asks for older ones.
	Follow(ctx context.Context, from uint64) iter.Seq2[Event, error]

	// Head returns the sequence number of the last event, 0 if there is none.
	// Follow yields all events up to it without waiting for new ones.
	Head(ctx context.Context) (seq uint64, err error)
}

// Unconditional is an after that conflicts with nothing: a rollback carries
// no expectation (law 6).
const Unconditional = ^uint64(0)
