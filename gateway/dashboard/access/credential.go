package access

import (
	"errors"
	"fmt"
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
	Revoked time.Time `json:"revoked,omitzero"` // zero: not; the mark stays, so that no gateway that missed it brings the token back
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

// over reports whether the token opens nothing any more.
func (c credential) over(now time.Time) bool {
	return !c.Revoked.IsZero() || !c.Expires.IsZero() && !now.Before(c.Expires)
}

// forgotten reports whether nobody needs to know of the token any more.
func (c credential) forgotten(now time.Time) bool {
	return !c.Revoked.IsZero() && now.Sub(c.Revoked) > keepRevoked || !c.Expires.IsZero() && now.Sub(c.Expires) > keepExpired
}

// The tokens, all of which are looked at when one is presented, and how long
// those are kept that open nothing.
const (
	maxCredentials = 1000
	keepExpired    = 30 * 24 * time.Hour
	keepRevoked    = 400 * 24 * time.Hour
)

// Errors of [Door.Issue] and [Door.Revoke].
var (
	ErrTaken   = errors.New("there is a token of that name")
	ErrFull    = fmt.Errorf("there are %d tokens; revoke some that nobody uses", maxCredentials)
	ErrNoToken = errors.New("no such token")
	ErrStore   = errors.New("what all gateways share of who comes in can't be changed now")
	ErrShared  = errors.New("the token of the file ficus.token can't be revoked here; delete the file and restart the gateway, which makes another")
)
