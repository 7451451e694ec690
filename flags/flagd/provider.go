package flagd

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
	"github.com/ficus-gateway/ficus/migrations"
)

// ProviderName is the name in the provider's metadata.
const ProviderName = "flagd"

// A Provider answers OpenFeature evaluations from the last good definition.
// Use [New] or [Open]. All methods may be called at once.
type Provider struct {
	definition atomic.Pointer[Definition] // nil: none yet
	clock      func() time.Time           // what $flagd.timestamp goes by
	events     chan openfeature.Event     // never closed, the SDK stops listening by itself
	last       atomic.Pointer[Report]     // what Last returns

	stop  context.CancelFunc // ends the goroutine that follows a source; nil: there is none
	ended chan struct{}      // closed by it

	mu     sync.Mutex // guards unsaid, and the sending side of events
	unsaid []string   // flags whose change nobody was told, since events was full
}

// New returns a provider of a definition that does not change.
func New(d *Definition) *Provider {
	p := newProvider()
	p.definition.Store(d)
	p.last.Store(&Report{Time: time.Now(), OK: true, Changed: d.Flags(), Hash: d.hash, Warnings: d.warnings, Trigger: "start"})
	return p
}

func newProvider() *Provider {
	return &Provider{clock: time.Now, events: make(chan openfeature.Event, 16)}
}

// Definition returns the last good definition, nil if there has been none.
func (p *Provider) Definition() *Definition { return p.definition.Load() }

// Split returns how a flag shares targeting keys out over stages, if that is
// known; see [Definition.Split].
func (p *Provider) Split(flag string) (split migrations.Split, ok bool) {
	d := p.definition.Load()
	if d == nil {
		return nil, false
	}
	return d.Split(flag)
}

// Evaluate answers for a flag of any type; see [Definition.Evaluate]. Without
// a definition the code is PROVIDER_NOT_READY.
func (p *Provider) Evaluate(flag string, context map[string]any) Evaluation {
	return p.evaluate(nil, flag, context)
}

// evaluate answers for a flag, with the facts of a request for what the
// context lacks.
func (p *Provider) evaluate(beyond subject.Subject, flag string, context map[string]any) Evaluation {
	d := p.definition.Load()
	if d == nil {
		return Evaluation{Reason: openfeature.ErrorReason, Code: openfeature.ProviderNotReadyCode, Message: "no definition has been read yet"}
	}
	return d.evaluate(flag, context, beyond, p.clock)
}

// Metadata returns [ProviderName].
func (p *Provider) Metadata() openfeature.Metadata {
	return openfeature.Metadata{Name: ProviderName}
}

// Hooks returns none.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// AsksSubject says that the provider looks for the subject of an evaluation by itself.
func (p *Provider) AsksSubject() {}

// InitsAtOnce says that nobody need fear to wait for Init.
func (p *Provider) InitsAtOnce() {}

func subjectOf(ctx context.Context) subject.Subject {
	beyond, _ := ctx.Value(subject.Key{}).(subject.Subject)
	return beyond
}

// BooleanEvaluation returns the value of a flag with boolean variants.
func (p *Provider) BooleanEvaluation(ctx context.Context, flag string, def bool, eval openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	e := p.evaluate(subjectOf(ctx), flag, eval)
	value, ok := e.Value.(bool)
	if !ok {
		value = def
	}
	return openfeature.BoolResolutionDetail{Value: value, ProviderResolutionDetail: e.detail(ok, "boolean")}
}

// StringEvaluation returns the value of a flag with string variants.
func (p *Provider) StringEvaluation(ctx context.Context, flag string, def string, eval openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	e := p.evaluate(subjectOf(ctx), flag, eval)
	value, ok := e.Value.(string)
	if !ok {
		value = def
	}
	return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: e.detail(ok, "string")}
}

// FloatEvaluation returns the value of a flag with number variants.
func (p *Provider) FloatEvaluation(ctx context.Context, flag string, def float64, eval openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	e := p.evaluate(subjectOf(ctx), flag, eval)
	value, ok := e.Value.(float64)
	if ok = ok && !math.IsInf(value, 0); !ok {
		value = def
	}
	return openfeature.FloatResolutionDetail{Value: value, ProviderResolutionDetail: e.detail(ok, "number")}
}

// IntEvaluation returns the value of a flag with number variants, without its
// fraction.
func (p *Provider) IntEvaluation(ctx context.Context, flag string, def int64, eval openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	e := p.evaluate(subjectOf(ctx), flag, eval)
	value, ok := def, e.variant != nil && e.variant.fits
	if ok {
		value = e.variant.whole
	}
	return openfeature.IntResolutionDetail{Value: value, ProviderResolutionDetail: e.detail(ok, "number of 64 bits")}
}

// ObjectEvaluation returns the value of a flag with object variants. It is the
// caller's own.
func (p *Provider) ObjectEvaluation(ctx context.Context, flag string, def any, eval openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	e := p.evaluate(subjectOf(ctx), flag, eval)
	value, ok := def, composite(e.Value)
	if ok {
		value = clone(e.Value)
	}
	return openfeature.InterfaceResolutionDetail{Value: value, ProviderResolutionDetail: e.detail(ok, "object")}
}

// detail returns the evaluation as OpenFeature has it, a mismatch if its value
// is not of the type that was asked for.
func (e *Evaluation) detail(ok bool, wanted string) openfeature.ProviderResolutionDetail {
	d := openfeature.ProviderResolutionDetail{Reason: e.Reason, Variant: e.Variant, FlagMetadata: e.Metadata}
	switch e.Code {
	case "":
		if !ok && e.Value != nil {
			d.Reason, d.Variant = openfeature.ErrorReason, ""
			d.ResolutionError = openfeature.NewTypeMismatchResolutionError("the value of the variant " + e.Variant + " is no " + wanted)
		}
	case openfeature.FlagNotFoundCode:
		d.ResolutionError = openfeature.NewFlagNotFoundResolutionError(e.Message)
	case openfeature.ParseErrorCode:
		d.ResolutionError = openfeature.NewParseErrorResolutionError(e.Message)
	case openfeature.ProviderNotReadyCode:
		d.ResolutionError = openfeature.NewProviderNotReadyResolutionError(e.Message)
	default:
		d.ResolutionError = openfeature.NewGeneralResolutionError(e.Message)
	}
	return d
}

// clone copies arrays and objects, so that nobody changes those of a flag.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = clone(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	}
	return v
}
