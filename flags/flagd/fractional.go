package flagd

import (
	"math"

	"github.com/ficus-gateway/ficus/flags/internal/murmur3"
)

// maxWeight bounds the sum of a fractional operation's weights.
const maxWeight = math.MaxInt32

// A portion is one entry of a fractional operation.
type portion struct {
	variant any // null, boolean, number or text
	weight  uint64
}

// fractional shares out variants by weight. The first argument is what is
// hashed if it is a text; otherwise that is the flag's key followed by the
// targeting key. The other arguments are arrays of a variant and a weight, 1
// if none is written. The result is the variant of the first whose cumulative
// weight exceeds the hash times the sum, divided by 2^32. It is null when
// there is nothing to hash, when a weight is not a whole number or a variant
// an array or object, and when the weights add up to 0 or more than 2^31-1.
// Negative weights count as 0.
func fractional(c *compiler, o call) expression {
	args := c.compileArgs(o)
	size := min(2*sizeOf(args), maxSize+1) // the first argument may be evaluated twice
	general := func(r *run) any {
		values := make([]any, len(args))
		for i, a := range args {
			values[i] = a.eval(r)
		}
		if len(values) == 1 && !o.list { // {"fractional": {"var": "portions"}}
			values, _ = values[0].([]any)
		}
		return distribute(r, values)
	}
	by, portions, total, ok := fixed(c, o, args)
	if !ok {
		return expression{eval: general, size: size}
	}
	if by == nil {
		return expression{eval: func(r *run) any {
			hash, ok := r.keyHash()
			if !ok {
				return nil
			}
			return choose(hash, portions, total)
		}, size: size}
	}
	return expression{eval: func(r *run) any {
		switch v := by.eval(r).(type) {
		case string:
			return choose(murmur3.Sum32Joined(v, ""), portions, total)
		case nil:
			hash, ok := r.keyHash()
			if !ok {
				return nil
			}
			return choose(hash, portions, total)
		}
		return general(r)
	}, size: size}
}

// distribute is a fractional operation on evaluated arguments.
func distribute(r *run, values []any) any {
	if len(values) == 0 {
		return nil
	}
	var hash uint32
	if text, ok := plain(values[0]).(string); ok {
		hash, values = murmur3.Sum32Joined(text, ""), values[1:]
	} else {
		if values[0] == nil {
			values = values[1:]
		}
		if hash, ok = r.keyHash(); !ok {
			return nil
		}
	}
	portions, total, ok := portionsOf(r, values)
	if !ok {
		return nil
	}
	return choose(hash, portions, total)
}

// keyHash hashes the flag's key and the targeting key, which in a loop is that
// of the element; ok is false if there is none.
func (r *run) keyHash() (hash uint32, ok bool) {
	data, _ := r.data.(map[string]any)
	key, ok := plain(data["targetingKey"]).(string)
	if !ok && r.outer && r.subject != nil {
		key = r.subject.Key()
		ok = key != ""
	}
	if !ok {
		return 0, false
	}
	return murmur3.Sum32Joined(r.flag, key), true
}

// fixed returns what a fractional operation hashes, nil for the default, and
// its portions, if they are the same in every evaluation.
func fixed(c *compiler, o call, args []expression) (by *expression, portions []portion, total uint64, ok bool) {
	if len(args) == 0 {
		return nil, nil, 0, false
	}
	if _, list := args[0].value.([]any); !args[0].constant || !list {
		by, args = &args[0], args[1:]
	}
	values, ok := constants(args)
	if !ok {
		return nil, nil, 0, false
	}
	for _, v := range values {
		if _, list := v.([]any); !list {
			return nil, nil, 0, false
		}
	}
	if by != nil && !by.constant && len(values) == 0 {
		return nil, nil, 0, false // an expression may turn out as the only portion
	}
	if portions, total, ok = portionsOf(nil, values); !ok {
		c.complain(o.tree, o.path, "write [variant, weight] with whole weights that add up to at most 2147483647", "these portions cannot be shared out, so the result is always null")
	}
	return by, portions, total, ok
}

// portionsOf reads evaluated arguments; a nil run has no bounds.
func portionsOf(r *run, values []any) (portions []portion, total uint64, ok bool) {
	if r != nil && !r.spend(len(values)) {
		return nil, 0, false
	}
	portions = make([]portion, 0, len(values))
	for _, v := range values {
		entry, _ := plain(v).([]any)
		if len(entry) == 0 {
			return nil, 0, false
		}
		p := portion{variant: plain(entry[0]), weight: 1}
		if composite(p.variant) {
			return nil, 0, false
		}
		if len(entry) > 1 {
			if p.weight, ok = weight(plain(entry[1])); !ok {
				return nil, 0, false
			}
		}
		total += p.weight
		portions = append(portions, p)
	}
	return portions, total, total <= maxWeight
}

// weight reads the weight of a portion.
func weight(v any) (w uint64, ok bool) {
	switch f := v.(type) {
	case nil:
		return 1, true
	case float64:
		if f != math.Trunc(f) || f > maxWeight { // NaN is not its own whole part
			return 0, false
		}
		return uint64(max(f, 0)), true
	}
	return 0, false
}

// choose returns the variant that a hash falls on.
func choose(hash uint32, portions []portion, total uint64) any {
	if total == 0 {
		return nil
	}
	bucket := uint64(hash) * total >> 32
	var end uint64
	for _, p := range portions {
		if end += p.weight; bucket < end {
			return p.variant
		}
	}
	return nil
}
