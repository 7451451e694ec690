package app

import (
	"context"
	"sync"
)

// duties are what only one process at a time may do for an installation's state
// on this machine: decide, append, and write what lies beside the log. They end
// before another process takes over, and begin again if it does not.
type duties struct {
	end  context.CancelFunc // nil: they do not run
	work *sync.WaitGroup
}

// begin runs them until ctx ends, or stop is called.
func (d *duties) begin(ctx context.Context, all ...func(context.Context)) {
	ctx, d.end = context.WithCancel(ctx)
	d.work = new(sync.WaitGroup) // some of those before may still be at it
	for _, one := range all {
		d.work.Go(func() { one(ctx) })
	}
}

// stop ends them, and returns when they have written what they had to, or with
// an error when ctx ends before that.
func (d *duties) stop(ctx context.Context) error {
	if d.end == nil {
		return nil
	}
	d.end()
	done, work := make(chan struct{}), d.work
	go func() {
		defer close(done)
		work.Wait()
	}()
	select {
	case <-done:
		d.end = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
