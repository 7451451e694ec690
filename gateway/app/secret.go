package app

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ficus-gateway/ficus/flags"
)

// secret returns what cookies are signed with. Several gateways have one, which
// Redis keeps: of the first of them, which may have had it in a file before.
// Each has it in a file of its own, too, for the day on which Redis is down.
func (p *Process) secret(ctx context.Context, path string) ([]byte, error) {
	if p.shared == nil {
		return flags.LoadSecret(path)
	}
	return p.shared.secret(ctx, path)
}

func (s *shared) secret(ctx context.Context, path string) ([]byte, error) {
	_, err := os.Stat(path)
	here := err == nil
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		secret, err := s.agree(ctx, path)
		switch {
		case err == nil:
			return secret, nil
		case here:
			s.logger.Error("the secret that all gateways share cannot be read; using the one that was kept on this machine", "error", err)
			s.signs, err = flags.LoadSecret(path)
			return s.signs, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		s.logger.Error("waiting for Redis: the secret that all gateways share cannot be read, and none is kept on this machine", "error", err, "retry_in", wait)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// agree returns the secret that is in Redis, and puts it there if there is none.
func (s *shared) agree(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	theirs, err := s.client.Get(ctx, s.key("secret")).Bytes()
	if errors.Is(err, redis.Nil) {
		var ours []byte
		if ours, err = flags.LoadSecret(path); err == nil {
			theirs, err = s.share(ctx, ours)
		}
	}
	if err != nil {
		return nil, err
	}
	s.signs = theirs
	return theirs, flags.SaveSecret(path, theirs)
}

// share puts a secret into Redis if there is none, and returns the one that is
// there: ours, or that of a gateway that was faster.
func (s *shared) share(ctx context.Context, ours []byte) ([]byte, error) {
	if err := s.client.SetNX(ctx, s.key("secret"), ours, 0).Err(); err != nil {
		return nil, err
	}
	return s.client.Get(ctx, s.key("secret")).Bytes()
}
