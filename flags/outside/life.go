package outside

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// Init returns at once: the other provider begins in the background, and until
// it has, what is remembered counts.
func (p *Provider) Init(eval openfeature.EvaluationContext) error {
	go p.live(eval)
	return nil
}

// InitsAtOnce says that nobody need fear to wait for Init.
func (p *Provider) InitsAtOnce() {}

// live begins the other provider, and hands its events on until Shutdown.
func (p *Provider) live(eval openfeature.EvaluationContext) {
	if err := p.start(eval); err != nil {
		text := fmt.Sprintf("%.200s", err)
		p.trouble.Store(&text)
		p.tell(openfeature.ProviderStale, openfeature.ProviderEventDetails{Message: text})
	}
	p.begun.Store(true)
	p.o.Back()
	handler, ok := p.inner.(openfeature.EventHandler)
	if !ok {
		return
	}
	events := handler.EventChannel()
	for {
		select {
		case <-p.ended:
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			p.hear(e)
		}
	}
}

func (p *Provider) start(eval openfeature.EvaluationContext) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the provider panicked: %v", r)
		}
	}()
	switch inner := p.inner.(type) {
	case openfeature.ContextAwareStateHandler:
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { // ends with ctx
			select {
			case <-p.ended:
				cancel()
			case <-ctx.Done():
			}
		}()
		return inner.InitWithContext(ctx, eval)
	case openfeature.StateHandler:
		return inner.Init(eval)
	}
	return nil
}

// hear hands an event on. An error is told as stale, since the SDK would ask
// nobody in a fatal state, and what is remembered would be of no use.
func (p *Provider) hear(e openfeature.Event) {
	switch e.EventType {
	case openfeature.ProviderConfigChange:
		p.changed.Store(p.o.Now().UnixNano())
		p.o.Changed(e.FlagChanges, versionOf(e.EventMetadata))
	case openfeature.ProviderReady:
		p.trouble.Store(nil)
		p.o.Back()
	case openfeature.ProviderError:
		e.EventType, e.ErrorCode = openfeature.ProviderStale, ""
	}
	p.tell(e.EventType, e.ProviderEventDetails)
}

// versionOf returns what metadata says of a version, in the names that
// providers use for it; empty if nothing.
func versionOf(metadata map[string]any) string {
	for _, name := range []string{"version", "hash", "flagVersion", "flagSetVersion"} {
		switch v := metadata[name].(type) {
		case nil:
		case string:
			return short(v)
		case bool, int, int64, float64:
			return fmt.Sprint(v)
		}
	}
	return ""
}

// suffer notes that the provider has failed.
func (p *Provider) suffer(now time.Time) {
	if p.breaker.failed(now) {
		p.tell(openfeature.ProviderStale, openfeature.ProviderEventDetails{Message: leftAlone.text})
	}
}

// relieve notes that the provider has answered in time.
func (p *Provider) relieve() {
	if p.breaker.succeeded() {
		p.tell(openfeature.ProviderReady, openfeature.ProviderEventDetails{Message: "the provider answers again"})
		p.o.Back()
	}
}

// EventChannel returns the channel of events: those of the other provider, with
// PROVIDER_STALE for its errors, and PROVIDER_STALE and PROVIDER_READY when it
// is left alone and when it is back.
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.events }

// tell sends an event. When nobody has read the last 16, the oldest goes, and
// what it said of flags with it, which [Options].Changed was told.
func (p *Provider) tell(kind openfeature.EventType, details openfeature.ProviderEventDetails) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) == cap(p.events) {
		select {
		case <-p.events:
		default:
		}
	}
	details.FlagChanges = slices.Clone(details.FlagChanges)
	p.events <- openfeature.Event{ProviderName: p.inner.Metadata().Name, EventType: kind, ProviderEventDetails: details} // has room: only readers have been at it since
}

// Shutdown ends the other provider, and waits for that for two seconds at most.
func (p *Provider) Shutdown() {
	p.once.Do(func() { close(p.ended) })
	done := make(chan struct{})
	go func() { // ends when the other provider has
		defer close(done)
		defer func() { _ = recover() }()
		switch inner := p.inner.(type) {
		case openfeature.ContextAwareStateHandler:
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_ = inner.ShutdownWithContext(ctx)
		case openfeature.StateHandler:
			inner.Shutdown()
		}
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}
