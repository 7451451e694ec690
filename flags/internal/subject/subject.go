// Package subject carries what a request says about itself to a flag provider
// in this process, which looks only at what its rules ask for.
package subject

// A Subject is whom an evaluation is about.
type Subject interface {
	// Key returns the targeting key, "" if there is none.
	Key() string
	// Fact returns a fact: nil if there is none of that name. The targeting key
	// is one, as targetingKey.
	Fact(name string) any
	// Each calls f for every fact there is.
	Each(f func(name string, value any))
}

// Key is what a context holds a [Subject] under.
type Key struct{}

// An Asker is a provider that looks for a [Subject] in the context, and so
// needs none in the evaluation context.
type Asker interface{ AsksSubject() }

// A Prompt provider keeps nobody waiting who initialises it.
type Prompt interface{ InitsAtOnce() }
