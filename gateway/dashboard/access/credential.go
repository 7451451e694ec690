package access

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A credential is a token as the gateway keeps it: without the token.
type credential struct {
	ID      string    `json:"id"`   // names it in lists and logs
	Name    string    `json:"name"` // who presents it
	Role    Role      `json:"role"`
	Groups  []string  `json:"groups,omitempty"` // whose migrations an operator may change
	Created time.Time `json:"created"`
	By      string    `json:"by"`               // who made it
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Used    time.Time `json:"used,omitzero"`    // as it was kept last; lastUsed knows better
	Hash    hash      `json:"sha256"`           // of the token

	shared   bool          // of the file ficus.token: several people may have it
	lastUsed *atomic.Int64 // Unix seconds; exact to a minute
}

// used is when the token was presented last, exact to a minute.
func (c credential) used() time.Time {
	if sec := c.lastUsed.Load(); sec != 0 {
		return time.Unix(sec, 0).UTC()
	}
	return time.Time{}
}

// maxCredentials bounds the tokens, all of which are looked at when one is presented.
const maxCredentials = 1000

// Errors of [Door.Issue] and [Door.Revoke].
var (
	ErrTaken   = errors.New("there is a token of that name")
	ErrFull    = fmt.Errorf("there are %d tokens; revoke some that nobody uses", maxCredentials)
	ErrNoToken = errors.New("no such token")
	ErrShared  = errors.New("the token of the file ficus.token can't be revoked here; delete the file and restart the gateway, which makes another")
)

// credentials are the tokens that a gateway accepts. Who reads takes no lock.
type credentials struct {
	file file
	now  func() time.Time

	list  atomic.Pointer[[]credential] // never changed, only replaced
	dirty atomic.Bool                  // a lastUsed has changed since the file was written

	mu sync.Mutex // held while the list is replaced and written
}

// kept is the file of tokens.
type keptCredentials struct {
	Tokens []credential `json:"tokens"`
}

// open reads what is kept, and adds the shared token.
func (c *credentials) open(shared ...credential) error {
	var kept keptCredentials
	if err := c.file.read(&kept); err != nil {
		return fmt.Errorf("reading the tokens: %w", err)
	}
	list := slices.Concat(shared, kept.Tokens)
	for i := range list {
		list[i].lastUsed = new(atomic.Int64)
		if t := list[i].Used; !t.IsZero() {
			list[i].lastUsed.Store(t.Unix())
		}
		if _, err := ParseRole(string(list[i].Role)); err != nil {
			return fmt.Errorf("%s: token %s: %w", c.file.path, list[i].ID, err)
		}
	}
	c.list.Store(&list)
	return nil
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

func (c credential) over(now time.Time) bool { return !c.Expires.IsZero() && !now.Before(c.Expires) }

// add accepts one more, when it is on disk.
func (c *credentials) add(more credential) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := *c.list.Load()
	now := c.now()
	// Those that are long over make room; until then people can see that they are.
	list = slices.DeleteFunc(slices.Clone(list), func(c credential) bool { return c.over(now.Add(-30 * 24 * time.Hour)) })
	switch {
	case slices.ContainsFunc(list, func(c credential) bool { return c.Name == more.Name && !c.over(now) }):
		return fmt.Errorf("%w: %s", ErrTaken, more.Name)
	case len(list) >= maxCredentials:
		return ErrFull
	}
	more.lastUsed = new(atomic.Int64)
	return c.replace(append(list, more))
}

// remove accepts one no more, and returns it.
func (c *credentials) remove(id string) (credential, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(*c.list.Load())
	i := slices.IndexFunc(list, func(c credential) bool { return c.ID == id })
	switch {
	case i < 0:
		return credential{}, fmt.Errorf("%w: %s", ErrNoToken, id)
	case list[i].shared:
		return credential{}, ErrShared
	}
	gone := list[i]
	return gone, c.replace(slices.Delete(list, i, i+1))
}

// replace writes a list and puts it in force. C.mu is held.
func (c *credentials) replace(list []credential) error {
	if err := c.write(list); err != nil {
		return fmt.Errorf("keeping the tokens: %w", err)
	}
	c.list.Store(&list)
	return nil
}

func (c *credentials) write(list []credential) error {
	kept := keptCredentials{Tokens: []credential{}}
	c.dirty.Store(false)
	for _, one := range list {
		if !one.shared {
			one.Used = one.used()
			kept.Tokens = append(kept.Tokens, one)
		}
	}
	return c.file.write(kept)
}

// flush writes when the tokens were used, if that has changed.
func (c *credentials) flush() error {
	if !c.dirty.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(*c.list.Load())
}
