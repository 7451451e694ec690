// Package logtest holds every kind of event log to the contract of
// [migrations.Log].
//
//	func TestConformance(t *testing.T) {
//		logtest.Run(t, func(t *testing.T) logtest.Open {
//			path := filepath.Join(t.TempDir(), "ficus.events")
//			return func(t *testing.T) (logtest.Log, error) {
//				return filelog.Open(path, filelog.Options{})
//			}
//		})
//	}
package logtest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Log can be closed and opened again.
type Log interface {
	migrations.Log
	io.Closer
}

// Open opens a log. Called again after a Close, it finds what was appended.
type Open func(t *testing.T) (Log, error)

// Run runs the suite. Every call of create prepares a place for events that
// is empty and stays so until the log in it is opened.
func Run(t *testing.T, create func(t *testing.T) Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, place)
	}{
		{"EmptyLogHasNoHead", testEmpty},
		{"AppendNumbersAndStampsEvents", testStamps},
		{"AppendIsAllOrNone", testAllOrNone},
		{"AppendRefusesWhatApplyRefuses", testRefusals},
		{"ConflictsArePerMigration", testConflicts},
		{"EveryMigrationConflictsWithAll", testEvery},
		{"RenameConflictsWithTheFormerName", testRenameConflict},
		{"ConflictShowsTheNewerEvent", testConflictVisible},
		{"UnconditionalConflictsWithNothing", testUnconditional},
		{"OneWinnerPerExpectation", testOneWinner},
		{"AppendAfterItsContextIsRefused", testDoneContext},
		{"FollowYieldsFromAnywhere", testFollowFrom},
		{"FollowYieldsWhatComes", testFollowNew},
		{"FollowEndsWithItsContext", testFollowContext},
		{"FollowersAgree", testFollowersAgree},
		{"LongEventsAreKept", testLongEvents},
		{"ReopenedLogHasTheSameEvents", testReopen},
		{"ClosedLogSaysSo", testClosed},
		{"ExpectationsHoldAfterReopening", testReopenConflict},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, place{t, create(t)}) })
	}
}

// A place is where the events of one test are kept.
type place struct {
	t      *testing.T
	openIt Open
}

// open opens the log until the end of the test.
func (p place) open() Log {
	p.t.Helper()
	log, err := p.openIt(p.t)
	if err != nil {
		p.t.Fatal("open:", err)
	}
	p.t.Cleanup(func() { log.Close() })
	return log
}

func created(id string) migrations.Event {
	return migrations.Event{Migration: id, Kind: migrations.Created, From: "monolith", To: id, Key: "cookie:uid", Plan: "0123456789abcdef", Actor: "ficus"}
}

// live returns the event that gives a migration's service a number of buckets.
func live(id string, buckets int) migrations.Event {
	split, err := migrations.NewSplit(migrations.Share{Stage: migrations.Live, Buckets: buckets})
	if err != nil {
		panic(err)
	}
	return migrations.Event{Migration: id, Kind: migrations.Shifted, Split: split, Actor: "alice", Reason: "the dashboards are <green> & \"quiet\"; naïve, 日本"}
}

// mustAppend appends what nothing conflicts with.
func mustAppend(t *testing.T, log Log, events ...migrations.Event) uint64 {
	t.Helper()
	seq, err := log.Append(t.Context(), migrations.Unconditional, events...)
	if err != nil {
		t.Fatal("append:", err)
	}
	return seq
}

func head(t *testing.T, log Log) uint64 {
	t.Helper()
	seq, err := log.Head(t.Context())
	if err != nil {
		t.Fatal("head:", err)
	}
	return seq
}

// read returns the n events after from.
func read(t *testing.T, log Log, from uint64, n int) []migrations.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var events []migrations.Event
	if n == 0 {
		return events
	}
	for e, err := range log.Follow(ctx, from) {
		if err != nil {
			t.Fatalf("follow from %d: %v, after %d of %d events", from, err, len(events), n)
		}
		if events = append(events, e); len(events) == n {
			return events
		}
	}
	t.Fatalf("follow from %d ended without an error after %d of %d events", from, len(events), n)
	return nil
}
