package gateway

import (
	"time"

	"github.com/ficus-gateway/ficus/migrations/evidence"
)

// An answered knows the keys that were answered in the present test of a cell,
// so that a first answer is told from those that follow.
type answered struct {
	test     uint64
	patience time.Duration         // of the cell, with failures that may be a restart
	harmed   evidence.Network      // of the last user who saw a failure that may be of a restart
	harmedAt time.Time             // when; zero: none did
	learn    time.Time             // when it is next looked what slow means
	keys     map[evidence.Key]bool // whether one was answered well
	before   map[evidence.Key]bool // likewise in the test before
}

// mostAnswered bounds the keys. Of those beyond it no answer is a first one.
const mostAnswered = 2 * evidence.Limit

// of returns the answered of a cell's test.
func (c *count) of(at *cell) *answered {
	a := c.answered[at.name]
	if a == nil || a.test < at.test {
		if c.answered == nil {
			c.answered = make(map[string]*answered)
		}
		next := &answered{test: at.test, keys: make(map[evidence.Key]bool)}
		if a != nil {
			next.before = a.keys
		}
		a = next
		c.answered[at.name] = a
	}
	a.patience = at.patience
	return a
}

// first notes an answer and reports whether it is the key's first.
func (a *answered) first(key evidence.Key, well bool) bool {
	before, known := a.keys[key]
	switch {
	case known && before:
		return false
	case !known && len(a.keys) >= mostAnswered:
		return false
	}
	if !known || well {
		a.keys[key] = well
	}
	return !known
}

// well reports whether the key was answered well in this test or the one before.
func (a *answered) well(key evidence.Key) bool { return a.keys[key] || a.before[key] }
