package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// credentials are the tokens that a gateway accepts. Who reads takes no lock.
type credentials struct {
	file  file
	store Store // nil: one gateway
	now   func() time.Time

	list  atomic.Pointer[[]credential] // never changed, only replaced
	dirty atomic.Bool                  // a lastUsed has changed since it was kept

	mu sync.Mutex // held while the list is replaced and kept
}

// keptCredentials is what is kept of the tokens.
type keptCredentials struct {
	Tokens []credential `json:"tokens"`
}

const tokensValue = "tokens" // in the store

// open reads what is kept, and adds the shared token.
func (c *credentials) open(shared ...credential) error {
	var kept keptCredentials
	if err := c.file.read(&kept); err != nil {
		return fmt.Errorf("reading the tokens: %w", err)
	}
	for _, one := range kept.Tokens {
		if _, err := ParseRole(string(one.Role)); err != nil {
			return fmt.Errorf("%s: token %s: %w", c.file.path, one.ID, err)
		}
	}
	c.set(slices.Concat(shared, kept.Tokens))
	return nil
}

// set puts a list in force, with the uses that are known.
func (c *credentials) set(list []credential) {
	known := map[string]*atomic.Int64{}
	if before := c.list.Load(); before != nil {
		for _, one := range *before {
			known[one.ID] = one.lastUsed
		}
	}
	for i := range list {
		one := &list[i]
		if one.lastUsed = known[one.ID]; one.lastUsed == nil {
			one.lastUsed = new(atomic.Int64)
		}
		if !one.Used.IsZero() {
			one.lastUsed.Store(max(one.lastUsed.Load(), one.Used.Unix()))
		}
	}
	c.list.Store(&list)
}

// check returns whose token was presented. The time it takes tells nothing
// about the tokens: hashes are compared, in constant time, and all of them.
func (c *credentials) check(presented string) (found credential, ok bool) {
	h := hashOf(presented)
	for _, one := range *c.list.Load() {
		if subtle.ConstantTimeCompare(h[:], one.Hash[:]) == 1 {
			found, ok = one, true
		}
	}
	now := c.now()
	if !ok || presented == "" || found.over(now) {
		return credential{}, false
	}
	if now.Unix()-found.lastUsed.Load() >= 60 {
		found.lastUsed.Store(now.Unix())
		c.dirty.Store(true)
	}
	return found, true
}

// get returns the credential of an id, unless it was revoked or is over.
func (c *credentials) get(id string) (credential, bool) {
	list := *c.list.Load()
	i := slices.IndexFunc(list, func(c credential) bool { return c.ID == id })
	if i < 0 || list[i].over(c.now()) {
		return credential{}, false
	}
	return list[i], true
}

// add accepts one more, when it is kept.
func (c *credentials) add(ctx context.Context, more credential) error {
	return c.change(ctx, func(list []credential) ([]credential, error) {
		live := 0
		for _, one := range list {
			if one.Revoked.IsZero() {
				live++
			}
			if one.Name == more.Name && !one.over(c.now()) {
				return nil, fmt.Errorf("%w: %s", ErrTaken, more.Name)
			}
		}
		if live >= maxCredentials {
			return nil, ErrFull
		}
		return append(list, more), nil
	})
}

// remove accepts one no more, and returns it. If the store does not take that,
// it holds here alone until it does, which err says.
func (c *credentials) remove(ctx context.Context, id string) (gone credential, err error) {
	edit := func(list []credential) ([]credential, error) {
		i := slices.IndexFunc(list, func(c credential) bool { return c.ID == id && c.Revoked.IsZero() })
		switch {
		case i < 0:
			return nil, fmt.Errorf("%w: %s", ErrNoToken, id)
		case list[i].shared:
			return nil, ErrShared
		}
		gone = list[i]
		list[i].Revoked, list[i].Hash = c.now().UTC().Truncate(time.Second), hash{}
		return list, nil
	}
	if err = c.change(ctx, edit); errors.Is(err, ErrStore) {
		if here := c.changeHere(edit); here != nil {
			return gone, here
		}
	}
	return gone, err
}

// change replaces the list by what edit makes of it. Nothing is in force that
// is not kept.
func (c *credentials) change(ctx context.Context, edit func([]credential) ([]credential, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store == nil {
		return c.replace(edit)
	}
	list, err := c.exchange(ctx, edit)
	if err != nil {
		return err
	}
	c.set(list)
	if c.write(list) != nil { // a copy, for the day on which the store is away
		c.dirty.Store(true)
	}
	return nil
}

// changeHere is as change, without the other gateways: they learn of it by pull.
func (c *credentials) changeHere(edit func([]credential) ([]credential, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replace(edit)
}

func (c *credentials) replace(edit func([]credential) ([]credential, error)) error {
	list, err := edit(c.merged(nil))
	if err == nil {
		err = c.write(list)
	}
	if err == nil {
		c.set(list)
	}
	return err
}

func (c *credentials) write(list []credential) error {
	if err := c.file.write(keptCredentials{kept(list)}); err != nil {
		return fmt.Errorf("keeping the tokens: %w", err)
	}
	return nil
}

// kept returns what is kept of a list.
func kept(list []credential) []credential {
	out := []credential{}
	for _, one := range list {
		if one.shared {
			continue
		}
		if one.lastUsed != nil && one.used().After(one.Used) {
			one.Used = one.used()
		}
		out = append(out, one)
	}
	return out
}

// flush keeps when the tokens were used, if that has changed.
func (c *credentials) flush(ctx context.Context) error {
	if !c.dirty.Swap(false) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.write(*c.list.Load())
	if err == nil && c.store != nil {
		_, err = c.exchange(ctx, asItIs)
	}
	if err != nil {
		c.dirty.Store(true)
	}
	return err
}
