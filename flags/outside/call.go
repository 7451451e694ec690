package outside

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// A call is one evaluation that is with the provider. Those who ask the same
// meanwhile wait for it too.
type call struct {
	done chan struct{} // closed when what follows is set
	answer
	err *failure // nil: the answer is good
}

// A failure is why there is no answer.
type failure struct {
	code openfeature.ErrorCode
	text string
	down bool // it speaks of the provider, not of the flag
}

func (f *failure) resolution() openfeature.ResolutionError {
	switch f.code {
	case openfeature.FlagNotFoundCode:
		return openfeature.NewFlagNotFoundResolutionError(f.text)
	case openfeature.ParseErrorCode:
		return openfeature.NewParseErrorResolutionError(f.text)
	case openfeature.TypeMismatchCode:
		return openfeature.NewTypeMismatchResolutionError(f.text)
	case openfeature.TargetingKeyMissingCode:
		return openfeature.NewTargetingKeyMissingResolutionError(f.text)
	case openfeature.InvalidContextCode:
		return openfeature.NewInvalidContextResolutionError(f.text)
	case openfeature.ProviderNotReadyCode:
		return openfeature.NewProviderNotReadyResolutionError(f.text)
	}
	return openfeature.NewGeneralResolutionError(f.text)
}

// begin asks the provider, or joins those who ask the same already; nil if too
// many are with it. Begun is false for those who join.
func (p *Provider) begin(q question, flag string, told openfeature.FlattenedContext, now time.Time) (c *call, begun bool) {
	s := p.memory.shard(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.asking[q]; c != nil {
		return c, false
	}
	select {
	case p.room <- struct{}{}:
	default:
		return nil, false
	}
	c = &call{done: make(chan struct{})}
	s.asking[q] = c
	go p.run(c, q, flag, told, now)
	return c, true
}

// run asks the provider, and remembers a good answer, however late it comes. It
// ends when the provider returns.
func (p *Provider) run(c *call, q question, flag string, told openfeature.FlattenedContext, began time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), p.o.Patience)
	defer cancel()
	c.answer, c.err = p.ask(ctx, flag, told)
	c.answer.asked = began
	now := p.o.Now()
	if c.err == nil {
		p.memory.keep(q, c.answer)
	} else {
		p.count(c.err)
	}
	switch late := now.Sub(began) > p.o.Timeout; {
	case c.err != nil && c.err.down, late && p.breaker.shut.Load():
		p.suffer(now)
	case !late:
		p.relieve()
	}
	s := p.memory.shard(q)
	s.mu.Lock()
	delete(s.asking, q)
	s.mu.Unlock()
	<-p.room
	close(c.done)
}

// ask has the provider evaluate a flag. It is told a default that no flag has,
// so that an answer which leaves it to the caller is known as one.
func (p *Provider) ask(ctx context.Context, flag string, told openfeature.FlattenedContext) (a answer, err *failure) {
	defer func() {
		if r := recover(); r != nil {
			a, err = answer{}, &failure{openfeature.GeneralCode, fmt.Sprintf("the provider panicked: %.200v", r), true}
		}
	}()
	d := p.inner.StringEvaluation(ctx, flag, "", told)
	r := d.ResolutionDetail()
	switch {
	case d.Error() != nil:
		return a, &failure{r.ErrorCode, fmt.Sprintf("%.200s", r.ErrorMessage), isDown(r.ErrorCode)}
	case len(d.Value) > 256 || d.Value != "" && !p.o.Valid(flag, d.Value):
		return a, &failure{openfeature.ParseErrorCode, fmt.Sprintf("the provider answered %.40q, which is no value of the flag", d.Value), false}
	}
	return answer{value: d.Value, variant: short(r.Variant), reason: openfeature.Reason(short(string(r.Reason))), version: versionOf(r.FlagMetadata)}, nil
}

// short cuts a text of the provider that is remembered.
func short(text string) string { return strings.Clone(text[:min(len(text), 64)]) }

// isDown reports whether an error speaks of the provider.
func isDown(code openfeature.ErrorCode) bool {
	switch code {
	case openfeature.FlagNotFoundCode, openfeature.ParseErrorCode, openfeature.TypeMismatchCode,
		openfeature.TargetingKeyMissingCode, openfeature.InvalidContextCode:
		return false
	}
	return true
}
