package outside

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/open-feature/go-sdk/openfeature"
)

// A View is what a provider says of a flag to somebody without a key.
type View struct {
	Value  string
	Reason openfeature.Reason // STATIC: everybody is told the same
	// Version is the flag's own, if its metadata has one, or a hash of what is
	// answered, which changes with it, though not with every change of a rule.
	Version string
	Own     bool // the version is the flag's own
}

// Onlooker is the key by which [Provider.Look] asks a provider that answers
// nobody without one.
const Onlooker = "ficus"

// Look asks the provider about a flag, in nobody's name if it will answer to
// that, and waits for it as long as it is patient.
func (p *Provider) Look(ctx context.Context, flag string) (View, error) {
	v, err := p.look(ctx, flag, openfeature.FlattenedContext{})
	if missing := (keyMissing{}); errors.As(err, &missing) {
		return p.look(ctx, flag, openfeature.FlattenedContext{openfeature.TargetingKey: Onlooker})
	}
	return v, err
}

// keyMissing is the error of a provider that answers nobody without a key.
type keyMissing struct{ text string }

func (e keyMissing) Error() string { return e.text }

func (p *Provider) look(ctx context.Context, flag string, told openfeature.FlattenedContext) (View, error) {
	switch {
	case !p.begun.Load():
		return View{}, errors.New("the provider is not ready yet")
	case p.breaker.shut.Load():
		return View{}, errors.New(leftAlone.text)
	}
	c, _ := p.begin(p.memory.question(flag, told), flag, told, p.o.Now())
	if c == nil {
		return View{}, errors.New(crowded.text)
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Patience)
	defer cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		return View{}, errors.New(tooSlow.text)
	}
	if c.err != nil {
		if c.err.code == openfeature.TargetingKeyMissingCode {
			return View{}, keyMissing{c.err.text}
		}
		return View{}, fmt.Errorf("%s: %s", c.err.code, c.err.text)
	}
	v := View{Value: c.value, Reason: c.reason, Version: c.version, Own: c.version != ""}
	if !v.Own {
		v.Version = digest(c.value, c.variant, string(c.reason))
	}
	return v, nil
}

func digest(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return hex.EncodeToString(sum[:6])
}
