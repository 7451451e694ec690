package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Order is what a new token is to be.
type Order struct {
	Name    string // of who presents it: the actor of what is done by it
	Role    Role
	Groups  []string  // owners whose migrations an operator may change
	Expires time.Time // zero: never
	By      string    // who orders it
}

// An Issued is a token that was issued, as people may see it.
type Issued struct {
	ID      string
	Name    string
	Role    Role
	Groups  []string
	Created time.Time // zero for the shared one
	By      string
	Expires time.Time // zero: never
	Used    time.Time // exact to a minute; zero: never, or not since the gateway started if it is the shared one
	Here    bool      // it was revoked at this gateway alone, until the others can be told
	Shared  bool      // that of the file ficus.token, which can't be revoked
}

// An OrderError says why an order can't be met, whoever gives it.
type OrderError string

// Error says what to order instead.
func (e OrderError) Error() string { return string(e) }

func orderError(format string, args ...any) error { return OrderError(fmt.Sprintf(format, args...)) }

// maxGroups bounds the groups of a token.
const maxGroups = 50

func (o Order) check(now time.Time) error {
	switch {
	case o.Name == "":
		return orderError("name: say who will present the token; it is the actor of what is done by it")
	case o.Name == "ficus" || o.Name == TokenFile:
		return orderError("name: %s is a name of the gateway's own; use another", o.Name)
	case o.Name != strings.TrimSpace(o.Name) || len(o.Name) > 100:
		return orderError("name: use at most 100 bytes, without white space around them")
	case len(o.Groups) > maxGroups:
		return orderError("groups: at most %d", maxGroups)
	case !o.Expires.IsZero() && !o.Expires.After(now):
		return orderError("expires: %s is over", o.Expires.Format(time.RFC3339))
	}
	if _, err := ParseRole(string(o.Role)); err != nil {
		return orderError("role: %v", err)
	}
	for _, g := range o.Groups {
		if g == "" || len(g) > 200 {
			return orderError("groups: %q is no name of a group", g)
		}
	}
	return nil
}

// Issue makes a token, keeps its hash and returns it. It can't be shown again.
func (d *Door) Issue(ctx context.Context, o Order) (Token, Issued, error) {
	if err := o.check(d.now()); err != nil {
		return Token{}, Issued{}, err
	}
	t := NewToken()
	c := credential{
		ID: strings.ToLower(rand.Text()[:8]), Name: o.Name, Role: o.Role, Groups: o.Groups,
		Created: d.now().UTC().Truncate(time.Second), By: o.By, Expires: o.Expires.UTC().Truncate(time.Second), Hash: hashOf(t.secret),
	}
	if err := d.credentials.add(ctx, c); err != nil {
		return Token{}, Issued{}, err
	}
	return t, c.issued(), nil
}

// Tokens lists the tokens, in the order in which they were issued.
func (d *Door) Tokens() []Issued {
	var out []Issued
	for _, c := range *d.credentials.list.Load() {
		if !c.Revoked.IsZero() {
			continue
		}
		out = append(out, c.issued())
	}
	return out
}

// Revoke makes a token worthless at once, and ends the sessions that were
// opened with it.
func (d *Door) Revoke(ctx context.Context, id string) (Issued, error) {
	gone, err := d.credentials.remove(ctx, id)
	out := gone.issued()
	if out.Here = errors.Is(err, ErrStore); out.Here {
		d.log.Warn("a token was revoked at this gateway alone; the others are told as soon as they can be", "id", id, "error", err)
		err = nil
	}
	if err != nil {
		return Issued{}, err
	}
	return out, nil
}

func (c credential) issued() Issued {
	out := Issued{ID: c.ID, Name: c.Name, Role: c.Role, Groups: c.Groups, Created: c.Created, By: c.By, Expires: c.Expires, Shared: c.shared}
	if c.lastUsed != nil {
		out.Used = c.used()
	}
	return out
}
