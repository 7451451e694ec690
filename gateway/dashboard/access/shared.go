package access

import (
	"context"
	"time"
)

// A Store is what several gateways share of who comes in: a few small values
// by name. It holds hashes, as the files do. A gateway goes on with what it
// knows while the store is away.
type Store interface {
	// Get returns a value, nil if there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put sets a value, which goes away after life.
	Put(ctx context.Context, name string, value []byte, life time.Duration) error
	// Delete removes a value.
	Delete(ctx context.Context, name string) error
	// Update replaces a value by what change makes of it, unless somebody else
	// has replaced it meanwhile; then change is called again.
	Update(ctx context.Context, name string, change func(old []byte) (now []byte, err error)) error
}

// How long the store may take for what a request waits for, and how old a
// gateway's own knowledge may be before it asks.
const (
	storePatience = 500 * time.Millisecond
	storeFresh    = 2 * time.Second
)

// briefly calls the store for a request.
func briefly(call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), storePatience)
	defer cancel()
	return call(ctx)
}
