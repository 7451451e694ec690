package gateway

import (
	"testing"
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// What fails after a rollback because it was asked before, such as a request
// that hung, says nothing about the next attempt.
func TestAStreakEndsWithItsTest(t *testing.T) {
	before, after := &cell{test: 2, epoch: 2, share: 10_000}, &cell{test: 5, epoch: 5, share: 0}
	now := time.Now()
	c := count{name: "a"}
	fail := func(at *cell, n int) {
		for range n {
			now = now.Add(10 * time.Millisecond)
			c.lines = append(c.lines, line{cell: at, key: 1, at: now.UnixNano(), facts: served | onModern | placed | failed | healed})
		}
		c.add()
		c.lines = c.lines[:0]
	}
	fail(before, 30)
	if fault, s := c.all.Cells[""].Streaks.Judge(); fault != evidence.Blink || s.Healed != 30 {
		t.Fatalf("%q %+v", fault, s)
	}
	was := c.all.Clone()
	c.begin(after)
	fail(before, 30)
	if fault, s := c.all.Cells[""].Streaks.Judge(); fault != evidence.Sound {
		t.Errorf("the next test begins with %q %+v", fault, s)
	}
	if fault, s := evidence.Merge(was, c.all).Cells[""].Streaks.Judge(); fault != evidence.Sound { // whoever has not heard of it yet
		t.Errorf("merged with what was: %q %+v", fault, s)
	}
	fail(after, 5)
	if fault, s := c.all.Cells[""].Streaks.Judge(); fault != evidence.Blink || s.Healed != 5 {
		t.Errorf("a new streak is %q %+v", fault, s)
	}
}
