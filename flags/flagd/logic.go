package flagd

// conditional is if, then, else if, then and so on, else. Without an else the
// result is null.
func conditional(c *compiler, o call) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) any {
			i := 0
			for ; i+1 < len(args); i += 2 {
				if truthy(args[i].eval(r)) {
					return args[i+1].eval(r)
				}
				if r.err != nil {
					return nil
				}
			}
			if i < len(args) {
				return args[i].eval(r)
			}
			return nil
		},
		size: sizeOf(args),
	}
}

// and is the first argument that is not true, or the last.
func and(c *compiler, o call) expression { return firstThat(c, o, false) }

// or is the first argument that is true, or the last.
func or(c *compiler, o call) expression { return firstThat(c, o, true) }

func firstThat(c *compiler, o call, is bool) expression {
	args := c.compileArgs(o)
	return expression{
		eval: func(r *run) (v any) {
			for _, a := range args {
				if v = a.eval(r); r.err != nil || truthy(v) == is {
					break
				}
			}
			return v
		},
		size: sizeOf(args),
	}
}

func not(c *compiler, o call) expression {
	args := c.compileArgs(o)
	a := arg(args, 0)
	return expression{eval: func(r *run) any { return !truthy(a.eval(r)) }, size: sizeOf(args)}
}

func notNot(c *compiler, o call) expression {
	args := c.compileArgs(o)
	a := arg(args, 0)
	return expression{eval: func(r *run) any { return truthy(a.eval(r)) }, size: sizeOf(args)}
}

// logged is its argument: what a rule sees is nobody's to write down.
func logged(c *compiler, o call) expression {
	args := c.compileArgs(o)
	return expression{eval: arg(args, 0).eval, size: sizeOf(args)}
}

// equal is ==.
func equal(r *run, a, b any) any {
	if composite(a) && composite(b) {
		return false
	}
	return looseEqual(r.primitive(a), r.primitive(b))
}

func composite(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// ordered builds comparisons. With three arguments the second lies between.
func ordered(holds func(int) bool) func(*compiler, call) expression {
	return func(c *compiler, o call) expression {
		args := c.compileArgs(o)
		if len(args) < 2 {
			return constant(false) // nothing compares with what is not there
		}
		pair := func(r *run, a, b any) bool { return holds(compare(r.primitive(a), r.primitive(b))) }
		if len(args) == 2 {
			return expression{
				eval: func(r *run) any { return pair(r, args[0].eval(r), args[1].eval(r)) },
				size: sizeOf(args),
			}
		}
		return expression{
			eval: func(r *run) any {
				a, b, c := args[0].eval(r), args[1].eval(r), args[2].eval(r)
				return pair(r, a, b) && pair(r, b, c)
			},
			size: sizeOf(args),
		}
	}
}
