package flagd

import (
	"slices"

	"github.com/ficus-gateway/ficus/migrations"
)

// Split returns how a flag whose values are stages shares targeting keys out;
// ok is false where that is not known: where there is no such flag, where it is
// disabled or defers to the caller's default, where a value is no stage, and
// where a rule looks at more than the targeting key. It is known of a flag
// without a rule and of one whose rule is a fractional operation with fixed
// weights, on the default key, on {"var": "targetingKey"} or on both that and
// {"var": "$flagd.flagKey"} in one cat.
//
// The shares are those of the flag, rounded to buckets. Which keys are in which
// is flagd's affair: the operation's own order decides, and its hash.
func (d *Definition) Split(flag string) (split migrations.Split, ok bool) {
	f := d.flags[flag]
	if f == nil || f.split == nil {
		return nil, false
	}
	return slices.Clone(f.split), true
}

// NoStage names the variants of a flag whose values are no stages: who gets one
// of them is at the stage that is known to work. They are sorted.
func (d *Definition) NoStage(flag string) (variants []string) {
	f := d.flags[flag]
	if f == nil {
		return nil
	}
	for name, v := range f.variants {
		if text, _ := v.value.(string); !migrations.Stage(text).Valid() {
			variants = append(variants, name)
		}
	}
	slices.Sort(variants)
	return variants
}

// split returns the split of a flag that has been compiled, nil if not known.
func (p *parser) split(f *flag, targeting *tree) migrations.Split {
	switch {
	case f.disabled || f.variants == nil:
		return nil
	case f.rule.eval == nil:
		stage, ok := f.stage(nil)
		if !ok {
			return nil
		}
		return migrations.All(stage)
	case targeting.kind != '{' || targeting.members[0].name != "fractional" || targeting.members[0].value.kind != '[':
		return nil
	}
	args := targeting.members[0].value.items
	if len(args) > 0 && args[0].kind != '[' {
		if !byKey(args[0]) {
			return nil
		}
		args = args[1:]
	}
	values := make([]any, len(args))
	for i, a := range args {
		if a.kind != '[' || slices.ContainsFunc(a.items, func(item *tree) bool { return item.kind == '{' || item.kind == '[' }) {
			return nil
		}
		values[i] = a.value()
	}
	portions, total, ok := portionsOf(nil, values)
	if !ok || total == 0 {
		return nil
	}
	weights := map[migrations.Stage]uint64{}
	for _, portion := range portions {
		stage, ok := f.stage(portion.variant)
		if !ok {
			return nil
		}
		weights[stage] += portion.weight
	}
	return apportion(weights, total)
}

// stage returns the stage that the result of a rule stands for.
func (f *flag) stage(result any) (stage migrations.Stage, ok bool) {
	v := f.fallback
	if result != nil {
		v = f.variants[scalarText(result)]
	}
	if v == nil {
		return "", false
	}
	text, _ := v.value.(string)
	stage = migrations.Stage(text)
	return stage, stage.Valid()
}

// byKey reports whether an expression is made of the targeting key alone, so
// that each key has its place and all keys together have the shares.
func byKey(t *tree) bool {
	if t.kind != '{' || len(t.members) != 1 {
		return false
	}
	args := []*tree{t.members[0].value}
	if args[0].kind == '[' {
		args = args[0].items
	}
	switch t.members[0].name {
	case "var":
		return len(args) == 1 && args[0].kind == '"' && args[0].text == "targetingKey"
	case "cat":
		found := false
		for _, a := range args {
			switch {
			case byKey(a):
				found = true
			case a.kind == '"':
			case a.kind == '{' && len(a.members) == 1 && a.members[0].name == "var" && a.members[0].value.text == flagd+".flagKey":
			default:
				return false
			}
		}
		return found
	}
	return false
}

// apportion gives each stage its share of the buckets, rounded by largest
// remainder so that they add up, the more advanced stage last where remainders
// are the same.
func apportion(weights map[migrations.Stage]uint64, total uint64) migrations.Split {
	type part struct {
		stage     migrations.Stage
		buckets   uint64
		remainder uint64
	}
	var parts []part
	left := uint64(migrations.Buckets)
	for _, stage := range migrations.Stages {
		if w := weights[stage]; w > 0 {
			n := w * migrations.Buckets
			parts = append(parts, part{stage, n / total, n % total})
			left -= n / total
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		switch {
		case a.remainder > b.remainder:
			return -1
		case a.remainder < b.remainder:
			return 1
		}
		return 0
	})
	shares := make([]migrations.Share, len(parts))
	for i, p := range parts {
		if uint64(i) < left {
			p.buckets++
		}
		shares[i] = migrations.Share{Stage: p.stage, Buckets: int(p.buckets)}
	}
	split, err := migrations.NewSplit(shares...)
	if err != nil { // stages are valid and named once, and shares add up
		return nil
	}
	return split
}
