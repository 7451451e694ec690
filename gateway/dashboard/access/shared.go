package access

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
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

// value names a session in the store.
func (h hash) value() string { return "session:" + hex.EncodeToString(h[:]) }

// ask takes over what the store knows of a session, if that may be news: it
// may have been opened or ended at another gateway. While the store is away,
// what this one knows stands.
func (s *sessions) ask(h hash) {
	if s.store == nil {
		return
	}
	now := s.now()
	s.mu.Lock()
	ours, known := s.open[h]
	skip := s.ended[h] || known && now.Sub(ours.asked) < storeFresh
	s.mu.Unlock()
	if skip {
		return
	}
	var text []byte
	err := briefly(func(ctx context.Context) (err error) {
		text, err = s.store.Get(ctx, h.value())
		return err
	})
	var theirs session
	if err == nil && text != nil {
		err = json.Unmarshal(text, &theirs)
	}
	s.mu.Lock()
	ours, known = s.open[h]
	switch {
	case err != nil:
	case text == nil && known && !ours.unsent: // ended elsewhere
		delete(s.open, h)
		s.dirty, known = true, false
	case text != nil && !known && !s.ended[h]:
		ours, known = theirs, true
	case text != nil && theirs.Seen.After(ours.Seen):
		ours.Seen = theirs.Seen
	}
	s.mu.Unlock()
	if known {
		ours.asked = now
		s.keep(h, ours)
	}
}

// send gives the store a session.
func (s *sessions) send(h hash, open session) error {
	text, err := json.Marshal(open)
	if err != nil {
		return err
	}
	life := min(s.idle, open.Opened.Add(s.lifetime).Sub(s.now())) + time.Minute
	return briefly(func(ctx context.Context) error { return s.store.Put(ctx, h.value(), text, life) })
}

// share gives the store what it could not take before, until it fails.
func (s *sessions) share(open map[hash]session, ended map[hash]bool) error {
	if s.store == nil {
		return nil
	}
	for h := range ended {
		if err := briefly(func(ctx context.Context) error { return s.store.Delete(ctx, h.value()) }); err != nil {
			return fmt.Errorf("ending a session at the other gateways: %w", err)
		}
		s.mu.Lock()
		delete(s.ended, h)
		s.mu.Unlock()
	}
	for h, one := range open {
		if !one.unsent {
			continue
		}
		if err := s.send(h, one); err != nil {
			return fmt.Errorf("telling the other gateways of a session: %w", err)
		}
		s.mu.Lock()
		if now, ok := s.open[h]; ok && now.Seen.Equal(one.Seen) {
			now.unsent = false
			s.open[h] = now
		}
		s.mu.Unlock()
	}
	return nil
}
