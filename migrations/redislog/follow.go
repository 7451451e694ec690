package redislog

import (
	"context"
	"iter"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// Follow yields the events after from; see [migrations.Log]. A connection
// that breaks is replaced without a word if Redis is there again at once;
// otherwise the trouble is yielded, and the caller follows again.
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[migrations.Event, error] {
	return func(yield func(migrations.Event, error) bool) {
		f := &following{reader: l.from(from), behind: true}
		defer f.hangUp()
		for {
			entries, err := f.next(ctx)
			if over := l.over(ctx); over != nil {
				err = over
			}
			if err != nil {
				yield(migrations.Event{}, err)
				return
			}
			for _, e := range entries {
				if e.event.Seq <= from {
					continue
				}
				if err := l.over(ctx); err != nil {
					yield(migrations.Event{}, err)
					return
				}
				if !yield(e.event, nil) {
					return
				}
			}
		}
	}
}

// A following is a Follow under way.
type following struct {
	*reader
	wire   *wire  // its own; nil if there is none at the moment
	stop   func() // takes off what cuts the wire
	behind bool   // there may be more than what was read
	failed bool   // the last wait ended with an error
}

// next returns the next entries, or none if it is worth asking again.
func (f *following) next(ctx context.Context) ([]entry, error) {
	if f.behind {
		p, err := again(ctx, func() (page, error) {
			w, err := f.dial(ctx)
			if err != nil {
				return page{}, err
			}
			p, err := f.read(ctx, w, pageLength)
			if TroubleOf(err) != "" {
				f.hangUp()
			}
			return p, err
		})
		if err != nil {
			return nil, err
		}
		f.behind = p.full
		return p.entries, nil
	}
	entries, err := f.await(ctx, f.wire)
	f.behind = len(entries) == 0
	if err == nil {
		f.failed = false
		return entries, nil
	}
	f.hangUp()
	if !TroubleOf(err).Passes() {
		return nil, err
	}
	// That a connection broke is no news: reading tells whether Redis is in
	// trouble. A server that answers that and nothing else is not hurried.
	if f.failed {
		select {
		case <-ctx.Done():
		case <-f.log.life.Done():
		case <-time.After(firstWait):
		}
	}
	f.failed = true
	return nil, nil
}

// dial returns the wire, which the end of ctx or of the log cuts.
func (f *following) dial(ctx context.Context) (*wire, error) {
	if f.wire != nil {
		return f.wire, nil
	}
	w, err := f.log.newWire(blockFor + f.log.timeout)
	if err != nil {
		return nil, err
	}
	stopCtx, stopLife := context.AfterFunc(ctx, w.cut), context.AfterFunc(f.log.life, w.cut)
	f.wire, f.stop = w, func() { stopCtx(); stopLife() }
	return w, nil
}

func (f *following) hangUp() {
	if f.wire != nil {
		f.stop()
		f.wire.Close()
		f.wire = nil
	}
}
