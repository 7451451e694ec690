package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// asItIs edits nothing.
func asItIs(list []credential) ([]credential, error) { return list, nil }

// exchange lets edit change what all gateways have, and returns what they have
// then. C.mu is held.
func (c *credentials) exchange(ctx context.Context, edit func([]credential) ([]credential, error)) (list []credential, err error) {
	refused := false
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	err = c.store.Update(ctx, tokensValue, func(old []byte) ([]byte, error) {
		theirs, err := decodeCredentials(old)
		if err != nil {
			return nil, err
		}
		if list, err = edit(c.merged(theirs)); err != nil {
			refused = true
			return nil, err
		}
		return json.Marshal(keptCredentials{kept(list)})
	})
	if err != nil && !refused {
		err = fmt.Errorf("%w: %w", ErrStore, err)
	}
	return list, err
}

func decodeCredentials(text []byte) ([]credential, error) {
	var theirs keptCredentials
	if text == nil {
		return nil, nil
	}
	err := json.Unmarshal(text, &theirs)
	return theirs.Tokens, err
}

// merged returns our tokens and theirs. A mark that a token was revoked stands,
// whoever has it; so a store that has lost everything is filled again, and a
// gateway that was away brings nothing back.
func (c *credentials) merged(theirs []credential) []credential {
	list, now := slices.Clone(*c.list.Load()), c.now()
	for _, their := range theirs {
		i := slices.IndexFunc(list, func(ours credential) bool { return ours.ID == their.ID })
		if i < 0 {
			list = append(list, their)
			continue
		}
		if list[i].Revoked.IsZero() && !their.Revoked.IsZero() {
			list[i].Revoked, list[i].Hash = their.Revoked, hash{}
		}
		if their.Used.After(list[i].Used) {
			list[i].Used = their.Used
		}
	}
	since := c.marksSince(list)
	return slices.DeleteFunc(list, func(c credential) bool {
		return !c.shared && (c.forgotten(now) || !c.Revoked.IsZero() && c.Revoked.Before(since))
	})
}

// marksSince bounds the marks of revoked tokens: the oldest make room.
func (c *credentials) marksSince(list []credential) time.Time {
	var marks []time.Time
	for _, one := range list {
		if !one.Revoked.IsZero() {
			marks = append(marks, one.Revoked)
		}
	}
	if len(marks) <= maxCredentials {
		return time.Time{}
	}
	slices.SortFunc(marks, time.Time.Compare)
	return marks[len(marks)-maxCredentials]
}

// pull takes over what other gateways have changed, and gives the store what
// it lacks.
func (c *credentials) pull(ctx context.Context) error {
	if c.store == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := c.store.Get(ctx, tokensValue)
	if err != nil {
		return err
	}
	theirs, err := decodeCredentials(text)
	if err != nil {
		return err
	}
	ours, list := *c.list.Load(), c.merged(theirs)
	c.set(list)
	if !has(ours, list) {
		err = c.write(list)
	}
	if !has(theirs, kept(list)) {
		_, more := c.exchange(ctx, asItIs)
		err = errors.Join(err, more)
	}
	return err
}

// has reports whether a list has the tokens of another, and knows which of
// them were revoked.
func has(list, other []credential) bool {
	for _, one := range other {
		if !slices.ContainsFunc(list, func(c credential) bool { return c.ID == one.ID && c.Revoked.Equal(one.Revoked) }) {
			return false
		}
	}
	return true
}
