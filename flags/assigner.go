package flags

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
	"github.com/ficus-gateway/ficus/migrations"
)

const saltSize = 32 // bytes

// An Assigner assigns requests to stages. It has an OpenFeature API of its
// own, so that several gateways in a process, or an application that uses
// OpenFeature for itself, do not meet. All methods may be called at once.
type Assigner struct {
	api     *openfeature.EvaluationAPI
	client  *openfeature.Client
	builtin *Provider
	outside bool // another provider answers
	asks    bool // and looks for the attributes by itself

	source     string // name of that provider; empty: none
	attributes []Attribute

	anonymous anonymous
	journeys  keyring
	sessions  keyring
	salt      [saltSize]byte
	now       func() time.Time
}

// Options say how an [Assigner] is made. The zero value has the built-in
// provider and secrets of its own, which end with the process.
type Options struct {
	// Secrets are the key material of signed cookies and hashed keys, each of
	// at least 16 bytes. The first signs, all verify. See [LoadSecret].
	Secrets [][]byte

	// Provider answers instead of the built-in one. It is given the targeting
	// key and Attributes, and is not waited for: until it is ready law 4 holds.
	// Its answers are confined to what the log allows: nothing that is unknown,
	// retired or rolled back moves, and complete stays complete. It is called
	// on the way of every request, and must not take its time; the package
	// outside sees to that.
	Provider openfeature.FeatureProvider

	// Source is how Provider is called for people; empty: by its metadata.
	Source string

	// Attributes are what Provider is told of a request beside the key.
	Attributes []Attribute

	// Hooks run at every evaluation. A hook must not change the client, which
	// is locked meanwhile; it may ask [Pinned] for the bucket.
	Hooks []openfeature.Hook

	// Now is the clock that journeys go by; nil: [time.Now].
	Now func() time.Time
}

// New returns an assigner. Close it when no more requests come.
func New(o Options) (*Assigner, error) {
	if len(o.Secrets) == 0 {
		secret := make([]byte, secretSize)
		rand.Read(secret)
		o.Secrets = [][]byte{secret}
	}
	a := &Assigner{api: isolated.NewAPI(), builtin: NewProvider(), outside: o.Provider != nil, now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	if a.anonymous.keys, err = newKeyring(o.Secrets, "anonymous cookie"); err != nil {
		return nil, err
	}
	if a.sessions, err = newKeyring(o.Secrets, "session cookie"); err != nil {
		return nil, err
	}
	if a.journeys, err = newKeyring(o.Secrets, "journey cookie"); err != nil {
		return nil, err
	}
	salt, err := derive(o.Secrets[0], "targeting key hash")
	if err != nil {
		return nil, err
	}
	a.salt = [saltSize]byte(salt)
	a.attributes = o.Attributes
	if a.outside {
		a.source = cmp.Or(o.Source, o.Provider.Metadata().Name, "provider")
	}
	_, a.asks = o.Provider.(subject.Asker)
	if _, prompt := o.Provider.(subject.Prompt); prompt { // an error is the provider's to tell: it may be over in a minute
		_ = a.api.SetProviderAndWait(context.Background(), o.Provider)
	} else if a.outside {
		err = a.api.SetProvider(context.Background(), o.Provider)
	} else {
		err = a.api.SetProviderAndWait(context.Background(), a.builtin)
	}
	if err != nil {
		return nil, fmt.Errorf("setting the flag provider: %w", err)
	}
	a.client = a.api.NewClient()
	a.client.AddHooks(o.Hooks...)
	return a, nil
}

// Client returns the OpenFeature client that assigns requests, for handlers of
// events and for evaluations with a targeting key of one's own.
func (a *Assigner) Client() *openfeature.Client { return a.client }

// Publish tells the built-in provider of a new snapshot; see
// [Provider.Publish]. Requests do not depend on it: they bring theirs.
func (a *Assigner) Publish(state migrations.State, plans map[string]*migrations.Plan) {
	a.builtin.Publish(state, plans)
}

// Close shuts the provider down and ends the listening for its events.
func (a *Assigner) Close() error {
	if err := a.api.Shutdown(context.Background()); err != nil {
		return fmt.Errorf("shutting the flag provider down: %w", err)
	}
	return nil
}
