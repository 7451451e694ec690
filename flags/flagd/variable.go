package flagd

import (
	"strconv"
	"strings"
)

// variable reads the data: {"var": "a.b"}, or with a default in place of what
// is missing or null, {"var": ["a.b", 1]}. An empty path is all of the data.
func variable(c *compiler, o call) expression {
	args := c.compileArgs(o)
	path, otherwise := arg(args, 0), arg(args, 1)
	e := expression{size: sizeOf(args)}
	if !path.constant || composite(path.value) {
		e.eval = func(r *run) any {
			p := r.text(path.eval(r))
			if !r.spend(1 + len(p)) {
				return nil
			}
			return orElse(r, r.lookup(split(p)), otherwise)
		}
		return e
	}
	parts := split(scalarText(path.value))
	switch {
	case len(parts) == 1 && parts[0] != flagd:
		name := parts[0]
		e.eval = func(r *run) any {
			if object, ok := r.data.(map[string]any); ok {
				return orElse(r, plain(r.member(object, name)), otherwise)
			}
			return orElse(r, r.lookup(parts), otherwise)
		}
	case len(parts) == 2 && parts[0] == flagd && parts[1] == "flagKey":
		e.eval = func(r *run) any {
			if r.outer {
				return r.flag
			}
			return orElse(r, r.lookup(parts), otherwise)
		}
	default:
		e.eval = func(r *run) any { return orElse(r, r.lookup(parts), otherwise) }
	}
	return e
}

// flagd is the name of what flagd adds to the context.
const flagd = "$flagd"

// orElse is a value, or a default if it is null.
func orElse(r *run, v any, otherwise expression) any {
	if v == nil {
		return otherwise.eval(r)
	}
	return v
}

// split returns the steps of a path; none for all of the data.
func split(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, ".")
}

// lookup follows a path through the data; what is not there is null.
func (r *run) lookup(parts []string) any {
	at := r.data
	if r.outer {
		switch {
		case len(parts) == 0:
			return r.context()
		case parts[0] == flagd:
			at = map[string]any{flagd: r.properties()}
		}
	}
	for i, part := range parts {
		switch holder := at.(type) {
		case map[string]any:
			if i == 0 {
				at = plain(r.member(holder, part))
				continue
			}
			at = plain(holder[part])
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || n >= len(holder) {
				return nil
			}
			at = plain(holder[n])
		default:
			return nil
		}
	}
	return at
}

// member returns a member of the data, or, of the context, a fact of the
// request that it lacks.
func (r *run) member(data map[string]any, name string) any {
	if v, ok := data[name]; ok || !r.outer || r.subject == nil {
		return v
	}
	return r.subject.Fact(name)
}

// context returns all that a rule can read outside of loops.
func (r *run) context() any {
	given, _ := r.data.(map[string]any)
	if !r.spend(1 + len(given)) {
		return nil
	}
	all := make(map[string]any, len(given)+1)
	if r.subject != nil {
		r.subject.Each(func(name string, v any) { all[name] = v })
	}
	for k, v := range given {
		all[k] = v
	}
	all[flagd] = r.properties()
	return all
}

// missing lists those of its arguments, or of the array that is the first,
// that the data lacks. What is null or empty is lacking.
func missing(c *compiler, o call) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) any {
			keys := make([]any, len(args))
			for i, a := range args {
				keys[i] = a.eval(r)
				if list, ok := keys[i].([]any); ok && i == 0 {
					keys = list
					break
				}
			}
			return lacking(r, keys)
		},
		size: sizeOf(args),
	}
}

// missingSome lists what is missing of an array unless so many are there.
func missingSome(c *compiler, o call) expression {
	args := c.compileArgs(o)
	need, keys := arg(args, 0), arg(args, 1)
	return expression{
		eval: func(r *run) any {
			n := r.number(need.eval(r))
			list, _ := keys.eval(r).([]any)
			absent := lacking(r, list)
			if float64(len(list)-len(absent)) >= n {
				return []any{}
			}
			return absent
		},
		size: sizeOf(args),
	}
}

func lacking(r *run, keys []any) []any {
	out := []any{}
	for _, key := range keys {
		path := r.text(plain(key))
		if !r.spend(1 + len(path)) {
			break
		}
		if v := r.lookup(split(path)); v == nil || v == "" {
			out = append(out, key)
		}
	}
	return out
}
