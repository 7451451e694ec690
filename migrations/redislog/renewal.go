package redislog

import (
	"sync"

	"github.com/redis/go-redis/v9"
)

// A renewal is a client that is replaced when it keeps failing. The client
// library stops trying after so many failed connections, and looks once a
// second whether it may go on; who has lost sight of the log must see it sooner.
type renewal struct {
	open func() (redis.UniversalClient, error)

	mu     sync.Mutex // guards the following
	client redis.UniversalClient
	failed int // in a row
	closed bool
}

// tired is the number of failures in a row after which a client is replaced:
// fewer than the library takes to stop, which is ten for each processor.
const tired = 5

func newRenewal(open func() (redis.UniversalClient, error)) (*renewal, error) {
	client, err := open()
	return &renewal{open: open, client: client}, err
}

// get returns the client of the moment.
func (r *renewal) get() redis.UniversalClient {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.client
}

// learn is told how each use has ended, and returns that.
func (r *renewal) learn(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := TroubleOf(err); t != Down && t != Slow {
		r.failed = 0
		return err
	}
	if r.failed++; r.failed < tired || r.closed {
		return err
	}
	if client, e := r.open(); e == nil {
		r.client.Close()
		r.client, r.failed = client, 0
	}
	return err
}

// close closes the client for good.
func (r *renewal) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.client.Close()
}
