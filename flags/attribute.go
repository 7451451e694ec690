package flags

import (
	"slices"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags/internal/subject"
	"github.com/ficus-gateway/ficus/migrations"
)

// An Attribute is one fact of a request that the rules of an outside provider
// may ask for, beside the targeting key. It counts on the word of a trusted
// proxy only, since a rule makes a cohort of it (law 11); the client's address
// always counts.
type Attribute struct {
	Name string
	From migrations.KeySource // header, cookie, query, jwt or ip
}

// fact returns what a request says of an attribute, "" if nothing that counts.
func (a *Assigner) fact(in *Input, at Attribute) string {
	if !in.Trusted && at.From.Kind != migrations.KeyIP {
		return ""
	}
	return a.lookup(in, at.From).text
}

// Key returns the targeting key of the pinned request.
func (p *pin) Key() string { return p.assignment.Key }

// Fact returns a fact of the pinned request.
func (p *pin) Fact(name string) any {
	if name == openfeature.TargetingKey && p.assignment.Key != "" {
		return p.assignment.Key
	}
	i := slices.IndexFunc(p.assigner.attributes, func(at Attribute) bool { return at.Name == name })
	if i < 0 {
		return nil
	}
	return p.fact(p.assigner.attributes[i])
}

// fact returns what is known of an attribute; nil: nothing that counts.
func (p *pin) fact(at Attribute) any {
	if p.in.Facts != nil {
		if !p.in.Trusted {
			return nil
		}
		return p.in.Facts[at.Name]
	}
	if text := p.assigner.fact(p.in, at); text != "" {
		return text
	}
	return nil
}

// Each calls f for every fact of the pinned request.
func (p *pin) Each(f func(name string, value any)) {
	if p.assignment.Key != "" {
		f(openfeature.TargetingKey, p.assignment.Key)
	}
	for _, at := range p.assigner.attributes {
		if v := p.fact(at); v != nil {
			f(at.Name, v)
		}
	}
}

var _ subject.Subject = (*pin)(nil)

// told returns the attributes for a provider that is told all of them; nil if
// there are none.
func (p *pin) told() (out map[string]any) {
	for _, at := range p.assigner.attributes {
		if v := p.fact(at); v != nil {
			if out == nil {
				out = make(map[string]any, len(p.assigner.attributes))
			}
			out[at.Name] = v
		}
	}
	return out
}
