package flagd

import "strings"

// loop builds operations on the elements of their first argument, with a body
// that reads the element instead of the context. What is no array has none.
func loop(f func(r *run, list []any, body expression) any) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		subject, body := arg(args, 0), arg(args, 1)
		return expression{
			eval: func(r *run) any {
				list, _ := subject.eval(r).([]any)
				return f(r, list, body)
			},
			size: sizeOf(args),
		}
	}
}

func mapped(c *compiler, o call) expression {
	return loop(func(r *run, list []any, body expression) any {
		out := make([]any, 0, min(len(list), maxSteps))
		r.each(list, body, func(_, result any) bool {
			out = append(out, result)
			return true
		})
		return out
	})(c, o)
}

func filter(c *compiler, o call) expression {
	return loop(func(r *run, list []any, body expression) any {
		out := []any{}
		r.each(list, body, func(item, result any) bool {
			if truthy(result) {
				out = append(out, item)
			}
			return true
		})
		return out
	})(c, o)
}

// every is true of no elements at all never.
func every(c *compiler, o call) expression {
	return loop(func(r *run, list []any, body expression) any {
		holds := len(list) > 0
		r.each(list, body, func(_, result any) bool {
			holds = truthy(result)
			return holds
		})
		return holds
	})(c, o)
}

func some(c *compiler, o call) expression {
	return loop(func(r *run, list []any, body expression) any { return found(r, list, body) })(c, o)
}

func none(c *compiler, o call) expression {
	return loop(func(r *run, list []any, body expression) any { return !found(r, list, body) })(c, o)
}

func found(r *run, list []any, body expression) (found bool) {
	r.each(list, body, func(_, result any) bool {
		found = truthy(result)
		return !found
	})
	return found
}

// reduce folds an array. Its body reads the element as current and what came
// of those before as accumulator.
func reduce(c *compiler, o call) expression {
	args := c.compileArgs(o)
	subject, body, initial := arg(args, 0), arg(args, 1), arg(args, 2)
	return expression{
		eval: func(r *run) any {
			list, _ := subject.eval(r).([]any)
			result := initial.eval(r)
			data, outer := r.data, r.outer
			r.outer = false
			for _, item := range list {
				if !r.spend(1 + body.size) {
					break
				}
				r.data = map[string]any{"current": item, "accumulator": result}
				result = body.eval(r)
			}
			r.data, r.outer = data, outer
			return result
		},
		size: sizeOf(args),
	}
}

// merge makes one array of arrays and single values.
func merge(c *compiler, o call) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) any {
			out := []any{}
			for _, a := range args {
				v := a.eval(r)
				list, ok := v.([]any)
				if !ok {
					out = append(out, v)
					continue
				}
				if !r.spend(len(list)) {
					return nil
				}
				out = append(out, list...)
			}
			return out
		},
		size: sizeOf(args),
	}
}

// in looks for a text in a text or for a value in an array.
func in(c *compiler, o call) expression {
	args := c.compileArgs(o)
	a, b := arg(args, 0), arg(args, 1)
	e := expression{size: sizeOf(args)}
	if set := textSet(b); set != nil {
		e.eval = func(r *run) any {
			text, ok := a.eval(r).(string)
			return ok && set[text]
		}
		return e
	}
	e.eval = func(r *run) any {
		needle := a.eval(r)
		switch stack := b.eval(r).(type) {
		case string:
			if !r.spend(1 + len(stack)>>6) {
				return nil
			}
			return strings.Contains(stack, r.text(needle))
		case []any:
			if !r.spend(len(stack)) {
				return nil
			}
			for _, item := range stack {
				if strictEqual(needle, plain(item)) {
					return true
				}
			}
		}
		return false
	}
	return e
}

// textSet returns the elements of a constant array of texts, nil of anything else.
func textSet(e expression) map[string]bool {
	list, ok := e.value.([]any)
	if !ok || !e.constant || len(list) == 0 {
		return nil
	}
	set := make(map[string]bool, len(list))
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil
		}
		set[text] = true
	}
	return set
}
