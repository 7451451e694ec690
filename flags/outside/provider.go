package outside

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// A Provider stands before another one. Use [New]. All methods may be called at
// once.
type Provider struct {
	inner   openfeature.FeatureProvider
	o       Options
	memory  *memory
	breaker breaker
	room    chan struct{} // holds one for each evaluation that is with inner
	counts  counts
	changed atomic.Int64           // when the provider last said that flags have changed, in Unix nanoseconds
	trouble atomic.Pointer[string] // why inner could not begin; nil: it could, or is about to

	events chan openfeature.Event // never closed, the SDK stops listening by itself
	begun  atomic.Bool            // inner has been initialised
	once   sync.Once              // closes ended
	ended  chan struct{}          // closed by Shutdown

	mu sync.Mutex // guards the sending side of events
}

// New returns a provider that protects from another.
func New(inner openfeature.FeatureProvider, o Options) *Provider {
	o = o.withDefaults()
	return &Provider{
		inner: inner, o: o, memory: newMemory(o.Remember), room: make(chan struct{}, o.AtOnce),
		events: make(chan openfeature.Event, 16), ended: make(chan struct{}),
	}
}

// Metadata returns that of the other provider.
func (p *Provider) Metadata() openfeature.Metadata { return p.inner.Metadata() }

// Hooks returns none: what runs on the way of a request must be bounded.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// StringEvaluation returns what the other provider says, or said last.
func (p *Provider) StringEvaluation(_ context.Context, flag string, def string, told openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	q := p.memory.question(flag, told)
	last, known := p.memory.recall(q)
	now := p.o.Now()
	if known && now.Sub(last.asked) < p.o.Fresh && last.asked.UnixNano() > p.changed.Load() {
		p.counts.fresh.Add(1)
		return last.detail(def, openfeature.CachedReason)
	}
	if !p.begun.Load() {
		return p.instead(last, known, def, &failure{openfeature.ProviderNotReadyCode, "the provider is not ready yet", true})
	}
	if open, try := p.breaker.open(now); open {
		if try {
			if _, begun := p.begin(q, flag, told, now); !begun {
				p.suffer(now)
			}
		}
		return p.instead(last, known, def, leftAlone)
	}
	c, _ := p.begin(q, flag, told, now)
	switch {
	case known && p.o.Fresh > 0:
		p.counts.fresh.Add(1)
		return last.detail(def, openfeature.CachedReason)
	case c == nil:
		p.counts.crowded.Add(1)
		return p.instead(last, known, def, crowded)
	}
	wait := time.NewTimer(p.o.Timeout)
	defer wait.Stop()
	select {
	case <-c.done:
	case <-wait.C:
		p.counts.slow.Add(1)
		p.suffer(now)
		return p.instead(last, known, def, tooSlow)
	}
	if c.err != nil {
		return p.instead(last, known, def, c.err)
	}
	p.counts.asked.Add(1)
	return c.answer.detail(def, c.answer.reason)
}

var (
	leftAlone = &failure{openfeature.GeneralCode, "the provider has failed again and again, and is left alone for a while", true}
	crowded   = &failure{openfeature.GeneralCode, "too many evaluations wait for the provider", true}
	tooSlow   = &failure{openfeature.GeneralCode, "the provider has not answered in time", true}
)

// instead answers what was answered last, or says why there is no answer.
func (p *Provider) instead(last answer, known bool, def string, why *failure) openfeature.StringResolutionDetail {
	if known {
		p.counts.remembered.Add(1)
		return last.detail(def, openfeature.CachedReason)
	}
	p.counts.unanswered.Add(1)
	return openfeature.StringResolutionDetail{Value: def, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
		ResolutionError: why.resolution(), Reason: openfeature.ErrorReason,
	}}
}

func (a answer) detail(def string, reason openfeature.Reason) openfeature.StringResolutionDetail {
	value := a.value
	if value == "" {
		value = def
	}
	return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
		Variant: a.variant, Reason: reason,
	}}
}

// BooleanEvaluation fails: flags of migrations are strings.
func (p *Provider) BooleanEvaluation(_ context.Context, _ string, def bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return openfeature.BoolResolutionDetail{Value: def, ProviderResolutionDetail: mismatch}
}

// FloatEvaluation fails: flags of migrations are strings.
func (p *Provider) FloatEvaluation(_ context.Context, _ string, def float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return openfeature.FloatResolutionDetail{Value: def, ProviderResolutionDetail: mismatch}
}

// IntEvaluation fails: flags of migrations are strings.
func (p *Provider) IntEvaluation(_ context.Context, _ string, def int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return openfeature.IntResolutionDetail{Value: def, ProviderResolutionDetail: mismatch}
}

// ObjectEvaluation fails: flags of migrations are strings.
func (p *Provider) ObjectEvaluation(_ context.Context, _ string, def any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return openfeature.InterfaceResolutionDetail{Value: def, ProviderResolutionDetail: mismatch}
}

var mismatch = openfeature.ProviderResolutionDetail{
	ResolutionError: openfeature.NewTypeMismatchResolutionError("flags of migrations are strings"), Reason: openfeature.ErrorReason,
}
