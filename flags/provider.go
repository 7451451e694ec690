package flags

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

// A Provider answers OpenFeature evaluations from the state of the log. A
// flag is a string flag, its value a stage. For a request of the gateway it
// goes by the snapshot that is pinned in the Go context; for anybody else by
// what was last published and the targeting key of the evaluation context.
// Cohorts count for requests of the gateway only.
//
// Use [NewProvider]. A provider can be registered with one OpenFeature API.
type Provider struct {
	latest atomic.Pointer[published]
	events chan openfeature.Event // holds one; never closed, the SDK stops listening by itself

	mu sync.Mutex // guards the order of publishing and the sending side of events
}

// ProviderName is the name in the provider's metadata.
const ProviderName = "ficus"

// NewProvider returns a provider that has nothing published yet.
func NewProvider() *Provider {
	return &Provider{events: make(chan openfeature.Event, 1)}
}

// Metadata returns [ProviderName].
func (p *Provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: ProviderName} }

// Hooks returns none.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// EventChannel returns the channel of configuration changes.
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.events }

// StringEvaluation returns the stage of a flag.
func (p *Provider) StringEvaluation(ctx context.Context, flag string, def string, eval openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	var stage migrations.Stage
	var reason openfeature.Reason
	if pin, ok := ctx.Value(pinKey{}).(*pin); ok && pin.flag == flag {
		stage, reason = decide(pin.plan, pin.state, pin.facts)
	} else {
		entry, problem := p.find(flag)
		if problem != nil {
			return openfeature.StringResolutionDetail{Value: def, ProviderResolutionDetail: failed(*problem)}
		}
		stage, reason = decide(entry.plan, entry.state, asked(flag, eval))
	}
	return openfeature.StringResolutionDetail{
		Value:                    string(stage),
		ProviderResolutionDetail: openfeature.ProviderResolutionDetail{Variant: string(stage), Reason: reason},
	}
}

// asked returns the facts of an evaluation that is not a request of the gateway.
func asked(flag string, eval openfeature.FlattenedContext) facts {
	if key, _ := eval[openfeature.TargetingKey].(string); key != "" {
		return facts{bucket: bucket(flag, bounded(key))}
	}
	return facts{bucket: keyless}
}

// BooleanEvaluation fails: flags are strings.
func (p *Provider) BooleanEvaluation(_ context.Context, flag string, def bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return openfeature.BoolResolutionDetail{Value: def, ProviderResolutionDetail: p.mismatch(flag)}
}

// FloatEvaluation fails: flags are strings.
func (p *Provider) FloatEvaluation(_ context.Context, flag string, def float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return openfeature.FloatResolutionDetail{Value: def, ProviderResolutionDetail: p.mismatch(flag)}
}

// IntEvaluation fails: flags are strings.
func (p *Provider) IntEvaluation(_ context.Context, flag string, def int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return openfeature.IntResolutionDetail{Value: def, ProviderResolutionDetail: p.mismatch(flag)}
}

// ObjectEvaluation fails: flags are strings.
func (p *Provider) ObjectEvaluation(_ context.Context, flag string, def any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return openfeature.InterfaceResolutionDetail{Value: def, ProviderResolutionDetail: p.mismatch(flag)}
}

// mismatch says why a flag can't be had as anything but a string.
func (p *Provider) mismatch(flag string) openfeature.ProviderResolutionDetail {
	if _, problem := p.find(flag); problem != nil {
		return failed(*problem)
	}
	return failed(openfeature.NewTypeMismatchResolutionError("the flag is a string, the name of a stage"))
}

func failed(err openfeature.ResolutionError) openfeature.ProviderResolutionDetail {
	return openfeature.ProviderResolutionDetail{ResolutionError: err, Reason: openfeature.ErrorReason}
}
