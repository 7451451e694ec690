package flagd

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/migrations"
)

// A flag is one flag, compiled.
type flag struct {
	key      string
	disabled bool
	variants map[string]*variant
	names    string     // of the variants, for messages
	fallback *variant   // the default variant; nil: the caller's default
	rule     expression // nothing to evaluate: static
	metadata openfeature.FlagMetadata
	print    [sha256.Size]byte // changes with what the flag answers
	split    migrations.Split  // nil: not known
}

// A variant is one value of a flag.
type variant struct {
	name  string
	value any   // bool, float64, string, []any or map[string]any
	whole int64 // of a number, without its fraction
	fits  bool  // the number has a whole
}

// flag compiles a flag. Metadata is that of the set.
func (p *parser) flag(key string, t *tree, path string, metadata openfeature.FlagMetadata) *flag {
	f := &flag{key: key, metadata: metadata}
	p.used = map[string]bool{}
	var state, variants, fallback, targeting *tree
	t.each(func(name string, value *tree) {
		switch name {
		case "state":
			state = value
		case "variants":
			variants = value
		case "defaultVariant":
			fallback = value
		case "targeting":
			targeting = value
		case "metadata":
			f.metadata = p.metadata(value, path+"/metadata", metadata)
		default:
			p.complain(value, pointer(path, name), "leave it out; a flag has state, variants, defaultVariant, targeting and metadata", "flagd ignores it")
		}
	})
	switch {
	case state == nil:
		p.complain(t, path, "write its state, ENABLED or DISABLED", "the flag has no state, so it is enabled")
	case state.text == "DISABLED" && state.kind == '"':
		f.disabled = true
	case state.text != "ENABLED":
		p.complain(state, path+"/state", "write ENABLED or DISABLED", "is neither ENABLED nor DISABLED, so the flag is enabled")
	}
	p.variants(f, t, variants, path)
	switch {
	case fallback == nil || fallback.kind == 'n':
	case fallback.kind != '"':
		p.refuse(fallback, path+"/defaultVariant", "name one of the variants, or null for the caller's default", "is %s, not a string", fallback.kindName())
	case fallback.text != "": // flagd takes the empty name for none
		if f.fallback = f.variants[fallback.text]; f.fallback == nil {
			p.refuse(fallback, path+"/defaultVariant", "name one of "+f.list(), "there is no variant %q", fallback.text)
		}
	}
	if targeting != nil && targeting.kind != 'n' && !(targeting.kind == '{' && len(targeting.members) == 0) {
		f.rule = p.compile(targeting, path+"/targeting")
		if f.rule.size > maxSize {
			f.rule = p.broken(targeting, path+"/targeting", "split the flag, or refer to less", "has more than %d operations, references followed", maxSize)
		}
	}
	f.names = f.list()
	f.split = p.split(f, targeting)
	f.print = p.fingerprint(t, metadata)
	return f
}

// variants reads the variants of a flag.
func (p *parser) variants(f *flag, t, variants *tree, path string) {
	switch {
	case variants == nil:
		p.refuse(t, path, "write its variants by name", "the flag has no variants")
		return
	case variants.kind != '{' || len(variants.members) == 0:
		p.refuse(variants, path+"/variants", "write values by name", "is %s, not an object with at least one variant", variants.kindName())
		return
	}
	f.variants = make(map[string]*variant, len(variants.members))
	var kind jsontext.Kind
	variants.each(func(name string, value *tree) {
		at := pointer(path+"/variants", name)
		is := value.kind
		switch is {
		case 'f':
			is = 't'
		case 'n', '[':
			p.complain(value, at, "write a boolean, string, number or object", "is %s, which flagd gives to nobody", value.kindName())
		}
		if kind != 0 && is != kind {
			p.complain(value, at, "give all variants of a flag one type", "is %s, and the variants before it are not", value.kindName())
		}
		kind = is
		v := &variant{name: name, value: value.value()}
		if n, ok := v.value.(float64); ok {
			if math.IsInf(n, 0) {
				p.complain(value, at, "write a smaller number", "is too large a number")
			}
			v.whole, v.fits = wholeOf(value.text, n)
		}
		f.variants[name] = v
	})
}

// wholeOf returns a number without its fraction, exactly if it is written as an
// integer; ok is false if it has no 64 bits.
func wholeOf(text string, n float64) (whole int64, ok bool) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, true
	}
	if n < -1<<63 || n >= 1<<63 {
		return 0, false
	}
	return int64(n), true
}

// list writes the names of the variants, for messages.
func (f *flag) list() string {
	const most = 10
	names := slices.Sorted(maps.Keys(f.variants))
	more := ""
	if len(names) > most {
		names, more = names[:most], " and more"
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%.40q", name)
	}
	return strings.Join(names, ", ") + more
}

// metadata reads metadata on top of that of the set.
func (p *parser) metadata(t *tree, path string, set openfeature.FlagMetadata) openfeature.FlagMetadata {
	if t.kind != '{' {
		p.complain(t, path, "write values by name", "is %s, not an object, and ignored", t.kindName())
		return set
	}
	out := make(openfeature.FlagMetadata, len(set)+len(t.members))
	for name, v := range set {
		out[name] = v
	}
	t.each(func(name string, value *tree) {
		switch value.kind {
		case '{', '[', 'n':
			p.complain(value, pointer(path, name), "write a string, number or boolean", "is %s, and ignored", value.kindName())
			return
		case '0':
			if i, err := strconv.ParseInt(value.text, 10, 64); err == nil {
				out[name] = i
				return
			}
		}
		out[name] = value.value()
	})
	return out
}

// fingerprint hashes what the answers of a flag or evaluator depend on: what is
// written, the evaluators it refers to and the metadata of the set. Blank
// space does not count.
func (c *compiler) fingerprint(t *tree, metadata openfeature.FlagMetadata) (print [sha256.Size]byte) {
	h := sha256.New()
	text := jsontext.Value(slices.Clone(t.raw))
	if text.Compact(jsontext.AllowDuplicateNames(true)) != nil {
		text = t.raw
	}
	h.Write(text)
	for _, name := range slices.Sorted(maps.Keys(c.used)) {
		fmt.Fprintf(h, "\x00%q ", name)
		h.Write(c.shared[name].print[:])
	}
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		fmt.Fprintf(h, "\x00%q %T %v", name, metadata[name], metadata[name])
	}
	h.Sum(print[:0])
	return print
}
