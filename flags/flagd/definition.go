package flagd

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/routes"
)

// A Definition is a set of flags in flagd's format, compiled. It is immutable.
type Definition struct {
	flags    map[string]*flag
	metadata openfeature.FlagMetadata // of the set
	hash     string
	warnings routes.Problems
}

// Parse compiles a definition. The name stands for the file in problems.
//
// What flagd refuses as a whole is an error, of type [routes.Problems]: what
// is not JSON, what has no flags or no variants, and a default variant that
// does not exist. What flagd serves, though a flag of it cannot work, is served
// here too, and is one of [Definition.Warnings]: an evaluation that gets to it
// fails with the same code as flagd's.
func Parse(name string, data []byte) (*Definition, error) {
	root, problem := readTree(data)
	if problem != nil {
		problem.At.File = name
		return nil, routes.Problems{*problem}
	}
	c := &compiler{data: data, file: name, shared: map[string]*shared{}}
	p := &parser{compiler: c}
	d := p.definition(root)
	if len(p.fatal) > 0 {
		return nil, p.fatal
	}
	sum := sha256.Sum256(data)
	d.hash, d.warnings = hex.EncodeToString(sum[:]), c.problems
	return d, nil
}

// Flags lists the keys of all flags, sorted.
func (d *Definition) Flags() []string { return slices.Sorted(maps.Keys(d.flags)) }

// Version is a hash of what a flag answers, which changes with its rule, the
// evaluators that it refers to, and its metadata; ok is false if there is no
// such flag, and disabled says that it leaves the value to the caller.
func (d *Definition) Version(flag string) (version string, disabled, ok bool) {
	f := d.flags[flag]
	if f == nil {
		return "", false, false
	}
	return hex.EncodeToString(f.print[:6]), f.disabled, true
}

// Hash is the SHA-256 of the definition as written, in hex.
func (d *Definition) Hash() string { return d.hash }

// Warnings are what does not work as it should though the definition is good.
// Callers must not change them.
func (d *Definition) Warnings() routes.Problems { return d.warnings }

// Metadata returns the metadata of the set. Callers must not change it.
func (d *Definition) Metadata() openfeature.FlagMetadata { return d.metadata }

// Changed returns the flags that are not the same in an older definition,
// which may be nil, those that are new or gone included, sorted. A flag
// changes with the evaluators that it refers to.
func (d *Definition) Changed(old *Definition) []string {
	var was map[string]*flag
	if old != nil {
		was = old.flags
	}
	var changed []string
	for key, f := range d.flags {
		if o, ok := was[key]; !ok || o.print != f.print {
			changed = append(changed, key)
		}
	}
	for key := range was {
		if _, ok := d.flags[key]; !ok {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	return changed
}

// A parser makes a definition of its tree.
type parser struct {
	*compiler
	fatal routes.Problems
}

// refuse notes what makes the whole definition unusable.
func (p *parser) refuse(t *tree, path, hint, format string, args ...any) {
	if len(p.fatal) == maxProblems {
		return
	}
	problem := routes.Problem{At: position(p.data, t.at), Path: path, Text: fmt.Sprintf(format, args...), Hint: hint}
	problem.At.File = p.file
	p.fatal = append(p.fatal, problem)
}

func (p *parser) definition(root *tree) *Definition {
	d := &Definition{flags: map[string]*flag{}}
	if root.kind != '{' {
		p.refuse(root, "", `write {"flags": {}}`, "the definition is %s, not an object", root.kindName())
		return d
	}
	var flags *tree
	root.each(func(name string, value *tree) {
		switch name {
		case "flags":
			flags = value
		case "$evaluators":
			if value.kind == '{' {
				p.evaluators = value
			} else {
				p.refuse(value, "/$evaluators", "write rules by name", "is %s, not an object", value.kindName())
			}
		case "metadata":
			d.metadata = p.metadata(value, "/metadata", nil)
		case "$schema":
		default:
			p.complain(value, pointer("", name), "leave it out; known are $schema, flags, $evaluators and metadata", "flagd ignores it")
		}
	})
	switch {
	case flags == nil:
		p.refuse(root, "", `write {"flags": {}}`, "there are no flags")
	case flags.kind != '{':
		p.refuse(flags, "/flags", "write flags by key", "is %s, not an object", flags.kindName())
	default:
		flags.each(func(key string, value *tree) {
			path := pointer("/flags", key)
			if value.kind != '{' {
				p.refuse(value, path, "write its state, variants and defaultVariant", "the flag is %s, not an object", value.kindName())
				return
			}
			d.flags[key] = p.flag(key, value, path, d.metadata)
		})
	}
	if p.evaluators != nil { // what no flag refers to may be wrong as well
		p.used = map[string]bool{}
		p.evaluators.each(func(name string, _ *tree) { p.evaluator(name) })
	}
	return d
}
