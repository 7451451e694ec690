package gateway

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// A candidate that fails speaks against the service in shadow. Beside people on
// the service it does not: their errors are held against the monolith's.
func TestAFailingCandidateIsNoMismatchBesideErrors(t *testing.T) {
	for _, share := range []int{0, 10_000} {
		at := &cell{test: 2, epoch: 2, share: share}
		c := count{name: "a"}
		for i, outcome := range []compare.Outcome{compare.Failed, compare.TimedOut, compare.Mismatch, compare.Match} {
			c.lines = append(c.lines, line{cell: at, key: evidence.Key(i + 1), at: int64(i), facts: compared, outcome: outcome})
		}
		c.add()
		want := evidence.Sides{1, 3}
		if share > 0 {
			want = evidence.Sides{1, 1}
		}
		if got := c.all.Cells[""].Bad[evidence.Mismatches].Total(); got != want {
			t.Errorf("at %d live: %v, want %v", share, got, want)
		}
		if o := c.all.Cells[""].Observed; o.Rate() != 0.75 || !o.AddUp() {
			t.Errorf("at %d live: %+v", share, o)
		}
	}
}

// What fails after a rollback because it was asked before, such as a request
// that hung, says nothing about the next attempt.
func TestAStreakEndsWithItsTest(t *testing.T) {
	before, after := &cell{test: 2, epoch: 2, share: 10_000}, &cell{test: 5, epoch: 5, share: 0}
	now := time.Now()
	c := count{name: "a"}
	fail := func(at *cell, n int) {
		for range n {
			now = now.Add(10 * time.Millisecond)
			c.lines = append(c.lines, line{cell: at, key: 1, at: now.UnixNano(), facts: served | onModern | placed | failed | healed, class: evidence.ClassFailed})
		}
		c.add()
		c.lines = c.lines[:0]
	}
	fail(before, 30)
	if fault, s := c.all.Cells[""].Streaks.Judge(time.Second, false); fault != evidence.Blink || s.Healed != 30 {
		t.Fatalf("%q %+v", fault, s)
	}
	was := c.all.Clone()
	c.begin(after, now)
	fail(before, 30)
	if fault, s := c.all.Cells[""].Streaks.Judge(time.Second, false); fault != evidence.Sound {
		t.Errorf("the next test begins with %q %+v", fault, s)
	}
	if fault, s := evidence.Merge(was, c.all).Cells[""].Streaks.Judge(time.Second, false); fault != evidence.Sound { // whoever has not heard of it yet
		t.Errorf("merged with what was: %q %+v", fault, s)
	}
	fail(after, 5)
	if fault, s := c.all.Cells[""].Streaks.Judge(time.Second, false); fault != evidence.Blink || s.Healed != 5 {
		t.Errorf("a new streak is %q %+v", fault, s)
	}
}

// What a step has shown stands when its test is full and another one begins,
// and is gone with the step.
func TestAStepKeepsWhatItHasShownThroughFullTests(t *testing.T) {
	c := count{name: "a"}
	serve := func(at *cell) *evidence.Cell {
		for key := range evidence.Key(100) {
			c.lines = append(c.lines,
				line{cell: at, key: key + 1, at: int64(key), facts: served | onModern | placed},
				line{cell: at, key: key + 1, at: int64(key), facts: compared, outcome: compare.Match})
		}
		c.lines = append(c.lines, line{cell: at, key: 1, at: 100, facts: served | onModern | placed | failed | harmed, class: evidence.ClassFailed})
		c.add()
		c.lines = c.lines[:0]
		return c.all.Cells[""].Clone()
	}
	for i, at := range []*cell{
		{test: 2, epoch: 2, share: 10_000, began: 7},
		{test: 5, epoch: 5, share: 10_000, began: 7},
		{test: 6, epoch: 6, share: 10_000, began: 7},
		{test: 9, epoch: 9, share: 20_000, began: 8},
	} {
		times := uint64(i%3 + 1)
		got := serve(at)
		if got.Clean() != times*100 || got.Observed.Match != times*100 || !got.Observed.AddUp() || got.Harm != times {
			t.Errorf("in test %d of the step: %d clean, %+v, harm %d", times, got.Clean(), got.Observed, got.Harm)
		}
		if n := got.Bad[evidence.Mismatches].Len(); n != 100 || got.Bad[evidence.Errors].Len() != 1 || got.Requests().Sum() != 101 {
			t.Errorf("the test has %d people, %+v", n, got.Epochs)
		}
	}
}
