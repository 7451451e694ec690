package flags

import (
	"context"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
	"github.com/ficus-gateway/ficus/migrations"
)

// A pin is the context of one evaluation: that of the request, and the
// snapshot that the request holds, so that route and flag can't disagree
// (law 3). Being a context itself it costs one allocation.
type pin struct {
	context.Context
	plan       *migrations.Plan
	state      *migrations.Migration
	flag       string
	facts      facts
	assigner   *Assigner
	in         *Input     // for what an outside provider asks of the request
	assignment Assignment // as far as it is known before the evaluation
}

type pinKey struct{}

// Value returns the pin itself for its own key, and for that of what a provider
// in this process may ask of the request.
func (p *pin) Value(key any) any {
	if key == (pinKey{}) || key == (subject.Key{}) {
		return p
	}
	return p.Context.Value(key)
}

// Pinned returns what is known of a request before its flag is evaluated:
// flag, key, source and bucket. It is for OpenFeature hooks, which find the
// result in their arguments. It reports false outside of [Assigner.Assign].
func Pinned(ctx context.Context) (Assignment, bool) {
	p, ok := ctx.Value(pinKey{}).(*pin)
	if !ok {
		return Assignment{Bucket: keyless}, false
	}
	return p.assignment, true
}
