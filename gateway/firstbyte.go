package gateway

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errNoFirstByte ends an attempt whose first byte takes too long.
var errNoFirstByte = errors.New("the service has not begun to answer in time")

// A firstByteTimer gives up an attempt that does not begin to answer within
// fallback.after, so that the monolith is asked. It runs only while that is
// possible: until there is a connection for every request, and from when the
// request has been sent to its end for those that may be sent again. In
// between, the client is waited for. It is used again with its record.
type firstByteTimer struct {
	timer *time.Timer
	limit time.Duration
	room  func() bool // whether the monolith may be asked; nil: always

	mu      sync.Mutex // guards what follows
	rec     *record    // nil: the attempt is over
	cancel  context.CancelCauseFunc
	again   bool // the request may be sent again when it has been sent
	ticking bool
	expired bool // the time has passed
	gaveUp  bool // and the attempt was given up
}

// begin starts the timer for an attempt, which cancel gives up.
func (t *firstByteTimer) begin(rec *record, limit time.Duration, again bool, cancel context.CancelCauseFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rec, t.limit, t.again, t.cancel = rec, limit, again, cancel
	t.ticking, t.expired, t.gaveUp = true, false, false
	if t.timer == nil {
		t.timer = time.AfterFunc(limit, t.pass)
	} else {
		t.timer.Reset(limit)
	}
}

// connected stops the timer where the client is waited for from now on, or the
// request may not be sent again once some of it is sent.
func (t *firstByteTimer) connected() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rec == nil || t.expired || !t.ticking || t.again && t.rec.outgoing.Body == nil {
		return
	}
	if t.ticking = false; !t.timer.Stop() {
		t.expire()
	}
}

// sent starts the timer again for a request that has been sent to its end. It
// is called by the goroutine that has read the request's body.
func (t *firstByteTimer) sent() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rec == nil || t.expired || !t.again || t.rec.outgoing.Body != nil && !t.rec.keptWhole() {
		return
	}
	if active := t.timer.Reset(t.limit); t.ticking && !active { // it has passed at this very moment
		t.expire()
		return
	}
	t.ticking = true
}

// pass is called by the timer.
func (t *firstByteTimer) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rec != nil && t.ticking && !t.expired {
		t.expire()
	}
}

// expire needs t.mu. Where there is no room for one more fallback, the service
// may take as long as it wants: the monolith would not be asked.
func (t *firstByteTimer) expire() {
	t.expired = true
	if t.room == nil || t.room() {
		t.gaveUp = true
		t.cancel(errNoFirstByte)
	}
}

// end ends the attempt. It reports whether it was given up, and whether the
// timer may be used again.
func (t *firstByteTimer) end() (gaveUp, reusable bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	reusable = !t.expired && (!t.ticking || t.timer.Stop())
	if t.expired {
		t.timer.Stop()
	}
	t.rec, t.cancel, t.ticking = nil, nil, false
	return t.gaveUp, reusable
}
