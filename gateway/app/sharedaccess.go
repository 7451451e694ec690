package app

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// A sharedAccess is what the gateways of an installation share of who comes in
// by their admin listeners, in Redis. It is an [access.Store].
type sharedAccess struct {
	client redis.UniversalClient
	key    func(thing string) string
}

func (s sharedAccess) name(of string) string { return s.key("access:" + of) }

// Get returns a value, nil if there is none.
func (s sharedAccess) Get(ctx context.Context, name string) ([]byte, error) {
	value, err := s.client.Get(ctx, s.name(name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return value, err
}

// Put sets a value, which goes away after life.
func (s sharedAccess) Put(ctx context.Context, name string, value []byte, life time.Duration) error {
	return s.client.Set(ctx, s.name(name), value, life).Err()
}

// Delete removes a value.
func (s sharedAccess) Delete(ctx context.Context, name string) error {
	return s.client.Del(ctx, s.name(name)).Err()
}

// Update replaces a value by what change makes of it, unless another gateway
// was faster; then it tries again.
func (s sharedAccess) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	for {
		err := s.client.Watch(ctx, func(tx *redis.Tx) error {
			old, err := tx.Get(ctx, s.name(name)).Bytes()
			if err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			now, err := change(old)
			if err != nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, s.name(name), now, 0)
				return nil
			})
			return err
		}, s.name(name))
		if !errors.Is(err, redis.TxFailedErr) || ctx.Err() != nil {
			return err
		}
	}
}
