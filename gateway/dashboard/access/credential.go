package access

import (
	"crypto/subtle"
	"slices"
	"sync"
	"time"
)

// A credential is a token as the gateway keeps it: without the token.
type credential struct {
	ID      string    // names it in lists and logs
	Name    string    // who presents it
	Role    Role      //
	Groups  []string  // whose migrations an operator may change
	Expires time.Time // zero: never
	Hash    hash      // of the token

	shared bool // of the file ficus.token: several people may have it
}

// credentials are the tokens that a gateway accepts.
type credentials struct {
	now func() time.Time

	mu   sync.RWMutex // guards what follows
	list []credential
}

func (c *credentials) add(more credential) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, more)
}

// check returns whose token was presented. The time it takes tells nothing
// about the tokens: hashes are compared, in constant time, and all of them.
func (c *credentials) check(presented string) (found credential, ok bool) {
	h := hashOf(presented)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range c.list {
		if subtle.ConstantTimeCompare(h[:], c.list[i].Hash[:]) == 1 {
			found, ok = c.list[i], true
		}
	}
	return found, ok && presented != "" && !c.over(found)
}

// get returns the credential of an id, unless it was revoked or is over.
func (c *credentials) get(id string) (credential, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i := slices.IndexFunc(c.list, func(c credential) bool { return c.ID == id })
	if i < 0 || c.over(c.list[i]) {
		return credential{}, false
	}
	return c.list[i], true
}

func (c *credentials) over(of credential) bool {
	return !of.Expires.IsZero() && !c.now().Before(of.Expires)
}
