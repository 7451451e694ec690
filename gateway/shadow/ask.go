package shadow

import (
	"context"
	"errors"
	"io"
	"runtime"
	"time"
)

// ErrNoRehearsal is wrapped by the error of a [Send] that did not send a write
// because the side has not acknowledged that it treats it as it must.
var ErrNoRehearsal = errors.New("the side has not acknowledged that it rehearses")

// errStream is the error of an answer that turned out to be a stream.
var errStream = errors.New("the answer is a stream")

// ask puts a question and keeps the answer. Of a body much longer than the
// control's no more is read than shows that.
func (s *Shadow) ask(send Send, q *Question, control int64, limit time.Duration, a *Answer) error {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	start := time.Now()
	r, err := send(ctx, q)
	if err != nil {
		return failure(ctx, err)
	}
	defer r.Close()
	runtime.Gosched()
	a.Status, a.Header, a.From, a.Trace = r.Status, r.Header, r.From, traceOf(r.Trace)
	if isStream(r.Header) {
		return errStream
	}
	a.Body.Init(s.budget, r.Length)
	// One byte more than both the cap and the control's length shows the difference.
	_, err = io.Copy(&a.Body, io.LimitReader(r.Body, max(control, Cap)+1))
	a.Took = time.Since(start)
	if err != nil {
		return failure(ctx, err)
	}
	return nil
}

// errTimeout marks a failure as one of time.
var errTimeout = errors.New("no whole answer in time")

func failure(ctx context.Context, err error) error {
	var t interface{ Timeout() bool }
	if ctx.Err() == context.DeadlineExceeded || errors.As(err, &t) && t.Timeout() {
		return errors.Join(errTimeout, err)
	}
	return err
}
