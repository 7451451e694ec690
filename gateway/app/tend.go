package app

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// longLog is the number of events beyond which a log in Redis is made short.
const longLog = 20_000

// tend looks after what is shared, once a minute, until ctx ends.
func (s *shared) tend(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.keepSecret(ctx)
		s.trim(ctx, longLog)
	}
}

// keepSecret puts the secret back into a Redis that has lost it.
func (s *shared) keepSecret(ctx context.Context) {
	if len(s.signs) == 0 {
		return // the config has it
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	theirs, err := s.share(ctx, s.signs)
	if err == nil && !bytes.Equal(theirs, s.signs) {
		s.logger.Error("another gateway signs with another secret: Redis had lost it, and a new gateway made one; restart this one, or set secret: in the config of all")
	}
}

// trim makes the log short if it has more events than limit. Every gateway
// tries, and one does it.
func (s *shared) trim(ctx context.Context, limit int64) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	n, err := s.client.XLen(ctx, s.key("events")).Result()
	if err != nil || n <= limit {
		return
	}
	seq, err := s.log.Checkpoint(ctx, s.state())
	switch {
	case err == nil:
		s.logger.Info("the event log was made short; what was before is kept in Redis for a week", "events", n, "begins_with", seq)
	case !errors.Is(err, migrations.ErrConflict):
		s.logger.Warn("the event log could not be made short", "events", n, "error", err)
	}
}
